# SPDX-License-Identifier: Apache-2.0
"""The kernel's side of tso.sh: what the host sends arrives as it was sent.

    tso_peer.py [WORD=VALUE]... HOST

bytes=N         so many from the host's chargen, verified (1 MiB)
echo=N          so many to the echo service and back, verified
page=1          the page of statistics, to its end
streams=N       at once (1)
rcvbuf=N        SO_RCVBUF
mss=N[,N]...    TCP_MAXSEG, of one stream after the other
pause=MS        read nothing for so long, again and again, PAUSES times

Prints the seconds it took.
"""

import json
import os
import socket
import sys
import threading
import time

LIMIT = 60
PAUSES = 5


def pattern():
    """What chargen repeats."""
    return b''.join(bytes(32 + (n + i) % 95 for i in range(72)) + b'\r\n'
                    for n in range(95))


PERIOD = pattern()
PATTERN = PERIOD * 20


def connect(words, port, number):
    host = words['host']
    s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    s.settimeout(LIMIT)
    if 'rcvbuf' in words:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                     int(words['rcvbuf']))
    if 'mss' in words:
        found = words['mss'].split(',')
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG,
                     int(found[number % len(found)]))
    s.connect((host, port))
    return s


def receive(s, size, words, expected):
    """expected(at, n) is what comes at that place."""
    pause = float(words.get('pause', 0)) / 1000
    at = 0
    pauses = 0
    while at < size:
        if pause and at >= size * pauses // PAUSES:
            pauses += 1
            time.sleep(pause)
        got = s.recv(min(size - at, 65536))
        if not got:
            raise EOFError('ended after %d of %d bytes' % (at, size))
        if got != expected(at, len(got)):
            raise ValueError('wrong bytes at %d' % at)
        at += len(got)


def made_up(at, n):
    at %= len(PERIOD)
    return PATTERN[at:at + n]


def chargen(words, number):
    with connect(words, 19, number) as s:
        receive(s, int(words.get('bytes', 1 << 20)), words, made_up)


def echo(words, number):
    data = os.urandom(int(words['echo']))
    with connect(words, 7, number) as s:
        writer = threading.Thread(target=s.sendall, args=(data,), daemon=True)
        writer.start()
        receive(s, len(data), words, lambda at, n: data[at:at + n])


def page(words, number):
    with connect(words, 80, number) as s:
        s.sendall(b'GET /stats.json HTTP/1.0\r\n\r\n')
        got = b''
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            got += piece
    json.loads(got.split(b'\r\n\r\n', 1)[1])


def main():
    words = dict(w.split('=') for w in sys.argv[1:-1])
    words['host'] = sys.argv[-1]
    run = next((f for name, f in (('echo', echo), ('page', page))
                if name in words), chargen)
    failed = []

    def one(number):
        try:
            run(words, number)
        # Of any kind: a thread's own end is noticed by nobody.
        except Exception as error:
            failed.append(repr(error))

    start = time.monotonic()
    threads = [threading.Thread(target=one, args=(i,))
               for i in range(int(words.get('streams', 1)))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failed:
        sys.exit('tso_peer: %s' % failed[0])
    print('%.3f' % (time.monotonic() - start))


main()
