# SPDX-License-Identifier: Apache-2.0
"""A wire that is not in order does as its options say, and the same each time.

    impair.py FDLINK [OPTION]...

fdlink connect is between two unix sockets. Numbered frames go in at one end, or
at both. OPTIONs are for it, too.
"""

import array
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

FRAMES = 3000
HEAD = bytes.fromhex('020000000002' '020000000001' '88b5')
REST = bytes(50)
DELAY = 20
LATENESS = 200
OPTIONS = ['--loss', '5,0', '--duplicate', '3', '--reorder', '2,4',
           '--delay', '%dms' % DELAY, '--late', '%dms' % LATENESS]
COUNTERS = 'wire_lost', 'wire_duplicated', 'wire_late'


def die(text, *args):
    sys.exit('impair: ' + text % args)


class End:
    """One end of the wire: what is to be sent, and what has come."""

    def __init__(self, path, frames):
        self.sent, self.frames = 0, frames
        self.found, self.ages = [], []
        self.open = True
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        while self.socket.connect_ex(path):
            # It does not listen yet, or not on this one.
            select.select([], [], [], 0.01)
        self.socket.setblocking(False)

    def fileno(self):
        return self.socket.fileno()

    def has_more(self):
        return self.sent < self.frames

    def send(self):
        body = struct.pack('>Id', self.sent, time.monotonic()) + REST
        try:
            self.socket.send(HEAD + body)
        except BlockingIOError:
            return
        self.sent += 1

    def receive(self):
        got = self.socket.recv(2048)
        if not got:
            self.open = False
        elif got[:14] != HEAD or got[26:] != REST:
            die('another frame than was sent: %r', got)
        else:
            number, when = struct.unpack('>Id', got[14:26])
            self.found.append(number)
            self.ages.append((time.monotonic() - when) * 1000)

    def is_read(self):
        """By the wire, all that was sent."""
        queued = array.array('i', [0])
        fcntl.ioctl(self.socket, termios.TIOCOUTQ, queued)
        return not self.has_more() and not queued[0]

    def due(self, counters, column):
        """So many come out at the other end of it."""
        return (self.frames - counters['wire_lost'][column] +
                counters['wire_duplicated'][column])


def ask(process):
    """{counter: [that of A, that of B]}"""
    process.send_signal(signal.SIGUSR1)
    counters = dict.fromkeys(COUNTERS, [0, 0])
    for line in process.stdout:
        words = line.split()
        if len(words) == 3 and words[1].isdigit():
            counters[words[0]] = [int(w) for w in words[1:]]
            if words[0] == 'wire_held':
                return counters
    die('it has ended')


def have_all(process, ends):
    """What was sent is read, and what that became has come."""
    if not all(e.is_read() for e in ends):
        return None
    counters = ask(process)
    if any(counters['rx_packets'][i] != e.frames for i, e in enumerate(ends)):
        return None
    if all(len(ends[1 - i].found) == e.due(counters, i)
           for i, e in enumerate(ends)):
        return counters
    return None


def exchange(process, ends):
    """Returns the wire's counters."""
    while True:
        readable, writable, _ = select.select(
            ends, [e for e in ends if e.has_more()], [], 0.05)
        for e in writable:
            e.send()
        for e in readable:
            e.receive()
        if not readable and not writable:
            counters = have_all(process, ends)
            if counters:
                return counters
        if not all(e.open for e in ends):
            die('it has ended')


def run(command, options, both):
    """Returns what came from either end, and what the wire says of it."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in 'ab']
        process = subprocess.Popen(
            command[:1] + ['connect'] +
            ['seqpacket:%s,listen,wait' % p for p in paths] + command[1:] + options,
            stdout=subprocess.PIPE, text=True)
        try:
            ends = [End(paths[0], FRAMES), End(paths[1], FRAMES * both)]
            if 'up' not in process.stdout.readline():
                die('it is not up')
            counters = exchange(process, ends)
        finally:
            process.terminate()
            process.communicate()
    if process.returncode:
        die('exit status %d', process.returncode)
    for e in ends:
        check_ages(e, DELAY if options else 0)
    return ends[1].found, ends[0].found, {c: counters[c] for c in COUNTERS}


def out_of_order(found):
    """Which came after a later one."""
    top = -1
    for i, number in enumerate(found):
        if number < top:
            yield i
        top = max(top, number)


def check_ages(end, least):
    """Milliseconds. That it took longer is nobody's fault."""
    late = set(out_of_order(end.found))
    for i, age in enumerate(end.ages):
        if age < least + (LATENESS if i in late else 0):
            die('frame %d took %.1f ms', end.found[i], age)


def check(name, permille, got):
    want = FRAMES * permille / 1000
    if not want * 0.6 <= got <= want * 1.4:
        die('%s: %d of %d were %s', OPTIONS, got, FRAMES, name)


def main():
    wire = sys.argv[1:]
    there, back, said = run(wire, OPTIONS, True)
    check('lost', 50, FRAMES - len(set(there)))
    check('doubled', 30, len(there) - len(set(there)))
    check('lost', 0, FRAMES - len(set(back)))
    for found, most in (there, 20), (back, 40):
        late = len(list(out_of_order(found)))
        if not 0 < late <= FRAMES * most / 1000 * 1.4:
            die('%s: %d came late', OPTIONS, late)
    again = run(wire, OPTIONS, True)
    if [sorted(there), sorted(back), said] != [sorted(again[0]),
                                               sorted(again[1]), again[2]]:
        die('not the same again: %s, then %s', said, again[2])
    alone = run(wire, OPTIONS, False)
    if sorted(alone[0]) != sorted(there) or alone[1]:
        die('one way depends on the other')
    if sorted(run(wire, OPTIONS + ['--seed', '2'], False)[0]) == sorted(there):
        die('another seed is the same choice')
    perfect = run(wire, [], False)[0]
    if perfect != list(range(FRAMES)):
        die('a perfect wire is none')
    print(said)


main()
