#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP by bare sockets: what no client library lets one send."""
import socket
import sys
import threading

HOST = sys.argv[1]
FIELD = b'Host: ' + HOST.encode() + b'\r\n'
GET = b'GET /stats.json HTTP/1.1\r\n' + FIELD + b'\r\n'


def connect():
    return socket.create_connection((HOST, 80), 60)


def read_all(sock):
    """Up to the end of the connection, which must not be a reset."""
    got = b''
    while True:
        part = sock.recv(65536)
        if not part:
            return got
        got += part


def answers(got):
    """The status and head of each; all have a length that is right."""
    found = []
    while got:
        head, got = got.split(b'\r\n\r\n', 1)
        lines = head.decode().split('\r\n')
        fields = dict(line.split(': ', 1) for line in lines[1:])
        length = int(fields['Content-Length'])
        assert len(got) >= length, (head, len(got))
        got = got[length:]
        found.append((int(lines[0].split()[1]), fields))
    return found


def ask(data, status, half_close=False, pieces=None):
    """One answer, then the end, whatever it takes to send all of it."""
    with connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), pieces or len(data)):
            sock.sendall(data[at:at + (pieces or len(data))])
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        found = answers(read_all(sock))
    assert [s for s, _ in found] == [status], (data[:60], status, found)
    return found[0][1]


def check_forms():
    ask(b'GET / HTTP/1.0\n\n', 200)
    ask(b'\r\n\r\nGET / HTTP/1.0\r\n\r\n', 200)
    ask(GET, 200, half_close=True)
    ask(b'GET http://a/ HTTP/1.0\r\n\r\n', 200, pieces=1)
    ask(b'GET /\0 HTTP/1.0\r\n\r\n', 400)
    ask(b'\0' * 100, 400)
    ask(b'GET / HTTP/1.1\r\n\r\n', 400)
    ask(b'GET', 400, half_close=True)
    ask(b'GET / HTTP/3.0\r\n\r\n', 505)
    fields = ask(GET[:-2] + b'Connection: close\r\n\r\n', 200)
    assert fields['Connection'] == 'close', fields
    fields = ask(GET, 200)
    assert fields['Connection'] == 'close', fields


def check_long():
    """The peer reads only when it has sent all of it."""
    ask(b'GET /' + b'a' * 8000000, 414)
    ask(b'GET / HTTP/1.1\r\n' + b'a: b\r\n' * 1000000, 431)
    ask(b'POST / HTTP/1.1\r\n' + FIELD + b'Content-Length: 8000000\r\n\r\n' +
        b'a' * 8000000, 413)


def check_pipeline():
    """In order, and so many to a connection."""
    with connect() as sock:
        sock.sendall(GET * 3 + b'GET /none HTTP/1.0\r\n\r\n' + GET)
        found = answers(read_all(sock))
    assert [s for s, _ in found] == [200] * 3 + [404], found
    with connect() as sock:
        sock.sendall(GET * 1000)
        found = answers(read_all(sock))
    assert [s for s, _ in found] == [200] * 100, len(found)
    assert all('Connection' not in f for _, f in found[:-1])
    assert found[-1][1]['Connection'] == 'close', found[-1]


def check_silence():
    """At the same time: nothing, a part, slowly, and nothing more."""
    def slowly(sock):
        try:
            for i in range(0, 200):
                sock.sendall(GET[i:i + 1] if i < 40 else b'a')
                if stop.wait(0.3):
                    return
        except OSError:
            pass

    stop = threading.Event()
    nothing, part, slow, idle = [connect() for _ in range(4)]
    part.sendall(b'GET / HTTP/1.1\r\n')
    threading.Thread(target=slowly, args=(slow,)).start()
    idle.sendall(GET[:-2] + b'Connection: keep-alive\r\n\r\n')
    try:
        for sock, expected in (nothing, [408]), (part, [408]), (slow, [408]):
            found = answers(read_all(sock))
            assert [s for s, _ in found] == expected, found
            assert found[0][1]['Connection'] == 'close', found
        found = answers(read_all(idle))
        assert [s for s, _ in found] == [200], found
    finally:
        stop.set()


for check in check_forms, check_long, check_pipeline, check_silence:
    check()
