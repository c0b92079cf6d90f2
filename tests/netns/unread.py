# SPDX-License-Identifier: Apache-2.0
"""A wire that is asked for its counters without a pause, by who reads them and
by who does not: it carries, answers its control socket, and ends. So it is with
a pipe that others have filled before, and with a host.

    unread.py FDLINK [OPTION]...
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from wire_process import PATIENCE, carries, pair, rests, start

ASKED_S = 3


def get(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE)
        s.connect(path)
        s.sendall(b'GET /stats.json HTTP/1.0\r\n\r\n')
        while s.recv(65536):
            pass


def start_into_pipe(options):
    """Returns also where the wire's output can be read."""
    out, into = os.pipe()
    process, one, other = start(sys.argv[1], options + sys.argv[2:],
                                stdout=into, stderr=subprocess.PIPE)
    os.close(into)
    carries(one, other)
    return out, process, one, other


def ask(process, one, other):
    """Without a pause, and the wire carries."""
    end = time.monotonic() + ASKED_S
    while time.monotonic() < end:
        for _ in range(100):
            os.kill(process.pid, signal.SIGUSR1)
        carries(one, other, 5)


def full_pipe():
    out, into = os.pipe()
    os.set_blocking(into, False)
    try:
        while True:
            os.write(into, bytes(4096))
    except BlockingIOError:
        os.set_blocking(into, True)
    return out, into


def expect_unread_end(process):
    process.terminate()
    error = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 1, process.returncode
    assert 'nobody reads' in error, error


def read_on(out, process):
    """Who reads after a while is told all of it."""
    process.send_signal(signal.SIGUSR1)
    with open(out, 'rb') as f:
        said = f.readline()
        assert b': up ' in said, said[-200:]
        while b'rx_packets' not in said:
            said = f.readline()
            assert said, 'no counters'
        process.terminate()
        f.read()
    error = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0, error


def full_from_the_start(end):
    out, into = full_pipe()
    process, one, other = start(sys.argv[1], sys.argv[2:], stdout=into,
                                stderr=subprocess.PIPE)
    os.close(into)
    carries(one, other)
    rests(process.pid)
    end(out, process)
    one.close()
    other.close()


def full_of_complaints():
    """What is said at the end has no reader either."""
    out, into = full_pipe()
    process, one, other = start(sys.argv[1], sys.argv[2:], stderr=into,
                                stdout=subprocess.DEVNULL)
    os.close(into)
    carries(one, other)
    one.close()
    assert process.wait(PATIENCE) == 0, process.returncode
    os.close(out)
    other.close()


def checksum(data):
    total = sum(int.from_bytes(data[i:i + 2], 'big')
                for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return (total ^ 0xffff).to_bytes(2, 'big')


def echo_request():
    icmp = bytes.fromhex('08000000' '12340001') + b'who is there'
    icmp = icmp[:2] + checksum(icmp) + icmp[4:]
    ip = bytes.fromhex('4500%04x' '00000000' '40010000' 'c0000201' 'c0000202' %
                       (20 + len(icmp)))
    return ip[:10] + checksum(ip) + ip[12:] + icmp


def host_with_a_full_pipe(end):
    out, into = full_pipe()
    one, far = pair()
    with far:
        process = subprocess.Popen(
            [sys.argv[1], 'host', 'fd:%d' % far.fileno(), '--ip',
             '--address', '192.0.2.2/24'], pass_fds=[far.fileno()], text=True,
            stdout=into, stderr=subprocess.PIPE)
    os.close(into)
    for _ in range(3):
        one.send(echo_request())
        assert one.recv(2048)[20:22] == bytes(2), 'it is no answer'
        process.send_signal(signal.SIGUSR1)
    rests(process.pid)
    end(out, process)
    one.close()


def unread(options, path):
    out, process, one, other = start_into_pipe(options)
    ask(process, one, other)
    if path:
        get(path)
    rests(process.pid)
    carries(one, other)
    expect_unread_end(process)
    os.close(out)
    one.close()
    other.close()


def read_all():
    """Each report is whole."""
    out, process, one, other = start_into_pipe(['--json'])
    reports = []

    def read():
        with open(out, encoding='ascii') as f:
            reports.extend(json.loads(line) for line in f)
    reader = threading.Thread(target=read)
    reader.start()
    ask(process, one, other)
    process.terminate()
    error = process.communicate(timeout=PATIENCE)[1]
    reader.join()
    assert process.returncode == 0, error
    assert len(reports) > 1
    last = reports[-1]
    assert last['a']['rx_packets'] == last['b']['tx_packets']
    print('unread: %d reports were read' % len(reports))


with tempfile.TemporaryDirectory(prefix='fdlink-test.') as folder:
    control = folder + '/control'
    version = subprocess.run([sys.argv[1], '--version'], check=True,
                             capture_output=True, text=True).stdout
    has_control = 'libmicrohttpd' not in version
    for words in [], ['--json'], ['--stats', '1']:
        if has_control:
            unread(words + ['--control', control], control)
        else:
            unread(words, None)
read_all()
full_of_complaints()
for how in full_from_the_start, host_with_a_full_pipe:
    if how == host_with_a_full_pipe and 'lwIP' in version:
        print('host: skipped: it was built without lwIP')
        continue
    how(lambda out, process: (expect_unread_end(process), os.close(out)))
    how(read_on)
