# SPDX-License-Identifier: Apache-2.0
"""What is to be reached, as ratios within one run.

A bar holds if the 95 % interval of the median of at least 15 pairs reaches it.
Of fewer pairs the verdict is for orientation, and set in brackets.
"""

import figures

TAPIF = 'lwIP, plain netif'
PLAIN = 'lwIP on fdlink'
OFFLOAD = 'lwIP on fdlink, offload'
TSO = 'lwIP on fdlink, TSO'
VETH = 'lwIP on fdlink, veth'
KERNEL = 'kernel over veth'
IPV6 = ', IPv6'
SEQPACKET = 'bare seqpacket'
GVISOR_TAP = 'gVisor, TAP'
WIRE_TAP = 'fdlink connect, two TAPs'
WIRE_PACKET = 'fdlink connect, two veths'
WIRE_UNIX = 'fdlink connect twice, TAP to unixgram to TAP'
WIRE_MIXED = 'fdlink connect, veth to TAP'
WIRE_CUT = 'fdlink connect, veth to TAP, offload=off'
NO_TUNNEL = ', no tunnel'
BIG = ', BIG TCP'
BRIDGE = 'kernel bridge, two veths'
BARE, BARE_HDR = 'bare loop', 'bare loop, header'
WIRE, WIRE_HDR = 'fdlink connect, offload=off', 'fdlink connect'
GVISOR_VETH = 'gVisor, veth, host GSO'

# Against gVisor's fdbased at 1500 bytes, by kind of link.
AGAINST_GVISOR = {'seqpacket': .65, 'tap': .65, 'datagram': .9, 'veth': .95}


ENOUGH = 15


def verdict(bar):
    text = 'holds' if bar['holds'] else 'MISSED'
    return text if bar['pairs'] >= ENOUGH else '(%s)' % text


class Bars:
    def __init__(self, samples):
        self.samples = samples
        self.bars = []

    def add(self, block, metric, over, under, sign, bar):
        """sign '<=' or '>='; under None: the figure itself."""
        found = self.samples.get(block, {})
        if over not in found or (under and under not in found):
            return
        if under:
            result = figures.ratio(found[over], found[under], metric)
        else:
            result = figures.absolute(found[over], metric)
        if not result:
            return
        value, low, high, pairs = result
        self.bars.append({
            'block': block, 'metric': metric, 'over': over, 'under': under,
            'value': value, 'low': low, 'high': high, 'pairs': pairs,
            'sign': sign, 'bar': bar,
            'holds': low <= bar if sign == '<=' else high >= bar})


def receive(bars, link, size):
    block = 'rx/%s/%s' % (link, size)
    for mode, floor in (('readv', 'bare recv'), ('recvmmsg', 'bare recvmmsg')):
        bars.add(block, 'rate', 'fdlink ' + mode, floor, '>=', .95)
        bars.add(block, 'cpu_ns', 'fdlink ' + mode, floor, '<=', 1.07)
    bars.add(block, 'cpu_ns', 'fdlink packet_mmap', 'libpcap', '<=', 1.1)
    if size == 64:
        bars.add(block, 'cpu_ns', 'fdlink adaptive', None, '<=', 100)
        return
    mode = 'readv' if link == 'tap' else 'recvmmsg'
    bars.add(block, 'cpu_ns', 'fdlink ' + mode, 'gVisor ' + mode, '<=',
             AGAINST_GVISOR[link])
    bars.add(block, 'cpu_ns', 'fdlink packet_mmap', 'gVisor packet_mmap',
             '<=', .05)


def send(bars, link, size):
    for batch in 1, 8, 47, 256:
        block = 'tx/%s/%s/%s' % (link, size, batch)
        for who in 'fdlink', 'fdlink write':
            bars.add(block, 'rate', who, 'bare', '>=', .95)
            bars.add(block, 'cpu_ns', who, 'bare', '<=', 1.07)
    if size != 64:
        bars.add('tx/%s/%s/47' % (link, size), 'cpu_ns', 'fdlink', 'gVisor',
                 '<=', AGAINST_GVISOR[link])


def stream(bars):
    bars.add('rx/stream/64', 'cpu_ns', 'fdlink readv', SEQPACKET, '<=', 2)
    for batch in 1, 8, 47, 256:
        bars.add('tx/stream/64/%d' % batch, 'cpu_ns', 'fdlink', SEQPACKET,
                 '<=', 2)


def tcp(bars):
    bars.add('tcp/in', 'gbit', OFFLOAD, TAPIF, '>=', 15)
    bars.add('tcp/in', 'gbit', OFFLOAD, KERNEL, '>=', 1)
    bars.add('tcp/in', 'gbit', OFFLOAD, GVISOR_VETH, '>=', 3)
    bars.add('tcp/out', 'gbit', OFFLOAD, TAPIF, '>=', 8)
    # By merging alone, and by segmentation offload.
    bars.add('tcp/out', 'gbit', OFFLOAD, KERNEL, '>=', .4)
    bars.add('tcp/out', 'gbit', TSO, KERNEL, '>=', .8)
    bars.add('tcp/out', 'gbit', OFFLOAD, GVISOR_VETH, '>=', 1)
    for who in PLAIN, OFFLOAD, TSO:
        bars.add('tcp/in', 'gbit', who + IPV6, who, '>=', .9)
        bars.add('tcp/out', 'gbit', who + IPV6, who, '>=', .9)
        bars.add('tcp/ping', 'p50_us', who, TAPIF, '<=', 1)


def wire(bars):
    bars.add('wire/tcp', 'gbit', WIRE_TAP, KERNEL, '>=', .7)
    bars.add('wire/tcp', 'gbit', WIRE_PACKET, KERNEL, '>=', .7)
    bars.add('wire/tcp', 'gbit', WIRE_UNIX, KERNEL, '>=', .35)
    for who in WIRE_PACKET, WIRE_MIXED, WIRE_CUT:
        bars.add('wire/tunnel', 'gbit', who, WIRE_CUT + NO_TUNNEL, '>=', .7)
    for who in WIRE_PACKET, WIRE_MIXED:
        for version in '', IPV6:
            bars.add('wire/big', 'gbit', who + BIG + version, who + version,
                     '>=', .9)
    for name in 'wire/flood/64', 'wire/lone/64':
        for ours, floor in (WIRE, BARE), (WIRE_HDR, BARE_HDR):
            bars.add(name, 'cpu_ns', ours, floor, '<=', 1.05)
    bars.add('wire/lone/64', 'p50_us', WIRE, BARE, '<=', 1.05)


def judge(samples):
    bars = Bars(samples)
    for link in 'seqpacket', 'datagram', 'veth', 'tap':
        for size in 64, 1500:
            receive(bars, link, size)
            send(bars, link, size)
    stream(bars)
    for rate in 100, 1000, 20000:
        bars.add('lone/veth/%d' % rate, 'p50_us', 'fdlink adaptive',
                 'fdlink recvmmsg', '<=', 2)
    bars.add('lone/veth/saturated', 'p50_us', 'fdlink adaptive', None, '<=',
             600)
    for block in sorted(samples):
        if block.startswith('queues/'):
            bars.add(block, 'drain_us', '2 queues', '1 queue', '<=', .6)
    tcp(bars)
    wire(bars)
    return bars.bars
