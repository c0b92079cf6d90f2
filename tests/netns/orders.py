# SPDX-License-Identifier: Apache-2.0
"""Two wires and a link between them, of each kind that ends in a socket: they
start in either order, and each of them ends and starts again.

    x0 - fdlink connect - the link - fdlink connect - y0

    orders.py FDLINK [OPTION]...
"""

import os
import socket
import struct
import subprocess
import sys
import tempfile

from wire_process import frame, wait_until

EXPERIMENT = 0x88b5
TAPS = 'x0', 'y0'
INSIDE = 'FDLINK_TEST_INSIDE'

# What either side is given; {0} is a folder.
KINDS = {
    'seqpacket': ('seqpacket:{0}/l,listen,reconnect',
                  'seqpacket:{0}/l,reconnect'),
    'stream': ('stream:{0}/l,listen,reconnect', 'stream:{0}/l,reconnect'),
    'TCP': ('stream:127.0.0.1:5000,listen,reconnect',
            'stream:127.0.0.1:5000,reconnect'),
    'unixgram': ('unixgram:{0}/l,listen', 'unixgram:{0}/l,reconnect'),
    'unixgram, abstract': ('unixgram:@{0},listen', 'unixgram:@{0},reconnect'),
    'unixgram, addresses that are fixed': (
        'unixgram:{0}/m,local={0}/l,listen',
        'unixgram:{0}/l,local={0}/m,reconnect'),
    'vfkit': ('unixgram:{0}/l,vfkit,listen', 'unixgram:{0}/l,vfkit,reconnect'),
    'udp': ('udp:127.0.0.1:5001,local=127.0.0.1:5000',
            'udp:127.0.0.1:5000,local=127.0.0.1:5001,reconnect'),
    'with headers': ('stream:{0}/l,listen,reconnect,offload=v1',
                     'stream:{0}/l,reconnect,offload=v1'),
}


class Side:
    """A wire from a TAP to the link, and a socket on the TAP."""

    def __init__(self, tap, locator):
        self.tap, self.locator = tap, locator

    def start(self):
        self.process = subprocess.Popen(
            [sys.argv[1], 'connect', 'tap:' + self.tap, self.locator] +
            sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True)
        wait_until(self.tap + ' of ' + self.locator, self.is_up)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.bind((self.tap, EXPERIMENT))
        self.socket.settimeout(.1)

    def is_up(self):
        assert self.process.poll() is None, self.process.communicate()
        return subprocess.run(['ip', 'link', 'set', self.tap, 'up'],
                              check=False, capture_output=True
                              ).returncode == 0

    def end(self):
        self.socket.close()
        self.process.terminate()
        error = self.process.communicate()[1]
        assert self.process.returncode == 0, error

    def takes(self, number):
        """Whether that frame comes; those before it are gone then."""
        try:
            while self.socket.recv(2048)[14:18] != struct.pack('!I', number):
                pass
        except TimeoutError:
            return False
        return True


def joined(one, other):
    """Frames get across both ways, by and by. The peer of a datagram socket that
    listens is the one who sends first, so both do."""
    number = [0]
    came = set()

    def across():
        for here, there in (one, other), (other, one):
            number[0] += 1
            try:
                here.socket.send(frame(number[0]))
            except OSError:     # without a carrier
                continue
            if there.takes(number[0]):
                came.add(there)
        return len(came) == 2
    wait_until('frames between ' + one.locator + ' and ' + other.locator,
               across)


def starts(locators, folder):
    sides = [Side(tap, locator.format(folder))
             for tap, locator in zip(TAPS, locators)]
    for side in sides:
        side.start()
    joined(*sides)
    for side in sides:
        side.end()
        side.start()
        joined(*sides)
    for side in sides:
        side.end()


if INSIDE not in os.environ:
    os.environ[INSIDE] = '1'
    os.execvp('unshare', ['unshare', '-n' if os.geteuid() == 0 else '-Urn',
                          sys.executable] + sys.argv)
subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
with open('/proc/sys/net/ipv6/conf/default/disable_ipv6', 'w',
          encoding='ascii') as f:
    f.write('1')
for name, pair in KINDS.items():
    for order in pair, pair[::-1]:
        with tempfile.TemporaryDirectory(prefix='fdlink-test.') as where:
            starts(order, where)
    print(name + ': passed')
