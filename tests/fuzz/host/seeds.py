#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the programs that fuzz_host starts from: seeds.py FOLDER

Each is a list of records of eight bytes, as step_tcp.c and step_ip.c say.
"""

import os
import sys

(OPEN, DATA, TEXT, ACK, SEGMENT, TALK, TIME, UDP, PING, ICMP_ERROR, ARP,
 NEIGHBOR, RAW, LIE, SET, MTU) = range(16)
HOLD = 0x80
FIN, SYN, RST, PSH, BARE = 1, 2, 4, 8, 16

# Of the first record: the link.
ETHERNET, VNET, OFF, ON, TSO, DATAGRAM, SMALL, SCARCE = \
    1, 2, 4, 8, 12, 16, 32, 64
MTU_1500, MTU_1280, MTU_9000, MTU_65535, MTU_576 = range(5)

# Of OPEN: the service, and more.
ECHO, DISCARD, CHARGEN, HTTP, CLOSED, FICKLE = range(6)
SIX, GATEWAY, LOCAL, AGAIN, BY_HAND = 8, 32, 48, 64, 128
ALL_OPTIONS = 7

# Of LIE.
(TAGS, EXT, HOPS, BAD_SUM, CUT, GROW, PATCH, LATE, VNET_LIE,
 FRAGMENT, STORM) = range(11)


def rec(op, *args):
    """A record; a number of more than a byte is a pair."""
    out = [op]
    for arg in args:
        out += [arg] if isinstance(arg, int) else list(arg)
    return bytes((out + [0] * 8)[:8])


def u16(n):
    return n >> 8, n & 255


WRAP, ALONE, POOR = 1, 2, 4


def link(flags, mtu=MTU_1500, seed=1, more=0):
    return rec(flags, mtu, seed, more)


def connect(i, service, more=0, options=ALL_OPTIONS, mss=0, scale=7,
            window=60000):
    return rec(OPEN, i, service | more, options, mss, scale, u16(window)) + \
        rec(TALK, 1)


def data(i, n, flags=PSH, shift=0, exponent=0, gso=0):
    return rec(DATA, i, flags, u16(n), shift & 255, exponent, gso)


def talk(turns=8, ms=1):
    return rec(TALK, turns, ms)


def wait(exponent, step=0):
    return rec(TIME, exponent, step)


def held(record):
    return bytes([record[0] | HOLD]) + record[1:]


def request(i, *texts):
    return rec(TEXT, i, *texts) + talk(4)


def programs():
    links = {'tun-off': OFF, 'tap-on': ETHERNET | ON,
             'tap-tso': ETHERNET | VNET | TSO, 'tun-tso': VNET | TSO,
             'dgram-tap': ETHERNET | DATAGRAM | OFF,
             'small-tap': ETHERNET | VNET | SMALL | TSO}
    for name, flags in links.items():
        for six in 0, SIX:
            suffix = name + ('-6' if six else '-4')
            first = link(flags)
            yield 'echo-' + suffix, first + connect(0, ECHO, six) + \
                data(0, 1400) + talk() + data(0, 1460) * 4 + talk(20) + \
                data(0, 10, FIN | PSH) + talk() + wait(12)
            yield 'chargen-' + suffix, first + connect(1, CHARGEN, six) + \
                talk(40, 5) + rec(SET, 0, 1, u16(0x14)) + talk(40, 20) + \
                wait(13) + rec(SEGMENT, 1, RST)
            yield 'http-' + suffix, first + connect(2, HTTP, six) + \
                request(2, 1, 4, 5) + talk() + wait(12)

    tap = link(ETHERNET | VNET | TSO)
    tun = link(VNET | TSO)
    yield 'http-pieces', tap + connect(0, HTTP) + request(0, 19) + \
        request(0, 22, 20) + request(0, 18, 17, 17) + wait(15)
    yield 'http-bad', tun + b''.join(
        connect(i, HTTP) + request(i, *texts) for i, texts in enumerate((
            (3, 4, 5), (6, 5), (7, 5), (8, 10, 5, 11), (8, 9, 5, 11),
            (8, 14, 5, 21), (19, 28, 28, 28, 28, 28), (29, 29, 5)))) + wait(14)
    yield 'http-kept', tun + connect(0, HTTP) + \
        request(0, 1, 12, 4, 5) * 5 + wait(16, 4)
    yield 'http-silent', tun + connect(0, HTTP) + wait(16, 3)
    yield 'echo-and-rst', tap + connect(0, ECHO) + \
        held(data(0, 1400)) + held(data(0, 1400)) + rec(SEGMENT, 0, RST) + \
        talk()
    yield 'echo-super', tun + connect(0, ECHO) + \
        data(0, 40000, PSH | 64, gso=180) + talk(40)
    yield 'echo-out-of-order', tap + connect(0, ECHO) + \
        held(data(0, 1000, PSH | 128, 1, 10)) + \
        held(data(0, 1000, PSH | 128, 2, 10)) + data(0, 1100) + talk() + \
        data(0, 1000, PSH | 128, -1, 8) + talk()
    yield 'chargen-loss', tun + connect(0, CHARGEN) + talk(20) + \
        rec(SET, 0, 0, u16(0x5)) + talk(20) + rec(SET, 0, 0, u16(0x8001)) + \
        talk(20) + wait(14)
    yield 'chargen-window', tap + connect(0, CHARGEN, BY_HAND) + \
        rec(ACK, 0, 128, u16(0), u16(0)) + wait(15) + \
        rec(ACK, 0, 128, u16(0), u16(100)) + wait(13) + \
        rec(ACK, 0x18, 0x93, u16(0), u16(9000)) + talk()
    yield 'chargen-sack', tun + connect(0, CHARGEN, BY_HAND) + \
        rec(ACK, 0, 3) + talk(2) + rec(ACK, 0x10, 0x21, u16(2000), u16(0), 8) \
        + talk(4) + rec(ACK, 0x18, 0x30, u16(0), u16(0), 4) + talk(4)
    for kind in range(1, 8):
        yield 'sack-%d' % kind, tap + connect(0, CHARGEN) + talk(9, 20) + \
            rec(SET, 4) + talk(2) + b''.join(
                rec(ACK, times << 3, kind << 4, u16(0), u16(0), at)
                for at in (1, 8, 40, 0) for times in (0, 2)) + \
            wait(11, 1) + rec(SET, 0) + rec(ACK, 0) + talk(20, 20) + wait(12)
    yield 'loss', tap + connect(0, CHARGEN) + talk(9, 20) + b''.join(
        rec(SET, 0, 0, u16(lost)) + talk(20, 20)
        for lost in (1, 2, 0x15, 0xff, 0xffff)) + wait(13, 1)
    yield 'chargen-too-big', tap + connect(0, CHARGEN, SIX | GATEWAY) + \
        talk(10) + rec(ICMP_ERROR, 10, 0, u16(1280)) + talk(20) + \
        rec(ICMP_ERROR, 10, 0, u16(50)) + wait(14)
    yield 'chargen-too-big-4', tun + connect(0, CHARGEN, GATEWAY) + \
        talk(10) + rec(ICMP_ERROR, 2, 0, u16(600)) + talk(20) + \
        rec(ICMP_ERROR, 2, 0, u16(20)) + wait(14)
    yield 'unreachable', tap + connect(0, ECHO) + data(0, 100) + \
        rec(ICMP_ERROR, 0, 16) + rec(ICMP_ERROR, 0, 24) + talk()
    yield 'states', tun + connect(0, ECHO) + \
        b''.join(rec(SEGMENT, 0, flags, shift & 255, 1) for flags in
                 (SYN, SYN | BARE, FIN | BARE, BARE, RST) for shift in
                 (0, 1, -1)) + talk()
    yield 'simultaneous-close', tun + connect(0, DISCARD) + \
        data(0, 10, FIN) + talk() + wait(12)
    yield 'again', tun + connect(0, HTTP) + request(0, 1, 5) + talk() + \
        connect(0, HTTP, AGAIN) + request(0, 1, 5) + \
        connect(0, ECHO, AGAIN) + talk()
    yield 'half-open', tap + b''.join(
        rec(OPEN, i, ECHO | BY_HAND, ALL_OPTIONS, 0, 0, 255, 255)
        for i in range(8)) * 8 + wait(15)
    yield 'syn-options', tun + b''.join(
        rec(OPEN, i, ECHO, 1 << i, 0, 14, 255, 255) for i in range(8)) + talk()
    yield 'tiny-mss', tap + connect(0, CHARGEN, mss=4) + talk(10) + \
        connect(1, CHARGEN, mss=5) + talk(10)
    for mss in 3, 4:
        yield 'acks-%d' % mss, link(OFF) + connect(0, CHARGEN, mss=mss) + \
            talk(9) + rec(SET, 4) + talk(2) + \
            held(rec(ACK, 0x18, 2, u16(1))) * 8 + talk(2) + \
            connect(1, ECHO, mss=mss) + data(1, 1400) * 8 + talk(20)
    yield 'udp', tap + rec(UDP, 0, 0, u16(100), 0, 2, 7) + \
        rec(UDP, 8, 0, u16(100), 0, 2, 7) + rec(UDP, 0x48, 4, u16(9)) + talk()
    yield 'udp-large', tun + rec(UDP, 0, 0, u16(3000), 0, 2) + \
        rec(UDP, 8, 0, u16(9000), 0, 2) + talk()
    yield 'ping', tap + rec(PING, 0, u16(56)) + rec(PING, 8, u16(56)) + \
        rec(PING, 0x10, u16(8)) + rec(PING, 0x28, u16(8)) + \
        rec(PING, 0, u16(5000)) + rec(PING, 8, u16(5000)) + talk()
    for six in 0, 8:
        yield 'fragments-%d' % (6 if six else 4), tun + \
            rec(LIE, FRAGMENT, 100) + rec(PING, six, u16(4000)) + \
            rec(LIE, FRAGMENT, 60, 3, 0, 1) + rec(PING, six, u16(3000)) + \
            rec(LIE, FRAGMENT, 0, 1) + rec(UDP, six, 0, u16(90), 0, 2) + \
            rec(LIE, FRAGMENT, 60, 0, 2) + rec(PING, six, u16(3000)) + \
            wait(17, 4)
    yield 'extensions', tun + b''.join(
        rec(LIE, EXT, n, kind, length, fill) + rec(PING, 8, u16(16))
        for kind in range(7) for n, length, fill in
        ((1, 0, 1), (2, 1, 0), (1, 255, 5), (16, 15, 0xc2)))
    yield 'options-4', tun + b''.join(
        rec(LIE, EXT, n, kind, length) + rec(PING, 0, u16(16))
        for kind in (0, 1, 7, 131, 148) for n, length in
        ((1, 4), (5, 255), (2, 0)))
    yield 'vlan', tap + rec(LIE, TAGS, 1, u16(0)) + rec(PING, 0, u16(16)) + \
        rec(LIE, TAGS, 1, u16(0xe000)) + rec(PING, 8, u16(16)) + \
        rec(LIE, TAGS, 2, u16(5)) + rec(PING, 0, u16(16)) + \
        rec(LIE, TAGS, 1, u16(0)) + connect(0, ECHO) + data(0, 9)
    yield 'lengths', tap + b''.join(
        rec(LIE, kind, u16(n)) + op for kind in (CUT, GROW) for n in
        (1, 8, 40, 1000) for op in (rec(PING, 0, u16(8)), rec(PING, 8, u16(8)),
                                    rec(UDP, 0, 0, u16(4)),
                                    rec(OPEN, 0, ECHO, 255, 0, 7, 255, 255)))
    yield 'virtio-lies', tun + connect(0, ECHO) + b''.join(
        rec(LIE, VNET_LIE, at, xor) + data(0, 5000, PSH | 64, gso=100)
        for at in range(10) for xor in (1, 4, 0xff)) + talk()
    yield 'patches', tun + connect(0, ECHO) + b''.join(
        rec(LIE, kind, u16(at), 0xff) + data(0, 100)
        for kind in (PATCH, LATE) for at in (0, 2, 6, 9, 12, 13, 20, 32)) + \
        talk()
    yield 'arp', tap + rec(ARP, 1, 0, 8) + rec(ARP, 1, 8, 8, 9) + \
        rec(ARP, 2, 0, 8, 3) + rec(ARP, 1, 4, 8, 0, 3) + \
        rec(LIE, CUT, u16(20)) + rec(ARP, 1, 0, 8) + rec(PING, 1, u16(9))
    yield 'neighbours', tap + b''.join(
        rec(NEIGHBOR, frm | to << 4, kind, target, flags, options, 5, 220)
        for kind in range(6) for frm, to, target, flags, options in
        ((0, 0, 8, 0x60, 1), (1, 3, 8, 0xe0, 2), (6, 2, 0, 0, 0x0d),
         (4, 3, 8, 0, 0), (6, 1, 0x16, 0x60, 0x43)))
    yield 'no-neighbour', tap + rec(SET, 2) + connect(0, ECHO) + \
        connect(1, ECHO, SIX) + rec(PING, 1, u16(900)) * 3 + \
        rec(PING, 9, u16(900)) * 3 + wait(14)
    yield 'deaf', tap + connect(0, CHARGEN) + rec(SET, 1) + talk(60, 20) + \
        wait(14) + rec(SET, 0) + talk(20)
    yield 'deaf-datagram', link(ETHERNET | DATAGRAM | TSO) + \
        connect(0, CHARGEN) + rec(SET, 1) + wait(14) + rec(SET, 0) + talk(20)
    yield 'raw', tap + rec(RAW, 0, 0, 4) + bytes(range(32)) + \
        rec(RAW, 0, 2, 4) + bytes([0x45]) + bytes(31) + \
        rec(RAW, 0, 3, 6) + bytes([0x60]) + bytes(47) + \
        rec(RAW, 8, 4, 2, 0) + bytes(16) + rec(RAW, 0, 4, 1, 2) + bytes(8)
    for mtu in range(7):
        yield 'mtu-%d' % mtu, link(ETHERNET | VNET | TSO, mtu) + \
            connect(0, CHARGEN, mss=6) + talk(30) + \
            connect(1, CHARGEN, SIX, mss=7) + talk(30) + \
            rec(UDP, 0, 0, u16(3000), 0, 2) + talk()
    yield 'clock-wraps', link(OFF, more=WRAP) + connect(0, CHARGEN) + talk(9) + \
        rec(SET, 4) + wait(14) + rec(SET, 0) + wait(12)
    for mode in OFF, TSO:
        for six in 0, SIX:
            name = '%s-%d' % ('off' if mode == OFF else 'tso', 6 if six else 4)
            yield 'follow-' + name, link(ETHERNET | mode) + \
                connect(0, CHARGEN, six) + talk(20, 5) + \
                rec(MTU, u16(20)) + talk(20, 5) + rec(SET, 4) + talk(4) + \
                rec(MTU, u16(0)) + talk(4) + rec(SET, 0) + rec(ACK, 0) + \
                talk(20, 50) + rec(MTU, u16(220)) + talk(20, 5)
            yield 'narrow-' + name, link(mode) + \
                connect(0, CHARGEN, six) + talk(20, 5) + rec(SET, 4) + \
                talk(4) + rec(ICMP_ERROR, six, 0, u16(1300)) + \
                rec(SET, 0) + talk(2) + rec(ACK, 0) + talk(20, 50) + \
                rec(UDP, six, 0, u16(1400), 0, 2) + talk(1) + \
                rec(ICMP_ERROR, six, 0, u16(1280)) + \
                rec(UDP, six, 0, u16(1400), 0, 2) + talk() + wait(13)
    yield 'time-wait', tun + connect(0, HTTP) + request(0, 2, 5) + \
        talk() + data(0, 0, FIN) + talk(3) + rec(SEGMENT, 0, BARE) + \
        rec(SEGMENT, 0, FIN | BARE, 255, 0) + rec(SEGMENT, 0, RST, 128, 20) + \
        connect(0, HTTP, AGAIN, mss=1) + request(0, 2, 5) + \
        data(0, 0, FIN) + talk(3) + connect(0, HTTP, AGAIN, mss=255) + wait(12)
    yield 'http-long', tun + connect(0, HTTP) + request(0, 19, *[28] * 5) + \
        request(0, *[28] * 6) * 3 + connect(1, HTTP) + request(1, 1, 4) + \
        request(1, *[28] * 6) * 4 + wait(12)
    for six in 0, SIX:
        for mss in 0, 3:
            yield 'crowded-%d%d' % (six, mss), link(SCARCE | VNET | TSO) + \
                b''.join(connect(i, ECHO, six | BY_HAND) for i in (1, 2, 3)) + \
                connect(0, ECHO, six | BY_HAND, mss=mss) + talk(1) + \
                connect(1, ECHO, six | BY_HAND) * 5 + rec(ACK, 0) + talk(1) + \
                rec(SET, 0) + data(0, 100) + talk() + data(0, 3000) + \
                talk(9) + wait(11)
    yield 'scarce', link(SCARCE | TSO) + b''.join(
        rec(OPEN, i, ECHO | BY_HAND, ALL_OPTIONS, 0, 0, 255, 255)
        for i in range(7)) + connect(7, DISCARD) + b''.join(
            data(7, 1400, shift=n, exponent=11) for n in range(1, 40)) + \
        data(7, 1400) + wait(15)
    yield 'fragments-many', tun + b''.join(
        rec(LIE, FRAGMENT, 63, 0, 3) + rec(PING, six, u16(64000))
        for six in (0, 8)) * 5 + wait(17, 4)
    yield 'fragments-inside', tun + b''.join(
        rec(LIE, EXT, ext, kind, 0, 1) + rec(LIE, FRAGMENT, 9, 0, skip) +
        rec(UDP, 8, 0, u16(200), 0, 2)
        for ext in (1, 2) for kind in (1, 3) for skip in (0, 1))
    yield 'routers', link(ETHERNET | TSO, more=ALONE) + b''.join(
        rec(NEIGHBOR, 6 | to << 4, 2, 0, 0xc0, options, 64, 220)
        for to in (0, 2) for options in (0x0d, 4, 1)) + \
        connect(0, ECHO, SIX | GATEWAY) + data(0, 100) + \
        connect(1, ECHO, GATEWAY) + rec(PING, 10, u16(9)) + wait(17, 5)
    for mode in OFF, TSO:
        yield 'fickle-%d' % mode, link(mode) + connect(0, FICKLE) + b''.join(
            data(0, n) + talk(2) for n in (1400, 3, 900, 1, 40, 1200, 7)) + \
            rec(SET, 4) + data(0, 500) + data(0, 1000) + talk(2) + \
            held(data(0, 90)) + rec(SEGMENT, 0, RST) + talk() + \
            connect(1, FICKLE) + data(1, 800) + data(1, 9, FIN | PSH) + \
            talk() + connect(2, FICKLE, BY_HAND) + data(2, 100) + wait(16, 3)
    for six in 0, SIX:
        yield 'renege-%d' % (6 if six else 4), tap + \
            connect(0, CHARGEN, six) + talk(9, 20) + \
            rec(SET, 0, 0, u16(5)) + talk(3) + rec(SET, 16) + talk(9, 20) + \
            rec(SET, 0, 0, u16(0x111)) + talk(2) + rec(SET, 24, 0, 0, 0, 0) + \
            talk(9, 50) + rec(SET, 8, 0, 0, 0, u16(60000)) + talk(9, 20) + \
            wait(14, 1)
    # Each side sends its FIN before it has the other's.
    yield 'crossing', tun + b''.join(
        connect(i, service) + rec(SET, 4, i) + held(data(i, 20)) + \
        rec(SET, 4, i, 255, 255) + talk(2) + data(i, 0, FIN) + talk(2) + \
        rec(SET, 0, i) + rec(ACK, i, 3) + talk(2)
        for i, service in enumerate((ECHO, DISCARD, HTTP))) + \
        connect(3, FICKLE) + rec(SET, 4, 3, 255, 255) + \
        b''.join(data(3, n) for n in (1, 2, 3, 16)) + talk(2) + \
        data(3, 0, FIN) + talk(2) + rec(ACK, 3, 3) + wait(12)
    yield 'crossing-http', tun + connect(0, HTTP) + \
        rec(SET, 4, 0, 255, 255) + request(0, 2, 5) + data(0, 0, FIN) + \
        talk(2) + rec(ACK, 0, 3) + wait(13)
    yield 'storm-syn', tap + b''.join(
        rec(LIE, STORM, 255) + connect(i, service, six | more)
        for i, (service, six, more) in enumerate((
            (ECHO, 0, 0), (HTTP, SIX, 0), (FICKLE, 0, GATEWAY),
            (CHARGEN, SIX, GATEWAY)))) + wait(15)
    yield 'storm-arp', tap + rec(LIE, STORM, 200) + rec(ARP, 1, 0, 8) + \
        rec(LIE, STORM, 200) + rec(ARP, 2, 0, 8) + connect(0, ECHO) + \
        rec(LIE, STORM, 200) + rec(PING, 1, u16(9)) + data(0, 100) + wait(15)
    yield 'storm-nd', link(ETHERNET | TSO, more=ALONE) + b''.join(
        rec(LIE, STORM, 200) +
        rec(NEIGHBOR, frm | to << 4, kind, 8, flags, options, 64, 220)
        for kind, frm, to, flags, options in (
            (0, 0, 0, 0, 1), (1, 0, 0, 0x60, 2), (2, 6, 2, 0xc0, 0x0d),
            (3, 6, 0, 0, 3), (4, 6, 2, 0, 1), (0, 6, 3, 0, 1))) + \
        connect(0, ECHO, SIX) + data(0, 100) + rec(LIE, STORM, 200) + \
        rec(PING, 9, u16(9)) + connect(1, ECHO, SIX | GATEWAY) + wait(16, 3)
    yield 'storm-fragments', tap + b''.join(
        rec(LIE, FRAGMENT, 9, 0, 2) + rec(LIE, STORM, 120) +
        rec(PING, six, u16(300)) for six in (0, 8)) + wait(15)
    for mode in OFF, ON, TSO:
        yield 'poor-%d' % mode, link(ETHERNET | VNET | mode, more=POOR) + \
            connect(0, CHARGEN) + talk(20, 5) + connect(1, ECHO, SIX) + \
            data(1, 1400) * 4 + talk(9) + rec(SET, 0, 0, u16(0x15)) + \
            talk(20, 20) + connect(2, HTTP) + request(2, 1, 5) + \
            connect(3, FICKLE) + data(3, 900) * 3 + talk(9) + \
            rec(LIE, FRAGMENT, 60) + rec(PING, 0, u16(3000)) + \
            rec(UDP, 8, 0, u16(3000), 0, 2) + rec(MTU, u16(20)) + wait(14)
    yield 'eight', tun + b''.join(connect(i, i % 4) for i in range(8)) + \
        b''.join(data(i, 500 * i) for i in range(8)) * 3 + talk(20)


def main(folder):
    os.makedirs(folder, exist_ok=True)
    for name, program in programs():
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(program)


if __name__ == '__main__':
    main(sys.argv[1])
