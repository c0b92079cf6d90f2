# SPDX-License-Identifier: Apache-2.0
"""A wire whose one end nobody reads: the other way goes on, nothing spins, and
what was taken arrives, in order, when somebody reads again.

    slow.py FDLINK [OPTION]...
"""

import os
import socket
import struct
import subprocess
import sys
import time

HEAD = bytes.fromhex('020000000001' '02000000f00d' '88b5')
BACK = 3000


def frame(number):
    return HEAD + struct.pack('!I', number) + bytes(60)


def cpu(pid):
    with open('/proc/%d/stat' % pid, encoding='ascii') as f:
        words = f.read().rpartition(')')[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf('SC_CLK_TCK')


def pair():
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ends[0].settimeout(60)
    return ends


def fill(s):
    """Until there has been no room for a second. Returns how many went."""
    n = 0
    s.settimeout(1)
    try:
        while True:
            s.send(frame(n))
            n += 1
    except TimeoutError:
        return n


one, a = pair()
other, b = pair()
wire = subprocess.Popen(
    [sys.argv[1], 'connect', 'fd:%d' % a.fileno(), 'fd:%d' % b.fileno()] +
    sys.argv[2:], pass_fds=(a.fileno(), b.fileno()), stdout=subprocess.PIPE,
    text=True)
try:
    a.close()
    b.close()
    assert 'up' in wire.stdout.readline()
    taken = fill(one)
    before = cpu(wire.pid)
    time.sleep(2)
    used = cpu(wire.pid) - before
    assert used < .5, 'it spins: %.2f s of CPU' % used
    one.settimeout(60)
    for i in range(BACK):
        other.send(frame(i))
        assert one.recv(2048) == frame(i), 'the other way, frame %d' % i
    for i in range(taken):
        assert other.recv(2048) == frame(i), 'frame %d' % i
    one.send(frame(taken))
    assert other.recv(2048) == frame(taken), 'it does not go on'
finally:
    wire.terminate()
    said = wire.communicate()[0]
assert wire.returncode == 0, said
print('slow: %d frames waited' % taken)
