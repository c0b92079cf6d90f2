# SPDX-License-Identifier: Apache-2.0
"""Peers of a wire that send rubbish, parts, or nothing but empty messages, one
after the other. The next one is served, and each packet is accounted for.

    rubbish.py FDLINK [OPTION]...
"""

import json
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from wire_process import PATIENCE, frame, pair, rests, wait_until

HELLO = b'VFKT'
HEADERS = {'': b'', ',offload=on': bytes(10),
           ',offload=v1': bytes(10) + b'\1\0'}
dice = random.Random(1)


class Peer:
    """Who connects to the wire; a message is a frame."""

    names = 0

    def __init__(self, path, kind, header=b'', hello=b''):
        self.header, self.stream = header, kind == socket.SOCK_STREAM
        self.socket = socket.socket(socket.AF_UNIX, kind)
        self.socket.settimeout(.2)
        if kind == socket.SOCK_DGRAM:
            Peer.names += 1
            self.socket.bind('%s.%d' % (path, Peer.names))
        wait_until('place for a peer', lambda: self.connects(path))
        if hello:
            self.socket.send(hello)

    def connects(self, path):
        """A datagram socket has to find that the peer before has gone, a listener
        has only so many waiting, and one that is bound may not listen yet."""
        try:
            self.socket.connect(path)
            return True
        except (BlockingIOError, ConnectionRefusedError, PermissionError):
            return False

    def send(self, data):
        data = self.header + data
        self.raw(struct.pack('!I', len(data)) + data if self.stream else data)

    def raw(self, data):
        self.socket.sendall(data)

    def takes(self, data):
        """Whether that frame comes; those before it are gone then."""
        try:
            while data not in self.socket.recv(1 << 17):
                pass
        except TimeoutError:
            return False
        return True


# Of streams.

def random_bytes(peer):
    peer.raw(dice.randbytes(5000))


def part_of_a_frame(peer):
    whole = struct.pack('!I', 78) + frame(1)
    peer.raw(whole[:dice.randrange(1, len(whole))])


def a_length_over_the_limit(peer):
    peer.raw(struct.pack('!I', dice.choice((100000, 1 << 31, 0xffffffff))) +
             bytes(1000))


def empty_frames(peer):
    peer.raw(bytes(400000))


def byte_by_byte(peer):
    for byte in struct.pack('!I', 3) + b'abc':
        peer.raw(bytes([byte]))


# Of messages.

def empty_messages(peer):
    for _ in range(100):
        peer.raw(b'')


def random_messages(peer):
    for _ in range(100):
        peer.raw(dice.randbytes(dice.randrange(1, 3000)))


def long_messages(peer):
    for size in 65535, 65600, 66000, 100000, 150000:
        peer.raw(bytes(size))


def frames_before_the_hello(peer):
    for _ in range(20):
        peer.send(frame(9))
    for text in HELLO, HELLO, HELLO * 2, HELLO[:3]:
        peer.raw(text)


STREAM = (random_bytes, part_of_a_frame, a_length_over_the_limit, empty_frames,
          byte_by_byte)
MESSAGES = (empty_messages, random_messages, long_messages,
            frames_before_the_hello)


def serves(near, peer):
    """A peer that behaves, both ways."""
    number = [1000]
    came = set()

    def across():
        number[0] += 1
        data = frame(number[0])
        near.send(data)
        if peer.takes(data):
            came.add('out')
        peer.send(data)
        near.settimeout(.2)
        try:
            while near.recv(1 << 17) != data:
                pass
            came.add('in')
        except TimeoutError:
            pass
        near.settimeout(PATIENCE)
        return len(came) == 2
    wait_until('frames of a good peer', across)


def drain(near):
    """What nobody takes would keep the wire from the other link."""
    near.settimeout(.2)
    try:
        while near.recv(1 << 17):
            pass
    except TimeoutError:
        pass
    near.settimeout(PATIENCE)


def account(stats):
    for one, other in ('a', 'b'), ('b', 'a'):
        here, there = stats[one], stats[other]
        told = (there['tx_packets'] + here['wire_held'] +
                sum(n for name, n in there.items()
                    if name.startswith('tx_drop_')))
        assert here['rx_packets'] == told, (one, stats)


def meets(kind, locator, evils, header, hello):
    with tempfile.TemporaryDirectory(prefix='fdlink-test.') as folder:
        path = os.path.join(folder, 'link')
        near, a = pair()
        process = subprocess.Popen(
            [sys.argv[1], 'connect', 'fd:%d' % a.fileno(),
             locator.format(path), '--json'] + sys.argv[2:],
            pass_fds=[a.fileno()], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        a.close()
        wait_until('socket', lambda: os.path.exists(path))
        for evil in evils:
            for _ in range(3):
                bad = Peer(path, kind, header)
                try:
                    evil(bad)
                except OSError:     # the wire has hung up, or is full
                    pass
                bad.socket.close()
                drain(near)
            good = Peer(path, kind, header, hello)
            serves(near, good)
            good.socket.close()
            assert process.poll() is None, evil.__name__
        rests(process.pid)
        process.terminate()
        said = process.communicate()[0]
        near.close()
        assert process.returncode == 0, process.returncode
        account(json.loads(said.strip().split('\n')[-1]))
        print(locator.format('PATH') + ': passed')


# Each wire waits most of the time, a second for each datagram peer that has
# gone.
with ThreadPoolExecutor(1 + 3 * len(HEADERS)) as pool:
    rows = [pool.submit(meets, socket.SOCK_DGRAM, 'unixgram:{},listen,vfkit',
                        MESSAGES, b'', HELLO)]
    for words, head in HEADERS.items():
        rows += [pool.submit(meets, kind, locator + words, evils, head, b'')
                 for kind, locator, evils in (
                     (socket.SOCK_STREAM, 'stream:{},listen,reconnect',
                      STREAM),
                     (socket.SOCK_SEQPACKET, 'seqpacket:{},listen,reconnect',
                      MESSAGES),
                     (socket.SOCK_DGRAM, 'unixgram:{},listen', MESSAGES))]
    for row in rows:
        row.result()
