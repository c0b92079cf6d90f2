# SPDX-License-Identifier: Apache-2.0
"""A path with a router, behind which it may be narrow.

    here                        router's namespace                     here
    fdaN ---------------------- fdbN   fdcN -------------------------- fddN
    10.0.N.1, fd00:N::1         .2, ::2    10.1.N.1, fd01:N::1         the host:
                                an MTU as told                         .2, ::2

Who is here takes no fragments, as if a firewall on the way dropped them.
"""

import os
import subprocess

import lossy
import network

WIDE, NARROW = 1500, 1280
PATIENCE = 60           # seconds
ROUTER = '''
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
ip address add 10.0.{n}.2/24 dev fdb{n}
ip address add fd00:{n:x}::2/64 dev fdb{n} nodad
ip address add 10.1.{n}.1/24 dev fdc{n}
ip address add fd01:{n:x}::1/64 dev fdc{n} nodad
ip link set fdb{n} mtu {mtu} up
ip link set fdc{n} up
'''


def prepare():
    """Of this namespace: no fragments are put together."""
    for name in 'ipv4.ipfrag', 'ipv6.ip6frag':
        network.sysctl('net.%s_low_thresh' % name, '0')
        network.sysctl('net.%s_high_thresh' % name, '0')


class Path(lossy.Processes):
    """who: an --offload of the host's. words: the IP version, and the MTU of
    the router's link to here."""

    def make(self, build, words):
        n = self.number
        self.version = words['version']
        router = self.stack.enter_context(network.Peer())
        for here, there in ('a', 'b'), ('d', 'c'):
            here, there = 'fd%s%d' % (here, n), 'fd%s%d' % (there, n)
            network.ip('link', 'add', here, 'type', 'veth', 'peer', 'name',
                       there, 'netns', str(router.holder.pid))
            self.stack.callback(lossy.delete, here)
            network.ip('link', 'set', here, 'up')
        subprocess.run(router.inside + ['sh', '-ec', ROUTER.format(
            n=n, mtu=words['mtu'])], check=True)
        near = 'fda%d' % n
        network.ip('address', 'add', '10.0.%d.1/24' % n, 'dev', near)
        network.ip('address', 'add', 'fd00:%x::1/64' % n, 'dev', near, 'nodad')
        network.ip('route', 'add', '10.1.%d.0/24' % n, 'via', '10.0.%d.2' % n)
        network.ip('route', 'add', 'fd01:%x::/64' % n, 'via', 'fd00:%x::2' % n)
        self.start([os.path.join(build, lossy.COMMAND), 'host',
                    'packet:fdd%d' % n, '--offload', self.who,
                    '--address', '10.1.%d.2/24' % n,
                    '--gateway', '10.1.%d.1' % n,
                    '--address', 'fd01:%x::2/64' % n,
                    '--gateway', 'fd01:%x::1' % n])
        self.wait()

    def wait(self):
        """Both routers' tables of neighbours are filled by the first packet,
        which a busy machine may take some time for."""
        ping = ['ping', '-n', '-q', '-c', '1', '-W', '1', self.address]
        for _ in range(PATIENCE):
            if not subprocess.run(ping, check=False,
                                  stdout=subprocess.DEVNULL).returncode:
                return
        raise OSError('no answer from %s' % self.address)

    @property
    def address(self):
        return ('10.1.%d.2' if self.version == 4 else
                'fd01:%x::2') % self.number
