#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Be the first peer of a socket that systemd listens at.

    activate.py datagram|seqpacket|stream PATH

It asks the host there as a virtual machine does (vfkit.py), without a hello.
"""

import os
import socket
import struct
import sys

import vfkit

TYPES = {'datagram': socket.SOCK_DGRAM, 'seqpacket': socket.SOCK_SEQPACKET,
         'stream': socket.SOCK_STREAM}


class Stream:
    """Each frame behind its length."""

    def __init__(self, connection):
        self.connection = connection

    def send(self, data):
        self.connection.sendall(struct.pack('!I', len(data)) + data)

    def take(self, size):
        return self.connection.recv(size, socket.MSG_WAITALL)

    def recv(self, _):
        return self.take(struct.unpack('!I', self.take(4))[0])


def main(kind, path):
    peer = socket.socket(socket.AF_UNIX, TYPES[kind])
    peer.settimeout(vfkit.PATIENCE)
    if kind == 'datagram':
        peer.bind(path + '.%d' % os.getpid())
    peer.connect(path)
    vfkit.talk(Stream(peer) if kind == 'stream' else peer)


if __name__ == '__main__':
    main(*sys.argv[1:])
