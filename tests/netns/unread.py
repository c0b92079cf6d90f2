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

from wire_process import PATIENCE, carries, rests, start

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


def unread(options, path):
    out, process, one, other = start_into_pipe(options)
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
    has_control = 'libmicrohttpd' not in subprocess.run(
        [sys.argv[1], '--version'], check=True, capture_output=True,
        text=True).stdout
    for words in [], ['--json'], ['--stats', '1']:
        if has_control:
            unread(words + ['--control', control], control)
        else:
            unread(words, None)
read_all()
