# SPDX-License-Identifier: Apache-2.0
"""Wires between two kernels: one here, one in a namespace of its own.

    fdaN, 10.0.N.1 - a wire - fdbN, 10.0.N.2, the ports of bench/tcp.c
    fdaN, fd00:N::1                   fdbN, fd00:N::2
    fdvN, 10.1.N.1 = VXLAN over some of them = fdvN, 10.1.N.2
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import bars
import network

PATIENCE = 10           # seconds until a wire is up
PLAIN, PLAIN6, INSIDE = '10.0.%d.2', 'fd00:%x::2', '10.1.%d.2'
BIG_BYTES = '180000'
BIG_TCP = os.path.join(os.path.dirname(os.path.realpath(__file__)),
                       '../../tests/netns/big_tcp.py')
TUNNELLED = bars.KERNEL, bars.WIRE_PACKET, bars.WIRE_MIXED, bars.WIRE_CUT


def wait_for(what, ready):
    end = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > end:
            raise OSError(what + ' did not come up')
        time.sleep(.02)


def there(path):
    return lambda: os.path.exists(path)


def device(name):
    """The devices of this process's namespace, wherever sysfs is of."""
    with open('/proc/self/net/dev', encoding='ascii') as f:
        return any(line.strip().startswith(name + ':') for line in f)


class Wires:
    """All of them, each up all the time: who is not used costs nothing."""

    def __init__(self, fdlink, tcp, peer, missing):
        self.fdlink, self.peer, self.missing = fdlink, peer, missing
        self.folder = tempfile.mkdtemp(prefix='fdlink-bench.')
        self.processes = []
        self.number = {}        # of each wire's devices
        self.clock = {}         # the processes whose CPU is a wire's
        self.tunnelled = []     # the wires below a tunnel
        self.server = self.start(peer.inside + [tcp, 'serve'])

    def start(self, argv):
        self.processes.append(subprocess.Popen(
            network.WITH_US + argv, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL))
        return self.processes[-1].pid

    def there(self, *words):
        done = subprocess.run(self.peer.inside + ['ip'] + list(words),
                              check=False, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise OSError('ip %s: %s' % (' '.join(words),
                                         done.stderr.strip()))

    def address(self, n):
        """The ends are there: give them addresses."""
        for ip, end, host in ((network.ip, 'fda%d' % n, 1),
                              (self.there, 'fdb%d' % n, 2)):
            ip('address', 'add', '10.0.%d.%d/24' % (n, host), 'dev', end)
            ip('address', 'add', 'fd00:%x::%d/64' % (n, host), 'dev', end,
               'nodad')
            ip('link', 'set', end, 'up')

    def tunnel(self, n):
        for ip, end, here, peer in ((network.ip, 'a', 1, 2),
                                    (self.there, 'b', 2, 1)):
            ip('link', 'add', 'fdv%d' % n, 'type', 'vxlan', 'id', str(n),
               'dstport', '4789', 'dev', 'fd%s%d' % (end, n),
               'local', '10.0.%d.%d' % (n, here),
               'remote', '10.0.%d.%d' % (n, peer), 'udpcsum')
            ip('address', 'add', '10.1.%d.%d/24' % (n, here), 'dev',
               'fdv%d' % n)
            ip('link', 'set', 'fdv%d' % n, 'up')

    def move(self, name):
        network.ip('link', 'set', name, 'netns', str(self.peer.holder.pid))

    def veths(self, n):
        """fdaN - fdcN and fddN - fdbN, for a wire between fdcN and fddN."""
        for end, middle in ('a', 'c'), ('b', 'd'):
            network.ip('link', 'add', 'fd%s%d' % (end, n), 'type', 'veth',
                       'peer', 'name', 'fd%s%d' % (middle, n))
            network.ip('link', 'set', 'fd%s%d' % (middle, n), 'up')
        self.move('fdb%d' % n)

    def connect(self, a, b):
        return self.start([self.fdlink, 'connect', a, b])

    # Each makes its two ends, and returns the pids that carry packets.

    def kernel(self, n):
        network.ip('link', 'add', 'fda%d' % n, 'type', 'veth', 'peer', 'name',
                   'fdb%d' % n)
        self.move('fdb%d' % n)
        return []

    def bridge(self, n):
        self.veths(n)
        network.ip('link', 'add', 'name', 'fde%d' % n, 'type', 'bridge')
        network.ip('link', 'set', 'fde%d' % n, 'up')
        for middle in 'cd':
            network.ip('link', 'set', 'fd%s%d' % (middle, n), 'master',
                       'fde%d' % n)
        return []

    def two_taps(self, n):
        return self.taps(n, [self.fdlink, 'connect', 'tap:fda%d' % n,
                             'tap:fdb%d' % n])

    def two_packets(self, n):
        self.veths(n)
        return [self.connect('packet:fdc%d' % n, 'packet:fdd%d' % n)]

    def mixed(self, n, options=''):
        """fdaN - fdcN, for a wire between fdcN and fdbN."""
        network.ip('link', 'add', 'fda%d' % n, 'type', 'veth', 'peer', 'name',
                   'fdc%d' % n)
        network.ip('link', 'set', 'fdc%d' % n, 'up')
        pid = self.connect('packet:fdc%d' % n, 'tap:fdb%d%s' % (n, options))
        wait_for('fdb%d' % n, lambda: device('fdb%d' % n))
        self.move('fdb%d' % n)
        return [pid]

    def cut(self, n):
        return self.mixed(n, ',offload=off')

    def allow_big(self, *devices):
        for name in devices:
            done = subprocess.run([sys.executable, BIG_TCP, 'allow', name,
                                   BIG_BYTES], check=False, text=True,
                                  stderr=subprocess.PIPE)
            if done.returncode:
                raise OSError('%s: gso_max_size %s' % (
                    name, done.stderr.strip()))

    def big_packets(self, n):
        self.veths(n)
        self.allow_big('fda%d' % n, 'fdd%d' % n)
        return [self.connect('packet:fdc%d' % n, 'packet:fdd%d' % n)]

    def big_mixed(self, n):
        pids = self.mixed(n)
        self.allow_big('fda%d' % n)
        return pids

    def by_unixgram(self, n):
        path = os.path.join(self.folder, 'link')
        first = self.connect('tap:fda%d' % n,
                             'unixgram:%s,listen,offload=on' % path)
        wait_for('the listening wire', there(path))
        second = self.connect('tap:fdb%d' % n,
                              'unixgram:%s,local=%s.2,offload=on' %
                              (path, path))
        # The listening end is up when it has met the other one.
        wait_for('fdb%d' % n, lambda: device('fdb%d' % n))
        wait_for('fda%d' % n, lambda: device('fda%d' % n))
        self.move('fdb%d' % n)
        return [first, second]

    def taps(self, n, argv):
        pid = self.start(argv)
        for name in 'fda%d' % n, 'fdb%d' % n:
            wait_for(name, lambda name=name: device(name))
        self.move('fdb%d' % n)
        return [pid]

    def socat(self, n):
        return self.taps(n, ['socat', '-b', '65536'] + [
            'TUN,tun-type=tap,iff-no-pi,tun-name=fd%s%d' % (end, n)
            for end in 'ab'])

    def vde_plug(self, n):
        return self.taps(n, ['vde_plug', 'tap://fda%d' % n,
                             'tap://fdb%d' % n])

    def make_all(self):
        for n, (who, program, make) in enumerate((
                (bars.KERNEL, 'ip', self.kernel),
                (bars.BRIDGE, 'ip', self.bridge),
                (bars.WIRE_TAP, self.fdlink, self.two_taps),
                (bars.WIRE_PACKET, self.fdlink, self.two_packets),
                (bars.WIRE_UNIX, self.fdlink, self.by_unixgram),
                (bars.WIRE_MIXED, self.fdlink, self.mixed),
                (bars.WIRE_CUT, self.fdlink, self.cut),
                (bars.WIRE_PACKET + bars.BIG, self.fdlink, self.big_packets),
                (bars.WIRE_MIXED + bars.BIG, self.fdlink, self.big_mixed),
                ('socat, two TAPs', 'socat', self.socat),
                ('vde_plug, two TAPs', 'vde_plug', self.vde_plug)), 1):
            if not shutil.which(program):
                self.missing.append('%s: not installed' % who)
                continue
            try:
                pids = make(n)
                self.address(n)
            except (OSError, subprocess.SubprocessError) as error:
                self.missing.append('%s: %s' % (who, error))
                continue
            self.number[who] = n
            self.clock[who] = pids
            if who in TUNNELLED:
                self.try_tunnel(who, n)

    def try_tunnel(self, who, n):
        try:
            self.tunnel(n)
        except (OSError, subprocess.SubprocessError) as error:
            self.missing.append('%s in VXLAN: %s' % (who, error))
            return
        self.tunnelled.append(who)

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.folder)
