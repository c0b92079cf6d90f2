# SPDX-License-Identifier: Apache-2.0
"""A wire whose one end nobody reads: the other way goes on, nothing spins, and
what was taken arrives, in order, when somebody reads again.

    slow.py FDLINK [OPTION]...
"""

import sys

from wire_process import PATIENCE, frame, rests, wire

BACK = 3000


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
    finally:
        s.settimeout(PATIENCE)


with wire(*sys.argv[1:]) as (process, one, other):
    taken = fill(one)
    rests(process.pid)
    for i in range(BACK):
        other.send(frame(i))
        assert one.recv(2048) == frame(i), 'the other way, frame %d' % i
    for i in range(taken):
        assert other.recv(2048) == frame(i), 'frame %d' % i
    one.send(frame(taken))
    assert other.recv(2048) == frame(taken), 'it does not go on'
print('slow: %d frames waited' % taken)
