# SPDX-License-Identifier: Apache-2.0
"""Packets per second as bytes, by scapy's own L2socket and by the module fdlink.

    unshare -n env LD_LIBRARY_PATH=build/src PYTHONPATH=python \\
        taskset -c 1 /usr/bin/python3 bench/python.py [ROUNDS]

Bursts wait in a socket's buffer on one veth, and are taken out, sent on to
another veth, or both; the two take turns. A second is one of the process's CPU,
so that other programs do not count. The frames are UDP of one flow, which fdlink
sends as super-packets, or of a protocol that nobody can merge.
"""

import statistics
import subprocess
import sys
import time

import scapy.arch.linux
import scapy.config
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import fdlink

HEAD = dict(dst='ff:ff:ff:ff:ff:ff', src='02:00:00:00:00:01')
SIZES = 64, 1500
# Fewer than any of the buffers holds.
BURST = 1000
BATCH = 64


def one_flow(size):
    head = Ether(**HEAD) / IP(src='192.0.2.1', dst='192.0.2.2', id=0,
                              flags='DF') / UDP(sport=9, dport=9)
    return bytes(head / Raw(bytes(size - len(head))))


def no_flow(size):
    head = Ether(type=0x88b5, **HEAD)
    return bytes(head / Raw(bytes(size - len(head))))


class Scapy:
    def __init__(self):
        self.ins = scapy.arch.linux.L2Socket(iface='fdl-b')
        self.outs = scapy.arch.linux.L2Socket(iface='fdl-c')

    def receive(self, _frame):
        n = 0
        while n < BURST:
            n += self.ins.recv_raw()[1] is not None

    def send(self, frame):
        for _ in range(BURST):
            self.outs.send(frame)

    def forward(self, _frame):
        n = 0
        while n < BURST:
            data = self.ins.recv_raw()[1]
            if data is not None:
                n += 1
                self.outs.send(data)

    def close(self):
        self.ins.close()
        self.outs.close()


class Fdlink:
    def __init__(self):
        self.ins = fdlink.open('packet:fdl-b', mode=fdlink.MODE_PACKET_MMAP)
        self.outs = fdlink.open('packet:fdl-c', flags=fdlink.COALESCE,
                                tx_wait_ms=1000)

    def receive(self, _frame):
        n = 0
        while n < BURST:
            with self.ins.recv(BATCH, timeout=None) as batch:
                n += len(batch.tobytes())

    def send(self, frame):
        frames = [frame] * BATCH
        n = 0
        while n < BURST:
            n += self.outs.write_many(frames[:BURST - n])

    def forward(self, _frame):
        n = 0
        while n < BURST:
            with self.ins.recv(BATCH, timeout=None) as batch:
                frames = batch.tobytes()
            n += self.outs.write_many(frames)

    def close(self):
        self.ins.close()
        self.outs.close()


def measure(kind, what, source, frame):
    side = kind()
    try:
        if what != 'send':
            sent = 0
            while sent < BURST:
                sent += source.send([frame] * min(BATCH, BURST - sent))
        start = time.process_time()
        getattr(side, what)(frame)
        return BURST / (time.process_time() - start)
    finally:
        side.close()


def compare(rounds, name, what, source, frame):
    found = {Scapy: [], Fdlink: []}
    for _ in range(rounds):
        for kind, rates in found.items():
            rates.append(measure(kind, what, source, frame))
    own, ours = map(statistics.median, found.values())
    print('%s, %4d bytes, %-8s scapy %8d/s   fdlink %8d/s   %.1f times' %
          (name, len(frame), what, own, ours, ours / own), flush=True)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    scapy.config.conf.bufsize = 4 << 20
    for one, other in ('fdl-a', 'fdl-b'), ('fdl-c', 'fdl-d'):
        for args in (['add', 'name', one, 'type', 'veth', 'peer', 'name',
                      other], ['set', one, 'up'], ['set', other, 'up']):
            subprocess.run(['ip', 'link'] + args, check=True)
    with fdlink.open('packet:fdl-a') as source:
        for size in SIZES:
            for name, make in ('one flow', one_flow), ('no flow', no_flow):
                for what in 'receive', 'send', 'forward':
                    compare(rounds, name, what, source, make(size))


main()
