#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speak datagrams as libkrun and vfkit do, and as the switches they connect to.

    vfkit.py vm PATH        a machine: binds PATH-krun.sock, connects to PATH,
                            says hello, and asks the host for its address
    vfkit.py switch PATH    a switch: binds PATH, prints "ready", waits for the
                            hello, and asks its sender

Whoever it is asks three times by ARP, and by an echo request each, and ends with
status 0 when it has all answers.
"""

import os
import socket
import struct
import sys

HELLO = b'VFKT'
OURS, THEIRS = (socket.inet_aton(a) for a in ('192.0.2.1', '192.0.2.2'))
MAC = bytes.fromhex('020000000101')
PATIENCE = 60


def frame(to, protocol, payload):
    return to + MAC + struct.pack('!H', protocol) + payload


def arp_request():
    return frame(b'\xff' * 6, 0x0806, bytes.fromhex('0001080006040001') + MAC +
                 OURS + bytes(6) + THEIRS)


def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack('!H', ~total & 0xffff)


def echo_request(to, number):
    icmp = struct.pack('!BBHHH', 8, 0, 0, 7, number) + b'fdlink' * 5
    icmp = icmp[:2] + checksum(icmp) + icmp[4:]
    ip = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(icmp), number, 0x4000, 64,
                     1, 0) + OURS + THEIRS
    return frame(to, 0x0800, ip[:10] + checksum(ip) + ip[12:] + icmp)


def wait_for(peer, is_it):
    """Frames of other sorts are passed over."""
    while True:
        data = peer.recv(2000)
        if data == HELLO:
            sys.exit('a hello came where a frame was due')
        if is_it(data):
            return data


def talk(peer):
    for number in range(1, 4):
        peer.send(arp_request())
        answer = wait_for(peer, lambda d: d[12:14] == b'\x08\x06' and
                          d[20:22] == b'\x00\x02' and d[28:32] == THEIRS)
        host = answer[6:12]
        peer.send(echo_request(host, number))
        wait_for(peer, lambda d, want=number: d[12:14] == b'\x08\x00' and
                 d[23] == 1 and d[34] == 0 and
                 d[40:42] == struct.pack('!H', want))


def machine(path):
    own = path + '-krun.sock'
    if os.path.exists(own):
        os.unlink(own)
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    peer.settimeout(PATIENCE)
    peer.bind(own)
    peer.connect(path)
    peer.send(HELLO)
    talk(peer)


def switch(path):
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    peer.settimeout(PATIENCE)
    peer.bind(path)
    print('ready', flush=True)
    data, sender = peer.recvfrom(2000)
    if data != HELLO:
        sys.exit('%d bytes came where the hello was due' % len(data))
    if not sender:
        sys.exit('who said hello cannot be answered')
    peer.connect(sender)
    talk(peer)


if __name__ == '__main__':
    {'vm': machine, 'switch': switch}[sys.argv[1]](sys.argv[2])
