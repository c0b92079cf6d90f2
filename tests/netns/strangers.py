#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Strangers, and a good client beside them."""
import resource
import socket
import struct
import subprocess
import sys

HOST = sys.argv[1]
ROOM = 256      # connections of a port
HALF_OPEN = 5000


def check_sum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def syn(source, sport, port):
    """An IPv4 packet, from an address of somebody else."""
    addresses = socket.inet_aton(source) + socket.inet_aton(HOST)
    tcp = struct.pack('>HHIIBBHHH', sport, port, sport, 0, 5 << 4, 2, 8192, 0,
                      0)
    total = check_sum(addresses + struct.pack('>HH', 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack('>H', total) + tcp[18:]
    return struct.pack('>BBHHHBBH', 0x45, 0, 40, 0, 0, 64, 6, 0) + addresses \
        + tcp


def serves(port):
    """A good client gets what the port offers."""
    with socket.create_connection((HOST, port), 60) as sock:
        if port == 7:
            sock.sendall(b'hello')
            assert sock.recv(5, socket.MSG_WAITALL) == b'hello'
        elif port == 19:
            assert len(sock.recv(1000, socket.MSG_WAITALL)) == 1000
        elif port == 80:
            sock.sendall(b'GET / HTTP/1.0\r\n\r\n')
            assert sock.recv(12, socket.MSG_WAITALL) == b'HTTP/1.1 200'
        else:
            sock.sendall(b'a')


def check_half_open():
    """Many of them, and again behind each good client."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW,
                       socket.IPPROTO_RAW) as raw:
        for i in range(HALF_OPEN):
            raw.sendto(syn(f'192.0.2.{3 + i % 250}', 1024 + i,
                           (7, 9, 19, 80)[i % 4]), (HOST, 0))
            if i % 500 == 499:
                for port in 7, 9, 19, 80:
                    serves(port)


def flood():
    """For good. A good client's answer comes behind more of them than there is
    room for."""
    syns = [(syn(f'192.0.2.{3 + i % 250}', 1024 + i, port), (HOST, 0))
            for i in range(1000) for port in (7, 80)]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW,
                       socket.IPPROTO_RAW) as raw:
        while True:
            for packet in syns:
                raw.sendto(*packet)
            sys.stderr.write('.')


def check_flood():
    """None of the good clients gets a reset."""
    with subprocess.Popen([sys.executable, __file__, HOST, 'flood'],
                          stderr=subprocess.PIPE) as child:
        try:
            for _ in range(20):
                assert child.stderr.read(1) == b'.'
                serves(7)
                serves(80)
        finally:
            child.kill()


def is_open(sock):
    sock.setblocking(False)
    try:
        return sock.recv(1) != b''
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


def check_silent(port):
    """The first to come have been silent for longest."""
    strangers = [socket.create_connection((HOST, port), 60)
                 for _ in range(ROOM + 50)]
    serves(port)
    # The host's resets are older than this answer.
    assert not any(is_open(sock) for sock in strangers[:20])
    assert all(is_open(sock) for sock in strangers[-20:])
    for sock in strangers:
        sock.close()


def check_ports():
    """The server closes first: its side of a port is in TIME-WAIT."""
    for i in range(300):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.settimeout(60)
            sock.bind(('', 20000 + i % 20))
            sock.connect((HOST, 80))
            sock.sendall(b'GET / HTTP/1.0\r\n\r\n')
            got = b''
            while part := sock.recv(65536):
                got += part
        assert got.startswith(b'HTTP/1.1 200'), (i, got)


if sys.argv[2:] == ['flood']:
    flood()
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
for p in 7, 9, 80:
    check_silent(p)
check_ports()
check_half_open()
check_flood()
