# SPDX-License-Identifier: Apache-2.0
"""The control socket and clients of every sort: none holds the wire up.

    control.py FDLINK [OPTION]...
"""

import json
import os
import resource
import socket
import sys
import tempfile
import threading
import time

from wire_process import PATIENCE, carries, rests, wait_until, wire

NOBODY = 65534
MANY = 200
BOUND = 40              # of files that clients may make the wire have open


def client(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(PATIENCE)
    s.connect(path)
    return s


def get(path, page='/stats.json'):
    """Returns the status and the body."""
    with client(path) as s:
        s.sendall(b'GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' %
                  page.encode())
        data = b''
        while more := s.recv(65536):
            data += more
    head, _, body = data.partition(b'\r\n\r\n')
    return int(head.split()[1]) if head else 0, body


def answers(path):
    try:
        return get(path)[0] == 200
    except OSError:
        return False


def as_nobody(what):
    """Returns what it returns, in a process of another user's; None where there
    is no other user."""
    out, into = os.pipe()
    pid = os.fork()
    if not pid:
        result = 255
        try:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            result = what()
        except PermissionError:
            result = 1
        except OSError:
            result = 2
        os.write(into, json.dumps(result).encode())
        os._exit(0)
    os.close(into)
    os.waitpid(pid, 0)
    result = json.loads(os.read(out, 100))
    os.close(out)
    return result


def another_user_is_refused(path, _process, one, other):
    if os.geteuid() or as_nobody(lambda: 0) != 0:
        print('another user: skipped: there is none')
        return
    folder = os.path.dirname(path)
    os.chmod(folder, 0o755)
    assert as_nobody(lambda: get(path)[0]) == 1, 'its mode keeps nobody out'
    # Whoever opens the file to others is not who answers them.
    os.chmod(path, 0o666)
    for page in '/stats.json', '/link', '/nothing':
        assert as_nobody(lambda page=page: get(path, page)[0]) == 403, page
    os.chmod(path, 0o600)
    assert answers(path)
    carries(one, other)


def only_its_pages_are_there(path, _process, one, other):
    """A page has one spelling, and its escapes; a NUL does not end one."""
    for page in '/link', '/%6cink', '/link?x=1', '/stats.json', '/metrics':
        assert get(path, page)[0] == 200, page
    for page in ('/', '/links', '/link/', '//link', '/link%2500', '/link%00',
                 '/link%00x', '/%00/link', '/stats.json%00', '/metrics%00.old'):
        status, body = get(path, page)
        assert status == 404, '%s: %d' % (page, status)
        assert b'/stats.json, /metrics and /link' in body, body
    carries(one, other)


def fds(process):
    return len(os.listdir('/proc/%d/fd' % process.pid))


def many_are_bounded(path, process, one, other):
    before = fds(process)
    clients = []
    for _ in range(MANY):
        s = socket.socket(socket.AF_UNIX)
        s.setblocking(False)
        try:
            s.connect(path)
        except BlockingIOError:
            s.close()
            break
        s.send(b'GET /stats.json HTTP/1.1\r\nHost: x\r\n')   # and no end
        clients.append(s)
        carries(one, other, 3)
    assert fds(process) <= before + BOUND, '%d files' % fds(process)
    rests(process.pid)
    carries(one, other)
    for s in clients:
        s.close()
    wait_until('answer after many clients', lambda: answers(path))
    wait_until('end of their connections',
               lambda: fds(process) <= before + 1)


def slow_ones_hold_nobody(path, process, one, other):
    """One that sends a byte now and then, one that reads nothing."""
    over = threading.Event()

    def drip():
        with client(path) as s:
            for byte in b'GET /metrics HTTP/1.1\r\nX: ' + b'x' * 1000:
                if over.wait(.05):
                    return
                try:
                    s.send(bytes([byte]))
                except OSError:     # told to go, after some time
                    return

    def read_nothing():
        with client(path) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            s.settimeout(.2)
            while not over.is_set():
                try:
                    s.send(b'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
                except TimeoutError:
                    pass
                except OSError:
                    return

    threads = [threading.Thread(target=f) for f in (drip, read_nothing)]
    for t in threads:
        t.start()
    for _ in range(20):
        carries(one, other)
        assert answers(path), 'they hold the others back'
    rests(process.pid)
    over.set()
    for t in threads:
        t.join()


def requests_in_one_piece(path, process, one, other):
    """All that a client asks in one write is answered at once, although the wire
    finds only the first request in the socket."""
    one_of = b'GET /link HTTP/1.1\r\nHost: x\r\n%s\r\n'
    until = time.monotonic() + PATIENCE
    data = b''
    with client(path) as s:
        s.sendall(one_of % b'' * (MANY - 1) + one_of % b'Connection: close\r\n')
        while more := s.recv(65536):
            data += more
            assert time.monotonic() < until, \
                '%d answers of %d' % (data.count(b'200 OK'), MANY)
    assert data.count(b'200 OK') == MANY
    carries(one, other)
    rests(process.pid)


def without_files(path, process, one, other):
    """No file is to be had (EMFILE): who asks waits, and the wire goes on."""
    soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    most = max(int(n) for n in os.listdir('/proc/%d/fd' % process.pid)) + 1
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (most, hard))
    clients = [client(path) for _ in range(3)]
    for s in clients:
        s.send(b'GET /link HTTP/1.1\r\nHost: x\r\n\r\n')
    carries(one, other)
    rests(process.pid)
    carries(one, other)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (soft, hard))
    for s in clients:
        s.close()
    wait_until('answer when there are files', lambda: answers(path))


def main():
    with tempfile.TemporaryDirectory(prefix='fdlink-test.') as folder:
        path = os.path.join(folder, 'control')
        for test in (another_user_is_refused, only_its_pages_are_there,
                     many_are_bounded, slow_ones_hold_nobody,
                     requests_in_one_piece, without_files):
            with wire(sys.argv[1], '--control', path,
                      *sys.argv[2:]) as (process, one, other):
                carries(one, other)
                test(path, process, one, other)
                status, body = get(path)
                stats = json.loads(body)
                assert status == 200
                assert stats['a']['rx_packets'] == stats['b']['tx_packets']
                print(test.__name__ + ': passed')
            assert not os.path.exists(path), 'its file stays'


if __name__ == '__main__':
    main()
