# SPDX-License-Identifier: Apache-2.0
"""What is measured: blocks of contenders that take turns."""

import os
import subprocess

import bars
import network
import wires

LINKS = 'seqpacket', 'datagram', 'veth', 'tap'
# With what fdlink wants of the kernel: a TAP's virtio-net header, for one.
AUX, HDR = ', aux', 'taphdr'
SIZES = 64, 1500
BATCHES = 1, 8, 47, 256
RATES = 100, 1000, 20000
SATURATED = 10 ** 8         # a rate that no feeder keeps: as fast as it can
GVISOR_MODES = {
    'seqpacket': ('readv', 'recvmmsg'),
    'datagram': ('readv', 'recvmmsg'),
    'veth': ('readv', 'recvmmsg', 'packet_mmap'),
    'tap': ('readv',),
}
GSO = 64000


class Plan:
    def __init__(self, runner, build, quick, missing):
        self.runner = runner
        self.bench = os.path.join(build, 'bench')
        self.fdlink = os.path.join(build, 'cli', 'fdlink')
        self.quick = quick
        self.missing = missing
        self.unusable = set()
        self.warmup, self.window = ('.08', '.12') if quick else ('.3', '.35')
        self.gvisor = self.program('gvisor')
        self.has_gvisor = os.path.exists(self.gvisor)

    def program(self, name):
        return os.path.join(self.bench, name)

    def readers(self, link):
        done = subprocess.run([self.program('rx'), 'list', link], check=False,
                              capture_output=True, text=True)
        return done.stdout.splitlines()

    def usable_links(self):
        """All, but for a TAP that this user may not make."""
        for link in LINKS:
            if self.readers(link):
                yield link
            elif link not in self.unusable:
                self.unusable.add(link)
                self.missing.append('%s: this user may not open one' % link)

    # Receiving

    def receive(self):
        with network.Quiet():
            for link in self.usable_links():
                for size in SIZES:
                    self.flood(link, size)
            self.stream_receive()
            for link in self.usable_links():
                self.backlog(link)
            self.queues()

    def stream_receive(self):
        """A stream beside bare loops on a pair that keeps boundaries."""
        for size in SIZES:
            def one(reader, kind, size=size):
                return [self.program('rx'), 'flood', kind, str(size), reader,
                        self.warmup, self.window]
            self.runner.block('rx/stream/%d' % size, {
                'fdlink readv': one('fdlink readv', 'stream'),
                bars.SEQPACKET: one('bare recvmmsg', 'seqpacket')})

    def flood(self, link, size):
        def one(reader, kind=link):
            return [self.program('rx'), 'flood', kind, str(size), reader,
                    self.warmup, self.window]
        found = {name: one(name) for name in self.readers(link)}
        if link == 'tap':
            found.update({name + AUX: one(name, HDR)
                          for name in self.readers(HDR)})
        if self.has_gvisor:
            for mode in GVISOR_MODES[link]:
                found['gVisor ' + mode] = one(
                    'exec %s rx %d %s' % (self.gvisor, size, mode))
        # What no target is about.
        self.runner.block('rx/%s/%d' % (link, size), found, seldom=[
            name for name in found if 'aux' in name or name == 'bare V3 ring'
            or size == 64 and name.startswith('gVisor')])

    def backlog(self, link):
        self.runner.block('backlog/%s/64' % link, {
            name: [self.program('rx'), 'backlog', link, '64', name,
                   self.window] for name in self.readers(link)},
            self.runner.few)

    def queues(self):
        for name in self.readers('veth'):
            kind, _, mode = name.partition(' ')
            if kind == 'fdlink':
                self.runner.block('queues/' + mode, {
                    '%d queue%s' % (n, 's'[:n - 1]):
                    [self.program('queues'), mode, str(n), '64', self.window]
                    for n in (1, 2)})

    # A packet alone

    def lone(self):
        rates = [(str(r), r) for r in RATES] + [('saturated', SATURATED)]
        with network.Quiet():
            names = [n for n in self.readers('veth') if 'aux' not in n]
            for label, rate in rates:
                slow = rate == RATES[0]
                if self.quick:
                    window = '.4' if slow else '.15'
                else:
                    window = '2' if slow else '.8'
                self.runner.block('lone/veth/' + label, {
                    name: [self.program('rx'), 'lone', 'veth', '64', name,
                           '.1', window, str(rate)]
                    for name in names}, self.runner.few)

    # Sending

    def send(self):
        with network.Quiet():
            for link in self.usable_links():
                for size in SIZES:
                    for batch in (1, 47) if self.quick else BATCHES:
                        self.send_batch(link, size, batch)
            for size in SIZES:
                for batch in (1, 47) if self.quick else BATCHES:
                    self.stream_send(size, batch)

    def stream_send(self, size, batch):
        def one(writer, kind):
            return [self.program('tx'), kind, str(size), str(batch), writer,
                    '.08' if self.quick else '.1', self.window]
        self.runner.block('tx/stream/%d/%d' % (size, batch), {
            'fdlink': one('fdlink', 'stream'),
            bars.SEQPACKET: one('bare', 'seqpacket')})

    def send_batch(self, link, size, batch):
        def one(writer, kind=link):
            return [self.program('tx'), kind, str(size), str(batch), writer,
                    '.08' if self.quick else '.1', self.window]
        names = ['bare', 'fdlink'] + (['fdlink write'] if batch == 1 else [])
        found = {name: one(name) for name in names}
        if link == 'veth':
            found['bare' + AUX] = one('bare' + AUX)
        if link == 'tap':
            found.update({name + AUX: one(name, HDR) for name in names})
        if self.has_gvisor and batch == 47:
            found['gVisor'] = one('exec %s tx %d 47' % (self.gvisor, size))
        self.runner.block('tx/%s/%d/%d' % (link, size, batch), found,
                          seldom=[name for name in found if AUX in name])

    # A wire

    def wire(self):
        with network.Quiet():
            self.wire_packets()
        with network.Peer() as peer:
            made = wires.Wires(self.fdlink, self.program('tcp'), peer,
                               self.missing)
            try:
                made.make_all()
                self.runner.alive = [p.pid for p in made.processes]
                self.wire_streams(made)
            finally:
                made.stop()
                self.runner.alive = []

    def wire_packets(self):
        off = ',offload=off'
        commands = {
            bars.BARE: ['bare'],
            bars.WIRE: [self.fdlink, 'connect', 'tap:fdt0' + off,
                        'tap:fdt1' + off],
            bars.BARE_HDR: ['header'],
            bars.WIRE_HDR: [self.fdlink, 'connect', 'tap:fdt0', 'tap:fdt1'],
        }
        program = self.program('wire')
        self.runner.block('wire/flood/64', {
            who: [program, 'flood', '64', self.warmup, self.window] + argv
            for who, argv in commands.items()})
        self.runner.block('wire/lone/64', {
            who: [program, 'lone', '64', '.1', '.3' if self.quick else '1',
                  '1000'] + argv for who, argv in commands.items()})

    def wire_streams(self, made):
        """CPU is that of the processes between the two kernels."""
        seconds = '.25' if self.quick else '1'

        def argv(who, address):
            pids = [str(pid) for pid in made.clock[who]] or ['0']
            return [self.program('tcp'), 'in', '1', address %
                    made.number[who], seconds] + pids
        self.runner.block('wire/tcp', {
            who: argv(who, wires.PLAIN) for who in made.number
            if bars.BIG not in who and who != bars.WIRE_CUT})
        inside = {who: argv(who, wires.INSIDE) for who in made.tunnelled}
        if bars.WIRE_CUT in inside:
            inside[bars.WIRE_CUT + bars.NO_TUNNEL] = argv(bars.WIRE_CUT,
                                                          wires.PLAIN)
        self.runner.block('wire/tunnel', inside)
        self.runner.block('wire/big', {
            who + version: argv(who, address) for who in (
                bars.WIRE_PACKET, bars.WIRE_PACKET + bars.BIG,
                bars.WIRE_MIXED, bars.WIRE_MIXED + bars.BIG)
            for version, address in (('', wires.PLAIN),
                                     (bars.IPV6, wires.PLAIN6))
            if who in made.number})

    # TCP

    def host(self, link, n, *options):
        return [self.fdlink, 'host', link, '--address', '10.0.%d.2/24' % n,
                '--address', 'fd00:%x::2/64' % n] + list(options)

    def has_offload(self, value):
        done = subprocess.run([self.fdlink, 'host', '--help'], text=True,
                              capture_output=True, check=False)
        words = done.stdout.split()
        return '--offload' in words and value in words[
            words.index('--offload') + 1].split('|')

    def start_stacks(self, peer, started):
        """Fill started with {name: (stack, number, prefix of clients)}."""
        switch = self.has_offload('off')

        def on_tap(name, n, make):
            self.try_start(started, name, n, [],
                           lambda: make(network.tap(n)))

        def on_veth(name, n, make):
            self.try_start(started, name, n, peer.inside,
                           lambda: make(peer.veth(n)))

        def kernel(device):
            network.ip('address', 'add', '10.0.1.2/24', 'dev', device)
            network.ip('address', 'add', 'fd00:1::2/64', 'dev', device,
                       'nodad')
            return network.Stack([self.program('tcp'), 'serve'])

        def gvisor(fd, n, gso):
            return network.Stack([self.gvisor, 'host', '10.0.%d.2' % n,
                                  'fd00:%x::2' % n, str(gso), str(fd)], fd)

        on_veth(bars.KERNEL, 1, kernel)
        if os.path.exists(self.fdlink):
            on_tap(bars.TAPIF, 2, lambda device: network.Stack(
                [self.program('lwip_tapif'), device, '10.0.2.2']))
            on_tap(bars.PLAIN, 3, lambda device: network.Stack(
                self.host('tap:' + device, 3,
                          *(('--offload', 'off') if switch else ()))))
            on_veth(bars.VETH, 7, lambda device: network.Stack(
                self.host('packet:' + device, 7)))
        if switch:
            on_tap(bars.OFFLOAD, 4, lambda device: network.Stack(
                self.host('tap:' + device, 4, '--offload', 'on')))
            if self.has_offload('tso'):
                on_tap(bars.TSO, 8, lambda device: network.Stack(
                    self.host('tap:' + device, 8, '--offload', 'tso')))
        else:
            self.missing.append(bars.OFFLOAD + ': fdlink host has no option '
                                'for it')
        if self.has_gvisor:
            on_tap(bars.GVISOR_TAP, 5, lambda device: gvisor(
                network.open_tap(device), 5, 0))
            on_veth(bars.GVISOR_VETH, 6, lambda device: gvisor(
                network.open_packet(device, True), 6, GSO))

    def try_start(self, started, name, n, prefix, make):
        try:
            started[name] = make(), n, prefix
        except (OSError, subprocess.CalledProcessError) as error:
            self.missing.append('%s: %s' % (name, error))

    def tcp(self):
        started = {}
        with network.Peer() as peer:
            try:
                self.start_stacks(peer, started)
                self.runner.alive = [s.pid for s, _, _ in started.values()]
                self.tcp_blocks(started)
            finally:
                for stack, _, _ in started.values():
                    stack.stop()
                self.runner.alive = []

    def tcp_blocks(self, started):
        seconds = '.25' if self.quick else '1'

        def argv(who, words, address):
            stack, n, prefix = started[who]
            return prefix + [self.program('tcp')] + words + [
                address % n, seconds, str(stack.pid)]

        def block(name, words, rounds=None, six=()):
            found = {who: argv(who, words, '10.0.%d.2') for who in started}
            found.update({who + bars.IPV6: argv(who, words, 'fd00:%x::2')
                          for who in six if who in started})
            # What no target is about.
            self.runner.block('tcp/' + name, found, rounds, seldom=[
                who for who in found if who == bars.VETH or
                who.endswith(bars.IPV6) and 'lwIP' not in who])

        six = (bars.KERNEL, bars.PLAIN, bars.OFFLOAD, bars.TSO,
               bars.GVISOR_VETH)
        block('in', ['in', '1'], six=six)
        block('out', ['out', '1'], six=six)
        block('in, 16 streams', ['in', '16'], self.runner.few)
        block('out, 16 streams', ['out', '16'], self.runner.few)
        block('ping', ['ping'])
        block('connect', ['connect'], self.runner.few)
