# SPDX-License-Identifier: Apache-2.0
"""scapy as oracle of what is inside tunnels, of kinds for which a kernel may have no
device: it builds the segments one by one, and the super-packet of them, and knows
nothing of the library. Cut, the super-packet is these segments, byte by byte; the
segments merged are that super-packet, where the kind is merged at all.

    by_scapy.py LINES [FILTER]

LINES is the program of lines.c. Exit status 77: there is no scapy.
"""

import itertools
import os
import struct
import subprocess
import sys
import tempfile

# scapy keeps its settings at home.
home = tempfile.TemporaryDirectory()
os.environ['HOME'] = home.name
try:
    from scapy.contrib.geneve import GENEVE, GeneveOptions
    from scapy.layers.inet import GRE, IP, TCP, UDP
    from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt
    from scapy.layers.l2 import Dot1Q, Ether
    from scapy.layers.vxlan import VXLAN
    from scapy.packet import Raw
except ImportError as error:
    print('skipped: %s' % error)
    sys.exit(77)

# FDL_GSO_TCPV4, FDL_GSO_TCPV6, FDL_GSO_UDP
GSO = {('tcp', 4): 1, ('tcp', 6): 2, ('udp', 4): 3, ('udp', 6): 3}
CHECK = {'tcp': 16, 'udp': 6}
PROTO = {'tcp': 6, 'udp': 17}
TYPE = {4: 0x0800, 6: 0x86dd}
NEXT = {4: 4, 6: 41}
# By the kinds of inner packets that a tunnel has.
ETHERNET, PLAIN = 'Ethernet', 'IP'


def ip(version, ids, **fields):
    if version == 4:
        return IP(src='10.0.0.1', dst='10.0.0.2', id=ids, tos=0x28, ttl=61,
                  flags=0, **fields)
    return IPv6(src='fd00::1', dst='fd00::2', tc=0x28, fl=0x12345, hlim=61,
                **({'nh': fields['proto']} if fields else {}))


def udp(port, summed):
    return UDP(sport=50000, dport=port, **({} if summed else {'chksum': 0}))


def link():
    return Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02')


def vxlan(v, ids, inner, _, summed):
    return ip(v, ids) / udp(4789, summed) / VXLAN(flags=8, vni=7) / inner


def vxlan_gpe(v, ids, inner, version, summed):
    head = VXLAN(flags=0x0c, vni=7, NextProtocol=1 if version == 4 else 2)
    return ip(v, ids) / udp(4790, summed) / head / inner


def geneve(v, ids, inner, version, summed):
    kind = TYPE[version] if version else 0x6558
    options = [GeneveOptions(classid=0x102, type=0x80, data=b'twelve bytes'),
               GeneveOptions(classid=0x103, type=1)]
    return (ip(v, ids) / udp(6081, summed) /
            GENEVE(vni=7, proto=kind, critical=1, options=options) / inner)


def gue(v, ids, inner, version, summed):
    head = Raw(struct.pack('!BBH', 0, NEXT[version], 0))
    return ip(v, ids) / udp(6080, summed) / head / inner


def gue_gre(v, ids, inner, version, summed):
    head = Raw(struct.pack('!BBH', 0, 47, 0))
    return (ip(v, ids) / udp(6080, summed) / head /
            GRE(proto=TYPE[version], key_present=1, key=9) / inner)


def fou(v, ids, inner, _, summed):
    return ip(v, ids) / udp(5555, summed) / inner


def gre(**fields):
    def build(v, ids, inner, version, _):
        kind = TYPE[version] if version else 0x6558
        return ip(v, ids, proto=47) / GRE(proto=kind, **fields) / inner
    return build


def in_ip(v, ids, inner, version, _):
    return ip(v, ids, proto=NEXT[version]) / inner


# Name, how it is built, what is inside, whether its UDP may have a checksum,
# and whether it is merged.
KINDS = [
    ('VXLAN', vxlan, ETHERNET, True, True),
    ('VXLAN-GPE', vxlan_gpe, PLAIN, True, True),
    ('GENEVE', geneve, ETHERNET, True, True),
    ('GENEVE of IP', geneve, PLAIN, True, True),
    ('GUE', gue, PLAIN, True, True),
    ('GUE of GRE', gue_gre, PLAIN, True, True),
    ('FOU', fou, PLAIN, True, False),
    ('GRE', gre(), PLAIN, False, True),
    ('GRE, key', gre(key_present=1, key=5), PLAIN, False, True),
    ('GRE, checksum', gre(chksum_present=1), PLAIN, False, True),
    ('GRE, key and checksum', gre(chksum_present=1, key_present=1, key=5),
     PLAIN, False, True),
    ('GRE TEB', gre(key_present=1, key=5), ETHERNET, False, True),
    ('GRE TEB, checksum', gre(chksum_present=1), ETHERNET, False, True),
    ('IP in IP', in_ip, PLAIN, False, True),
]


def sum16(data):
    data += bytes(len(data) % 2)
    n = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while n >> 16:
        n = (n >> 16) + (n & 0xffff)
    return n


def pseudo(frame, l3, proto, length):
    """The sum of the pseudo-header of what the IP header at l3 carries."""
    if frame[l3] >> 4 == 4:
        addresses = frame[l3 + 12:l3 + 20]
    else:
        addresses = frame[l3 + 8:l3 + 40]
    return sum16(addresses + struct.pack('!IBBH', length, 0, 0, proto))


class Case:
    def __init__(self, kind, outer, inner, proto, summed, tags):
        (self.name, self.wrap, self.inside, _, self.merged) = kind
        self.outer, self.inner, self.proto = outer, inner, proto
        self.summed, self.tags = summed, tags
        self.link_len = 18 if tags else 14

    def __str__(self):
        return '%s in IPv%d%s, IPv%d and %s inside%s' % (
            self.name, self.outer, ', UDP checksum' if self.summed else '',
            self.inner, self.proto, ', tags' if self.tags else '')

    def front(self):
        return link() / Dot1Q(vlan=5) if self.tags else link()

    def packet(self, n, at, payload, last):
        """Segment n, whose payload begins at a byte of the stream."""
        inner = ip(self.inner, 700 + n)
        if self.proto == 'tcp':
            inner /= TCP(sport=1000, dport=2000, seq=12345678 + at, ack=99,
                         flags='PA' if last else 'A', window=4321,
                         options=[('NOP', None), ('NOP', None),
                                  ('Timestamp', (17, 4))])
        else:
            inner /= UDP(sport=1000, dport=2000)
        inner /= Raw(payload)
        version = self.inner
        if self.inside == ETHERNET:
            inner = self.front() / inner
            version = None
        return bytes(self.front() / self.wrap(self.outer, 300 + n, inner,
                                              version, self.summed))

    def l4(self, frame, payload):
        """Where the inner transport header is: all behind it is known."""
        return len(frame) - len(payload) - (32 if self.proto == 'tcp' else 8)

    def partial(self, frame, payload):
        """The same super-packet, with checksums as a sender leaves them."""
        l4 = self.l4(frame, payload)
        l3 = l4 - (20 if self.inner == 4 else 40)
        at = l4 + CHECK[self.proto]
        frame = bytearray(frame)
        frame[at:at + 2] = struct.pack('!H', pseudo(
            frame, l3, PROTO[self.proto], len(frame) - l4))
        if self.summed:
            l3 = self.link_len
            udp_at = l3 + (20 if self.outer == 4 else 40)
            frame[udp_at + 6:udp_at + 8] = struct.pack('!H', pseudo(
                frame, l3, 17, len(frame) - udp_at))
        return bytes(frame), l4


def ask(lines, *words):
    lines.stdin.write(' '.join(map(str, words)) + '\n')
    lines.stdin.flush()
    answer = []
    for line in lines.stdout:
        line = line.strip()
        if line == 'end':
            return answer
        assert line != 'refused', 'refused'
        answer.append(line)
    raise AssertionError('no answer')


def differ(expected, got):
    if len(expected) != len(got):
        return '%d bytes, not %d' % (len(got), len(expected))
    at = next(i for i, (a, b) in enumerate(zip(expected, got)) if a != b)
    return 'byte %d of %d is %02x, not %02x' % (at, len(got), got[at],
                                               expected[at])


def same(what, expected, got):
    got = list(got)
    assert len(expected) == len(got), '%s: %d packets, not %d' % (
        what, len(got), len(expected))
    for n, (a, b) in enumerate(zip(expected, got)):
        assert a == b, '%s, packet %d: %s' % (what, n, differ(a, b))


def cut_again(lines, case, merged):
    """What came out of merging, if that knew nothing of the tunnel."""
    for count, *start, frame in merged:
        if count == '1':
            yield bytes.fromhex(frame)
            continue
        assert int(start[2]) == case.link_len + (20 if case.outer == 4 else 40)
        for line in ask(lines, 'cut', case.link_len, *start, frame):
            yield bytes.fromhex(line)


def check(lines, case, size, total):
    data = bytes(i * 7 % 251 for i in range(total))
    starts = range(0, total, size)
    segments = [case.packet(n, at, data[at:at + size], at == starts[-1])
                for n, at in enumerate(starts)]
    whole, l4 = case.partial(case.packet(0, 0, data, True), data)
    gso = GSO[case.proto, case.inner]
    start = [gso, size, l4, CHECK[case.proto]]
    cut = ask(lines, 'cut', case.link_len, *start, whole.hex())
    same('cut', segments, [bytes.fromhex(line) for line in cut])
    merged = [line.split() for line in ask(
        lines, 'merge', case.link_len, *(s.hex() for s in segments))]
    if not case.merged:
        same('merged as datagrams', segments, cut_again(lines, case, merged))
        return
    same('merged', [whole], [bytes.fromhex(m[5]) for m in merged])
    assert [int(n) for n in merged[0][:5]] == [len(segments)] + start, merged[0]


def cases():
    tags = itertools.cycle((False, True, True))
    for kind, outer, inner, proto in itertools.product(
            KINDS, (4, 6), (4, 6), ('tcp', 'udp')):
        for summed in (False, True) if kind[3] else (False,):
            yield Case(kind, outer, inner, proto, summed, next(tags))


def main():
    wanted = sys.argv[2] if len(sys.argv) > 2 else ''
    lines = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    count = wrong = 0
    for case in cases():
        if wanted not in str(case):
            continue
        # An odd size; a last segment that is shorter, and one that is not.
        for size, total in (101, 1000), (1200, 6000):
            count += 1
            try:
                check(lines, case, size, total)
            except AssertionError as error:
                wrong += 1
                print('%s, %d of %d: %s' % (case, size, total, error))
    print('%d super-packets, %d wrong' % (count, wrong))
    lines.stdin.close()
    return 1 if lines.wait() or wrong or not count else 0


sys.exit(main())
