# SPDX-License-Identifier: Apache-2.0
"""What the wire of tso.sh saw of the host's TCP, by its trace.

    tso_trace.py FILE MTU [WORD=VALUE]...

No packet is longer than MTU, no payload than what the peer's SYN allows.

syn=N           the MSS that the host's own SYN has
first=N         most that is sent before the first acknowledgement
losses=N        at least so many timeouts, most of them followed by one segment
"""

import collections
import sys

HOST = '0'
SYN = 2
ACK = 16
TIMEOUT = 190000        # the shortest there is, in microseconds

Packet = collections.namedtuple('Packet', 'time flags seq ack payload size '
                                'mss from_host')


def read(path):
    """{port of the peer: its packets}"""
    found = collections.defaultdict(list)
    with open(path, encoding='ascii') as f:
        for line in f:
            words = line.split()
            if len(words) != 10 or not line.endswith('\n'):
                continue
            from_host = words[1] == HOST
            n = [int(w) for w in words]
            found[n[3] if from_host else n[2]].append(
                Packet(n[0], *n[4:], from_host))
    return found


def die(text, *args):
    sys.exit('tso_trace: ' + text % args)


def check_sizes(packets, mtu, words):
    peer_mss = next(p.mss for p in packets if not p.from_host)
    for p in packets:
        if not p.from_host:
            continue
        if p.size > mtu or p.payload > peer_mss:
            die('%d bytes, %d of them payload; MTU %d, MSS %d', p.size,
                p.payload, mtu, peer_mss)
        if p.flags & SYN and 'syn' in words and p.mss != int(words['syn']):
            die('a SYN with MSS %d', p.mss)


def flight(packets, start):
    """What the host sends from there on, until it hears of it or waited for
    that in vain."""
    total = 0
    last = packets[start].time
    for p in packets[start:]:
        if p.from_host and p.payload:
            if p.time - last > TIMEOUT:
                break
            last = p.time
        if p.payload and not p.from_host:
            break
        if not p.from_host and p.flags & ACK:
            break
        total += p.payload
    return total


def check_first(packets, limit):
    for i, p in enumerate(packets):
        if p.from_host and p.payload:
            sent = flight(packets, i)
            if not limit / 3 < sent <= limit:
                die('%d bytes at first, not %d', sent, limit)
            return


def before(a, b):
    return 0 < (b - a) % (1 << 32) < 1 << 31


def count_losses(packets):
    """A host that did not get to run is as silent as one that waits for its
    timer, but goes on with what it has heard meanwhile: only what is sent again
    for want of an acknowledgement tells, and not each time."""
    mss = max(p.payload for p in packets if p.from_host)
    last = top = acked = None
    found = alone = more = 0
    for i, p in enumerate(packets):
        if not p.from_host:
            if p.flags & ACK and (acked is None or before(acked, p.ack)):
                acked = p.ack
            continue
        if not p.payload:
            continue
        if last is not None and p.time - last > TIMEOUT:
            found += 1
            if p.seq == acked and before(p.seq, top):
                sent = flight(packets, i)
                alone += sent <= mss
                more += sent > mss
        last = p.time
        if top is None or before(top, p.seq + p.payload):
            top = (p.seq + p.payload) % (1 << 32)
    if more > alone:
        die('%d of %d timeouts were followed by more than %d bytes', more,
            alone + more, mss)
    return found


def main():
    connections = read(sys.argv[1])
    words = dict(w.split('=') for w in sys.argv[3:])
    losses = 0
    if not connections:
        die('nothing was seen')
    for packets in connections.values():
        check_sizes(packets, int(sys.argv[2]), words)
        if 'first' in words:
            check_first(packets, int(words['first']))
        if 'losses' in words:
            losses += count_losses(packets)
    if losses < int(words.get('losses', 0)):
        die('%d timeouts', losses)


main()
