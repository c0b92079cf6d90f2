# SPDX-License-Identifier: Apache-2.0
"""A wire of one queue at each end has one thread, and a wire of several has one
for each: all flows get across, in order, and whatever ends it ends all of it.

    strands.py FDLINK [OPTION]...
"""

import collections
import json
import os
import signal
import socket
import struct
import subprocess
import sys

from wire_process import wait_until

IP, UDP = 0x0800, 17
HEAD = bytes.fromhex('020000000001' '02000000f00d' '0800')
TAPS = 's0', 's1'
FLOWS, ROUNDS = 32, 20
INSIDE = 'FDLINK_TEST_INSIDE'


def packet(flow, number):
    """UDP over IPv4 in Ethernet, from a port that is the flow's number."""
    payload = struct.pack('!HI', flow, number)
    udp = struct.pack('!HHHH', 1000 + flow, 7, 8 + len(payload), 0)
    ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 28 + len(payload), 0, 0, 64, UDP,
                     0, bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)))
    return HEAD + ip + udp + payload


def is_up(tap):
    """Until the kernel has noted the carrier it drops what is sent."""
    shown = json.loads(subprocess.check_output(
        ['ip', '-json', 'link', 'show', tap]))[0]
    return 'LOWER_UP' in shown['flags'] and shown['qdisc'] != 'noop' and \
        shown['operstate'] != 'DOWN'


class Wire:
    def __init__(self, queues):
        words = ['tap:%s%s' % (tap, ',queues=%d' % queues if queues > 1 else '')
                 for tap in TAPS]
        self.process = subprocess.Popen(
            [sys.argv[1], 'connect'] + words + sys.argv[2:], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.process.stdout.readline()
        self.sockets = [self.attach(tap) for tap in TAPS]
        for tap in TAPS:
            wait_until(tap + ' that is up', lambda tap=tap: is_up(tap))

    @staticmethod
    def attach(tap):
        subprocess.run(['ip', 'link', 'set', tap, 'up'], check=True)
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        s.bind((tap, IP))
        s.settimeout(60)
        return s

    def threads(self):
        return len(os.listdir('/proc/%d/task' % self.process.pid))

    def carries(self):
        """Each flow in its order; of several flows any may be first."""
        for here, there in self.sockets, self.sockets[::-1]:
            last = collections.Counter()
            for number in range(1, ROUNDS + 1):
                for flow in range(FLOWS):
                    here.send(packet(flow, number))
                for _ in range(FLOWS):
                    flow, came = struct.unpack('!HI', there.recv(2048)[42:48])
                    assert came == last[flow] + 1, (flow, came, last[flow])
                    last[flow] = came

    def ends(self, status, says):
        for s in self.sockets:
            s.close()
        out, error = self.process.communicate(timeout=60)
        assert self.process.returncode == status, (self.process.returncode,
                                                   error)
        assert says in error, error
        assert 'wire_held' in out, out


def wait_for_devices():
    wait_until('TAPs that are gone', lambda: not any(
        os.path.exists('/proc/sys/net/ipv4/conf/' + tap) for tap in TAPS))


def stands(queues):
    wire = Wire(queues)
    wire.carries()
    # The thread sanitizer has one of its own.
    assert '--no-sandbox' in sys.argv or wire.threads() == queues, \
        wire.threads()
    wire.process.send_signal(signal.SIGUSR1)
    wire.carries()
    wire.process.send_signal(signal.SIGINT)
    wire.ends(0, '')
    wait_for_devices()
    for tap in TAPS:
        wire = Wire(queues)
        wire.carries()
        subprocess.run(['ip', 'link', 'del', tap], check=True)
        wire.ends(1, 'tap:%s' % tap)
        wait_for_devices()
    print('%d queues: passed' % queues)


if INSIDE not in os.environ:
    os.environ[INSIDE] = '1'
    os.execvp('unshare', ['unshare', '-n' if os.geteuid() == 0 else '-Urn',
                          sys.executable] + sys.argv)
with open('/proc/sys/net/ipv6/conf/default/disable_ipv6', 'w',
          encoding='ascii') as f:
    f.write('1')
for n in 1, 2, 5:
    stands(n)
