# SPDX-License-Identifier: Apache-2.0
"""For tests of a wire between sockets that they have: import it first."""

import contextlib
import os
import socket
import struct
import subprocess
import time

PATIENCE = 60
HEAD = bytes.fromhex('020000000001' '02000000f00d' '88b5')


def frame(number):
    return HEAD + struct.pack('!I', number) + bytes(60)


def pair():
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ends[0].settimeout(PATIENCE)
    return ends


def cpu(pid):
    """Seconds that the process has used so far."""
    with open('/proc/%d/stat' % pid, encoding='ascii') as f:
        words = f.read().rpartition(')')[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf('SC_CLK_TCK')


def rests(pid):
    """It does nothing: one that spins would use all of this time."""
    before = cpu(pid)
    time.sleep(2)
    used = cpu(pid) - before
    assert used < .5, 'it spins: %.2f s of CPU' % used


def wait_until(what, ready):
    end = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < end, 'no ' + what
        time.sleep(.02)


def carries(one, other, count=100):
    """Each frame gets across, in order, both ways."""
    for here, there in (one, other), (other, one):
        for i in range(count):
            here.send(frame(i))
            assert there.recv(2048) == frame(i), 'frame %d' % i


def start(fdlink, options, **more):
    """Returns the process of a wire, and the far ends of its links. more: of
    Popen."""
    one, a = pair()
    other, b = pair()
    with a, b:
        process = subprocess.Popen(
            [fdlink, 'connect', 'fd:%d' % a.fileno(), 'fd:%d' % b.fileno(),
             *options], pass_fds=(a.fileno(), b.fileno()), text=True, **more)
    return process, one, other


@contextlib.contextmanager
def wire(fdlink, *options):
    """A wire, and the far ends of its links. It ends well."""
    process, one, other = start(fdlink, options, stdout=subprocess.PIPE)
    try:
        assert 'up' in process.stdout.readline()
        yield process, one, other
    finally:
        process.terminate()
        said = process.communicate()[0]
    assert process.returncode == 0, said
