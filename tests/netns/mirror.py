# SPDX-License-Identifier: Apache-2.0
"""A mirror in somebody else's event loop (examples/mirror_uv.c): each packet comes
back, in order. Where nobody reads, nothing is lost, nothing spins, and the loop
can be woken.

    mirror.py MIRROR
"""

import socket
import struct
import subprocess
import sys
import time

from wire_process import PATIENCE, rests

HEAD = bytes.fromhex('020000000002' '020000000001' '88b5')
POOL = 256


def packet(number):
    """IPv4, of a protocol for experiments."""
    return bytes.fromhex('45000040' '00000000' '40fd0000' 'c0000201'
                         'c0000202') + struct.pack('!I', number) + bytes(40)


def frame(number):
    return HEAD + struct.pack('!I', number) + bytes(60)


class Mirror:
    def __init__(self, locator, fds=()):
        self.process = subprocess.Popen(
            [sys.argv[1], locator], pass_fds=fds, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def held(self):
        """The loop's answer to a line, which another thread has read."""
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        return int(self.process.stdout.readline().split()[0])

    def wait_for_held(self, n):
        while self.held() != n:
            time.sleep(0.01)

    def end(self):
        """What it said as it ended by itself."""
        said = self.process.communicate(timeout=PATIENCE)[1]
        assert self.process.returncode == 1, self.process.returncode
        return said

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.process.kill()
        self.process.wait()


def send_until_full(peer, n):
    try:
        while True:
            peer.send(packet(n), socket.MSG_DONTWAIT)
            n += 1
    except BlockingIOError:
        return n


def fill(peer, mirror):
    """Until neither the peer nor the mirror has room. Returns how many went."""
    peer.setblocking(False)
    n = send_until_full(peer, 0)
    while mirror.held() != POOL:
        n = send_until_full(peer, n)
    # What the mirror read last has made room for some.
    n = send_until_full(peer, n)
    peer.settimeout(PATIENCE)
    return n


def over_sockets():
    peer, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    peer.settimeout(PATIENCE)
    with Mirror('fd:%d' % other.fileno(), [other.fileno()]) as mirror:
        other.close()
        for i in range(100):
            peer.send(packet(i))
            assert peer.recv(2048) == packet(i)
        sent = fill(peer, mirror)
        rests(mirror.process.pid)
        for i in range(sent):
            assert peer.recv(2048) == packet(i), 'packet %d of %d' % (i, sent)
        mirror.wait_for_held(0)
        peer.send(packet(sent))
        assert peer.recv(2048) == packet(sent), 'it does not go on'
        peer.close()
        said = mirror.end()
        assert 'has ended' in said, said
    print('sockets: %d packets waited' % sent)


def over_a_tap():
    with Mirror('tap:fdl0') as mirror:
        # It answers when the loop runs; the device is there before.
        mirror.held()
        subprocess.run(['ip', 'link', 'set', 'fdl0', 'up'], check=True)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as peer:
            peer.settimeout(PATIENCE)
            peer.bind(('fdl0', 0x88b5))
            for i in range(1000):
                peer.send(frame(i))
                assert peer.recv(2048) == frame(i)
        subprocess.run(['ip', 'link', 'del', 'fdl0'], check=True)
        said = mirror.end()
        assert 'No such device' in said, said
    print('tap: 1000 frames came back')


over_sockets()
over_a_tap()
