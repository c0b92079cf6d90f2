# SPDX-License-Identifier: Apache-2.0
import socket
import subprocess
import time

import pytest

import fdlink

BROADCAST = b'\xff' * 6
SOURCE = bytes.fromhex('020000000001')


def frame(n=0, size=64):
    """An Ethernet frame of a protocol that nobody else speaks."""
    return (BROADCAST + SOURCE + b'\x88\xb5' + n.to_bytes(4, 'big') +
            bytes(i & 255 for i in range(size - 18)))


def udp(n):
    """Datagrams of one flow, with their checksums."""
    net = b''.join([b'\x45\0\0\x34', n.to_bytes(2, 'big'),
                    b'\x40\0\x40\x11', (0xb6b5 - n).to_bytes(2, 'big'),
                    bytes.fromhex('c0000201' 'c0000202')])
    head = bytes.fromhex('04000401' '0020')
    body = n.to_bytes(4, 'big') + bytes(20)
    total = checksum(net[12:] + b'\0\x11\0\x20' + head + body) ^ 0xffff
    return (BROADCAST + SOURCE + b'\x08\0' + net + head +
            total.to_bytes(2, 'big') + body)


def checksum(data):
    total = sum(int.from_bytes(data[i:i + 2], 'big')
                for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def ip(*args):
    subprocess.run(['ip', *args], check=True)


def await_running(dev):
    """A device drops what is sent before the kernel has made it active."""
    end = time.monotonic() + 60
    while b'state UP' not in subprocess.run(
            ['ip', 'link', 'show', dev], check=True,
            capture_output=True).stdout:
        assert time.monotonic() < end, dev
        time.sleep(.001)
    # The state comes a moment before, but under the lock that any change of a
    # device takes.
    ip('link', 'set', dev, 'up')


@pytest.fixture
def veth():
    """The names of the two ends of a pair, both up."""
    ip('link', 'add', 'name', 'fdl-a', 'type', 'veth', 'peer', 'name', 'fdl-b')
    try:
        ip('link', 'set', 'fdl-a', 'up')
        ip('link', 'set', 'fdl-b', 'up')
        await_running('fdl-a')
        await_running('fdl-b')
        yield 'fdl-a', 'fdl-b'
    finally:
        ip('link', 'del', 'fdl-a')


@pytest.fixture
def ends(veth):
    """Endpoints on the two ends."""
    with fdlink.open('packet:' + veth[0]) as a, \
            fdlink.open('packet:' + veth[1]) as b:
        yield a, b


def receive(ep, n):
    """Copies of the next n packets."""
    found = []
    while len(found) < n:
        with ep.recv(n - len(found), timeout=60) as batch:
            assert batch, 'only %d of %d packets came' % (len(found), n)
            found += batch.tobytes()
    return found


def pair(**options):
    """Two endpoints over a unix socket; the options are the second one's."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        return (fdlink.from_fds([one.fileno()], flags=fdlink.ETHERNET),
                fdlink.from_fds([other.fileno()], flags=fdlink.ETHERNET,
                                **options))
