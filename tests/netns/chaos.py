# SPDX-License-Identifier: Apache-2.0
"""Trouble of every kind around wires that carry.

    chaos.py FDLINK PID FOLDER SECONDS SEED

PID is a process in another network namespace. Each wire has a good flow on it or
beside it, and at the end: exit status 0, sums that are exact, nothing left open,
no CPU used for nothing. The sandbox is on.
"""

import atexit
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

EXPERIMENT = 0x88b5     # for local experiments: IEEE 802
PACE = 200              # frames of a good flow, a second
PATIENCE = 120
GOOD, BAD = bytes.fromhex('020000000001'), bytes.fromhex('0200000000bd')
OURS = bytes.fromhex('02000000f00d')
NO_SANDBOX = os.environ.get('FDLINK_TEST_SANDBOX', '').split()

FDLINK, PEER, FOLDER = sys.argv[1:4]
SECONDS, SEED = float(sys.argv[4]), int(sys.argv[5])
NETNS = 'netns=/proc/%s/ns/net' % PEER
over = threading.Event()
wrong = []


def fail(text):
    wrong.append(text)
    over.set()


def ip(*words, inside=False, check=True):
    where = ['nsenter', '-t', PEER, '-n'] if inside else []
    subprocess.run(where + ['ip'] + list(words), check=check,
                   capture_output=not check)


def wait_for(what, ready):
    end = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > end or not all(w.lives() for w in wires):
            sys.exit('chaos: no %s: %s' % (what, wrong))
        time.sleep(.02)


def frame(to, number, size=64):
    return (to + OURS + struct.pack('!HI', EXPERIMENT, number)).ljust(size)


class Wire:
    """A wire, and what must be true of it."""

    def __init__(self, name, a, b, *options, stdout=None):
        self.name = name
        self.told = os.path.join(FOLDER, name + '.json')
        with open(self.told, 'w', encoding='utf-8') as out, \
                open(self.told + '.err', 'w', encoding='utf-8') as err:
            self.process = subprocess.Popen(
                [FDLINK, 'connect', a, b, '--json'] + NO_SANDBOX +
                list(options), stdout=stdout or out, stderr=err)
        self.pid = self.process.pid
        atexit.register(self.process.kill)

    def fds(self):
        return len(os.listdir('/proc/%d/fd' % self.pid))

    def cpu(self):
        with open('/proc/%d/stat' % self.pid, encoding='ascii') as f:
            words = f.read().rpartition(')')[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf('SC_CLK_TCK')

    def lives(self):
        if self.process.poll() is None:
            return True
        with open(self.told + '.err', encoding='utf-8') as f:
            fail('%s ended with %d: %s' % (self.name, self.process.returncode,
                                           f.read()[-400:]))
        return False

    def rests(self):
        """Nothing is to be done: a spinning wire would use all of this."""
        before = self.cpu()
        time.sleep(1)
        if self.cpu() - before > .5:
            fail('%s uses CPU for nothing' % self.name)

    def end(self, status=0):
        if not self.lives():
            return
        self.process.terminate()
        got = self.process.wait(PATIENCE)
        if got != status:
            fail('%s: exit status %d' % (self.name, got))

    def counters(self):
        with open(self.told, encoding='utf-8') as f:
            last = f.read().strip().split('\n')[-1]
        return json.loads(last)

    def account(self):
        """Every packet that came went out, or is told of."""
        stats = self.counters()
        for one, other in ('a', 'b'), ('b', 'a'):
            here, there = stats[one], stats[other]
            came = (here['rx_packets'] + here['wire_duplicated'] +
                    there['wire_signals'])
            told = (there['tx_packets'] + there['tx_gso_cut'] -
                    there['tx_segments'] + here['wire_lost'] +
                    here['wire_held'] +
                    sum(n for name, n in there.items()
                        if name.startswith('tx_drop_')) +
                    sum(n for name, n in here.items()
                        if name.startswith('wire_drop_')))
            if came != told:
                fail('%s, from %s: %d came, %d are told of: %s' %
                     (self.name, one, came, told, stats))


class Flow(threading.Thread):
    """Numbered frames, so many a second, and how many of them arrive."""

    def __init__(self, name, into, out_of, inside=False):
        super().__init__(daemon=True)
        self.name, self.sent, self.came = name, 0, 0
        self.into = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.into.bind((into, 0))
        self.out = self.listen(out_of, inside)

    @staticmethod
    def listen(device, inside):
        if not inside:
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                              socket.htons(EXPERIMENT))
            s.bind((device, EXPERIMENT))
            return s
        # A thread moves there alone, and its socket stays there.
        made = []

        def make():
            with open('/proc/%s/ns/net' % PEER, 'rb') as ns:
                setns(ns.fileno())
            made.append(Flow.listen(device, False))
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return made[0]

    def take(self, seconds):
        self.out.settimeout(seconds)
        try:
            while self.out.recv(2048)[:12] != GOOD + OURS:
                pass
        except TimeoutError:
            return False
        self.came += 1
        return True

    def run(self):
        taker = threading.Thread(target=self.run_taker, daemon=True)
        taker.start()
        while not over.wait(1 / PACE):
            try:
                self.into.send(frame(GOOD, self.sent))
                self.sent += 1
            except OSError:     # the device's queue is full
                pass
        taker.join()

    def run_taker(self):
        while self.take(.5) or not over.is_set():
            pass

    def check(self):
        if self.came * 2 < self.sent or self.sent < PACE * SECONDS / 20:
            fail('the good flow %s: %d were sent, %d came' %
                 (self.name, self.sent, self.came))


def setns(fd):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, 0):
        raise OSError(ctypes.get_errno(), 'setns')


def up(*devices, inside=False):
    for device in devices:
        wait_for(device, lambda device=device: subprocess.run(
            (['nsenter', '-t', PEER, '-n'] if inside else []) +
            ['ip', 'link', 'set', device, 'up'], check=False,
            capture_output=True).returncode == 0)


def trouble(what):
    """A thread that does it until the end, and tells what went wrong."""
    def run():
        try:
            while not over.is_set():
                what()
        except Exception as error:      # pylint: disable=broad-except
            fail('%s: %r' % (what.__name__, error))
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def rest(most):
    over.wait(dice.uniform(0, most))


dice = random.Random(SEED)
wires = []


# Links that go down, get another name, move and come back.

def flap():
    ip('link', 'set', 'c0', 'down')
    rest(.1)
    ip('link', 'set', 'c0', 'name', 'other')
    ip('link', 'set', 'other', 'up')
    rest(.1)
    ip('link', 'set', 'other', 'netns', PEER)
    rest(.1)
    ip('link', 'set', 'other', 'netns', str(os.getpid()), inside=True)
    ip('link', 'set', 'other', 'name', 'c0')
    ip('link', 'set', 'c0', 'mtu', str(dice.choice((1280, 1500, 9000))))
    ip('link', 'set', 'c0', 'up')
    ip('link', 'set', 'd1', dice.choice(('down', 'up')), inside=True)
    rest(.1)


# One destination is forbidden, or one length, among many.

def forbid():
    for i in range(20):
        try:
            forbidden.send(frame(BAD, i, 64 if i % 2 else 1480))
        except OSError:
            pass
    rest(.1)


# Peers of unix sockets die, and come back under the same name and others.

def bound(kind, name):
    """A socket at that name, whoever had it before."""
    path = os.path.join(FOLDER, name)
    s = socket.socket(socket.AF_UNIX, kind)
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    s.bind(path)
    return s


def datagram_peer():
    s = bound(socket.SOCK_DGRAM, dice.choice(('one', 'other')))
    s.settimeout(.05)
    exchange(s, lambda data: s.sendto(data, os.path.join(FOLDER, 'dgram')))
    s.close()


def stream_peer():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(.05)
    try:
        s.connect(os.path.join(FOLDER, 'stream'))
        exchange(s, lambda data: s.sendall(struct.pack('!I', len(data)) +
                                           data))
        if dice.random() < .5:
            s.send(b'\0\0\1')   # half a length
    except OSError:
        rest(.1)
    s.close()
    met.append('stream')


def seqpacket_peer():
    """One that listens, and to whom the wire comes."""
    listener = bound(socket.SOCK_SEQPACKET, 'seqpacket')
    listener.listen(1)
    listener.settimeout(2)
    try:
        s = listener.accept()[0]
        s.settimeout(.05)
        exchange(s, s.send)
        s.close()
        met.append('seqpacket')
    except OSError:
        pass
    listener.close()


def exchange(s, send):
    for i in range(dice.randrange(20)):
        try:
            send(frame(GOOD, i))
            s.recv(4096)
        except OSError:
            pass


# Signals, a reader that is stopped, and a disk that is full.

def signals():
    for wire in dice.sample(wires, 2):
        if wire is not full:
            os.kill(wire.pid, dice.choice((
                signal.SIGUSR1, signal.SIGPIPE, signal.SIGWINCH,
                signal.SIGCONT)))
    rest(.2)


def stop_and_go():
    os.kill(flapping.pid, signal.SIGSTOP)
    rest(.1)
    os.kill(flapping.pid, signal.SIGCONT)
    rest(1)


def feed_all():
    """Something to lose on every wire."""
    for s in feeders:
        try:
            s.send(frame(GOOD, 0, 200))
        except OSError:
            pass
    rest(.01)


def feeder(device):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.bind((device, 0))
    s.setblocking(False)
    return s


def make_refused_link():
    """m0 - m1: m1 drops what is longer than its MTU, and nftables what is for
    BAD, where there is nftables."""
    ip('link', 'add', 'm0', 'type', 'veth', 'peer', 'name', 'm1')
    ip('link', 'set', 'm1', 'mtu', '1400')
    up('m0', 'm1')
    nft('add table netdev t; add chain netdev t e { type filter hook egress '
        'device m0 priority 0; }; add rule netdev t e ether daddr '
        '02:00:00:00:00:bd drop')


def nft(*words):
    return shutil.which('nft') is not None and \
        subprocess.run(['nft', *words], check=False,
                       capture_output=True).returncode == 0


def end(wire):
    """It does nothing, has nothing more open, and ends well."""
    if wire.lives() and wire is not full:
        wire.rests()
    if wire is full:
        wire.end(1)
        return
    wire.end()
    if not wrong:
        wire.account()


try:
    make_refused_link()
except (OSError, subprocess.SubprocessError) as error:
    sys.exit('chaos: %s' % error)

met = []
with open('/dev/full', 'w', encoding='utf-8') as disk:
    full = Wire('full', 'tap:f0', 'tap:f1', '--stats', '1', stdout=disk)
good = Wire('good', 'tap:g0', 'tap:g1,' + NETNS)
refusing = Wire('refusing', 'tap:h0', 'packet:m0')
flapping = Wire('flapping', 'tap:c0', 'tap:d1,' + NETNS)
datagram = Wire('datagram', 'tap:i0', 'unixgram:%s/dgram,listen' % FOLDER)
stream = Wire('stream', 'tap:j0', 'stream:%s/stream,listen,reconnect' % FOLDER)
seqpacket = Wire('seqpacket', 'tap:k0',
                 'seqpacket:%s/seqpacket,reconnect' % FOLDER)
lossy = Wire('lossy', 'tap:l0', 'tap:l1', '--delay', '5ms', '--jitter', '2ms',
             '--loss', '1', '--reorder', '5', '--duplicate', '5')
wires = [full, good, refusing, flapping, datagram, stream, seqpacket, lossy]
up('f0', 'f1', 'g0', 'h0', 'c0', 'i0', 'j0', 'k0', 'l0', 'l1')
up('g1', 'd1', inside=True)
for path in 'dgram', 'stream':
    wait_for(path, lambda path=path: os.path.exists(
        os.path.join(FOLDER, path)))
fds = {wire: wire.fds() for wire in wires}
flows = [Flow('beside', 'g0', 'g1', inside=True),
         Flow('refusing', 'h0', 'm1')]
forbidden = feeder('h0')
feeders = [feeder(name) for name in ('f0', 'i0', 'j0', 'k0', 'l0')]
threads = [trouble(what) for what in (
    flap, forbid, datagram_peer, stream_peer, seqpacket_peer, signals,
    stop_and_go, feed_all)]
for flow in flows:
    flow.start()
over.wait(SECONDS)
over.set()
for thread in threads + flows:
    thread.join(PATIENCE)
os.kill(flapping.pid, signal.SIGCONT)
for flow in flows:
    flow.check()
# Peers come and go: a socket more, or one less.
for wire in wires:
    if wire.lives() and abs(wire.fds() - fds[wire]) > 4:
        fail('%s had %d fds open, and has %d' % (wire.name, fds[wire],
                                                 wire.fds()))
for kind in 'stream', 'seqpacket':
    if met.count(kind) < 2:
        fail('%s peers: %d were met' % (kind, met.count(kind)))
for wire in wires:
    end(wire)
if not wrong:
    stats = refusing.counters()['b']
    if not stats['tx_drop_refused'] + stats['tx_drop_invalid']:
        fail('nothing was refused')
if wrong:
    sys.exit('chaos, seed %d:\n%s' % (SEED, '\n'.join(wrong)))
print('chaos: %d s, %d peers met, good flows %s%s' % (
    SECONDS, len(met), ', '.join('%d of %d' % (f.came, f.sent)
                                 for f in flows),
    '' if nft('list', 'table', 'netdev', 't') else
    '; no nftables: only lengths were forbidden'))
