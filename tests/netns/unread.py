# SPDX-License-Identifier: Apache-2.0
"""A wire that is asked for its counters without a pause, by who reads them and
by who does not: it carries, answers its control socket, and ends.

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

from wire_process import PATIENCE, carries, pair, rests

ASKED_S = 3


def get(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE)
        s.connect(path)
        s.sendall(b'GET /stats.json HTTP/1.0\r\n\r\n')
        while s.recv(65536):
            pass


def start(options, out):
    one, a = pair()
    other, b = pair()
    process = subprocess.Popen(
        [sys.argv[1], 'connect', 'fd:%d' % a.fileno(), 'fd:%d' % b.fileno()] +
        options + sys.argv[2:], pass_fds=(a.fileno(), b.fileno()), stdout=out,
        stderr=subprocess.PIPE, text=True)
    a.close()
    b.close()
    carries(one, other)
    return process, one, other


def ask(process, one, other):
    """Without a pause, and the wire carries."""
    end = time.monotonic() + ASKED_S
    while time.monotonic() < end:
        for _ in range(100):
            os.kill(process.pid, signal.SIGUSR1)
        carries(one, other, 5)


def unread(options, path):
    out, into = os.pipe()
    process, one, other = start(options, into)
    os.close(into)
    ask(process, one, other)
    if path:
        get(path)
    rests(process.pid)
    carries(one, other)
    process.terminate()
    error = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 1, process.returncode
    assert 'nobody reads' in error, error
    os.close(out)
    one.close()
    other.close()


def read_all():
    """Each report is whole."""
    out, into = os.pipe()
    process, one, other = start(['--json'], into)
    os.close(into)
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
    has_control = 'libmicrohttpd' not in subprocess.run(
        [sys.argv[1], '--version'], check=True, capture_output=True,
        text=True).stdout
    for words in [], ['--json'], ['--stats', '1']:
        if has_control:
            unread(words + ['--control', control], control)
        else:
            unread(words, None)
read_all()
