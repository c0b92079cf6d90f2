#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Strangers, and a good client beside them."""
import os
import resource
import select
import signal
import socket
import struct
import sys

HOST, PID = sys.argv[1], int(sys.argv[2])
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


def state_of(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii') as file:
        return file.read().rsplit(')', 1)[1].split()[0]


def check_crowded(raw, port):
    """A good client, among more half-open ones than there is room for: when its
    answer comes, its place is taken. The host sleeps until all are there, and
    the TAP has room for them."""
    def strangers(first, end):
        for i in range(first, end):
            raw.sendto(syn(f'192.0.2.{3 + i % 250}', 1024 + i, port), (HOST, 0))

    os.kill(PID, signal.SIGSTOP)
    while state_of(PID) != 'T':
        pass
    with socket.socket() as sock:
        strangers(0, 200)
        sock.setblocking(False)
        sock.connect_ex((HOST, port))
        strangers(200, 490)
        os.kill(PID, signal.SIGCONT)
        sock.settimeout(60)
        select.select([], [sock], [], 60)
        sock.sendall(b'GET / HTTP/1.0\r\n\r\n')
        assert sock.recv(5, socket.MSG_WAITALL) in (b'GET /', b'HTTP/')


def check_flood():
    with socket.socket(socket.AF_INET, socket.SOCK_RAW,
                       socket.IPPROTO_RAW) as raw:
        for port in 7, 80:
            check_crowded(raw, port)


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


resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
for p in 7, 9, 80:
    check_silent(p)
check_ports()
check_half_open()
check_flood()
