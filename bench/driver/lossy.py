# SPDX-License-Identifier: Apache-2.0
"""Paths that lose, delay, reorder and double packets, with a stack at the end.

    here                                            peer namespace
    TAP fdkN, 10.0.N.1 == wire == fdwN ------ fdhN  the kernel, 10.0.N.2
                                              fdhN  fdlink host, 10.0.N.2

Whoever is there, the packets take the same way, through fdlink connect, with the
same choice of those that suffer.
"""

import array
import contextlib
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time

import network

PROGRAMS = TRACER, COMMAND = 'tests/netns/trace', 'cli/fdlink'
DISCARD, CHARGEN = 9, 19
TCP_CONGESTION = 13
KERNELS = 'reno', 'cubic'
PATIENCE = 30
# Nothing is to be lost but by the wire.
QUEUE = '10000'


def serve(congestion):
    """The kernel's discard and chargen, in this namespace."""
    listeners = {}
    for port, work in (DISCARD, discard), (CHARGEN, generate):
        s = socket.create_server(('', port))
        s.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, congestion.encode())
        listeners[s] = work
    print('up', flush=True)
    while True:
        for s in select.select(list(listeners), [], [])[0]:
            threading.Thread(target=until_it_ends, daemon=True,
                             args=(listeners[s], s.accept()[0])).start()


def until_it_ends(work, connection):
    with connection, contextlib.suppress(OSError):
        work(connection)


def discard(connection):
    while connection.recv(1 << 20):
        pass


def generate(connection):
    while True:
        connection.sendall(bytes(1 << 16))


def delete(device):
    """Its other end may be gone, and it with that."""
    with contextlib.suppress(OSError):
        network.ip('link', 'del', device)


class Processes:
    """A path of devices and processes, which end with it. number: of the path,
    in the names of its devices and in its addresses."""

    traced = False

    def __init__(self, build, number, who, words):
        self.number, self.who = number, who
        self.processes = []
        self.stack = contextlib.ExitStack()
        self.trace = self.tracer = None
        if self.traced:
            self.trace = tempfile.TemporaryFile('w+')
        try:
            self.make(build, words)
        except BaseException:
            self.end()
            raise

    def start(self, argv, trace=None):
        """Returns when it says that it is up. trace: where its output goes."""
        process = subprocess.Popen(
            network.WITH_US + argv, text=True,
            stdout=trace or subprocess.PIPE,
            stderr=subprocess.PIPE if trace else subprocess.STDOUT)
        self.processes.append(process)
        said = []
        for line in process.stderr if trace else process.stdout:
            if 'up' in line.split():
                return process
            said.append(line)
        raise OSError('%s: %s' % (argv[0], ''.join(said)))

    def end(self):
        """What is traced is complete then."""
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            process.wait()
            (process.stderr or process.stdout).close()
        self.stack.close()
        if self.tracer and self.tracer.returncode:
            raise OSError('the trace has gaps')

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.end()


class Path(Processes):
    """who: an --offload of the host's, or one of KERNELS. words: options of
    fdlink connect; the delay is half of a round trip."""

    def make(self, build, words):
        n = self.number
        tap, wire, end = ('fd%s%d' % (what, n) for what in 'kwh')
        network.ip('link', 'add', wire, 'type', 'veth', 'peer', 'name', end)
        self.stack.callback(delete, wire)
        # Its kernel would answer for the TAP's address, past the wire.
        network.ip('link', 'set', wire, 'up', 'arp', 'off')
        network.ip('link', 'set', end, 'up')
        network.ip('tuntap', 'add', 'dev', tap, 'mode', 'tap')
        self.stack.callback(delete, tap)
        network.ip('link', 'set', tap, 'txqueuelen', QUEUE)
        network.ip('address', 'add', '10.0.%d.1/24' % n, 'dev', tap)
        network.ip('link', 'set', tap, 'up')
        if self.trace:
            self.tracer = self.start([os.path.join(build, TRACER), wire],
                                     self.trace)
        self.start([os.path.join(build, COMMAND), 'connect',
                    'packet:' + wire, 'tap:' + tap] +
                   ['--%s=%s' % word for word in words.items()])
        if self.who in KERNELS:
            self.start_kernel(end)
        else:
            self.start([os.path.join(build, COMMAND), 'host',
                        'packet:' + end, '--offload', self.who,
                        '--address', self.address + '/24'])

    def start_kernel(self, end):
        peer = self.stack.enter_context(network.Peer())
        network.ip('link', 'set', end, 'netns', str(peer.holder.pid))
        for words in (['address', 'add', self.address + '/24', 'dev', end],
                      ['link', 'set', end, 'up']):
            subprocess.run(peer.inside + ['ip'] + words, check=True)
        self.start(peer.inside + [sys.executable, os.path.abspath(__file__),
                                  self.who])

    @property
    def address(self):
        return '10.0.%d.2' % self.number


class Traced(Path):
    """What the far end sends, and what gets there, is in .trace."""

    traced = True


def connect(path, port, congestion=None, room=None):
    s = socket.socket(socket.AF_INET6 if ':' in path.address else
                      socket.AF_INET)
    if room:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    if congestion:
        s.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, congestion.encode())
    s.settimeout(PATIENCE)
    s.connect((path.address, port))
    return s


def receive(path, seconds, room=None):
    """Mbit/s that come from there. room: bytes, of a receive buffer."""
    with connect(path, CHARGEN, room=room) as s:
        start, total = time.monotonic(), 0
        while time.monotonic() - start < seconds:
            got = len(s.recv(1 << 20))
            if not got:
                raise EOFError('%s ended' % path.who)
            total += got
        return total * 8e-6 / (time.monotonic() - start)


def send(path, seconds):
    """Mbit/s that are acknowledged there."""
    piece = bytes(1 << 16)
    with connect(path, DISCARD, 'reno') as s:
        start, total = time.monotonic(), 0
        while time.monotonic() - start < seconds:
            total += s.send(piece)
        queued = array.array('i', [0])
        fcntl.ioctl(s, termios.TIOCOUTQ, queued)
        return (total - queued[0]) * 8e-6 / (time.monotonic() - start)


def before(a, b):
    return 0 < (b - a) % (1 << 32) < 1 << 31


def sent_again(trace):
    """(bytes that came from the other end, those of them that had before)."""
    top, total, again = {}, 0, 0
    trace.seek(0)
    for line in trace:
        words = line.split()
        if len(words) != 10 or words[1] != '0' or words[7] == '0':
            continue
        port, seq, size = int(words[3]), int(words[5]), int(words[7])
        end = (seq + size) % (1 << 32)
        total += size
        known = top.setdefault(port, seq)
        if before(seq, known):
            again += min(size, (known - seq) % (1 << 32))
        if before(known, end):
            top[port] = end
    return total, again


if __name__ == '__main__':
    serve(sys.argv[1])
