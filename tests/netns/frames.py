# SPDX-License-Identifier: Apache-2.0
"""Frames of any kind, sent into one end of a wire and expected at the other.

    frames.py send DEVICE      one of each kind
    frames.py expect DEVICE    until all have come, byte for byte
    frames.py numbers DEVICE   many frames, numbered, and a mark at the end
    frames.py count DEVICE     the numbers that come before the mark
"""

import socket
import struct
import sys

ETH_P_ALL, SOL_PACKET, PACKET_AUXDATA = 3, 263, 8
OURS = bytes.fromhex('02000000f00d')
EXPERIMENT = 0x88b5     # for local experiments: IEEE 802
NUMBERS = 200
MARK = 0xffffffff
SECONDS = 60

TO = {
    'unicast': bytes.fromhex('020000000001'),
    'broadcast': b'\xff' * 6,
    'pause': bytes.fromhex('0180c2000001'),
    'LACP': bytes.fromhex('0180c2000002'),
    'LLDP': bytes.fromhex('0180c200000e'),
    'STP': bytes.fromhex('0180c2000000'),
}
TAGS = {
    'none': b'',
    'VLAN': bytes.fromhex('81000007'),
    'QinQ': bytes.fromhex('88a8000981000007'),
    'priority': bytes.fromhex('8100e000'),
}
TYPES = [0x0800, 0x0806, 0x86dd, 0x8809, 0x88cc, EXPERIMENT, 0x0040]


def frames():
    number = 0
    for to in TO.values():
        for tags in TAGS.values():
            for kind in TYPES:
                number += 1
                yield (to + OURS + tags + struct.pack('!HI', kind, number) +
                       bytes(60))


def bind(device):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                      socket.htons(ETH_P_ALL))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.bind((device, 0))
    s.settimeout(SECONDS)
    return s


def receive(s):
    """A frame with the tag that the kernel took off it."""
    data, notes, _, _ = s.recvmsg(2048, 64)
    for _, _, note in notes:
        status, _, _, _, _, tag, tpid = struct.unpack('IIIHHHH', note[:20])
        if status & 0x10:   # TP_STATUS_VLAN_VALID
            data = data[:12] + struct.pack('!HH', tpid, tag) + data[12:]
    return data


def send(device):
    s = bind(device)
    for frame in frames():
        s.send(frame)


def expect(device):
    s = bind(device)
    missing = set(frames())
    print('ready', flush=True)
    while missing:
        try:
            missing.discard(receive(s))
        except TimeoutError:
            sys.exit(f'{len(missing)} are missing: {min(missing).hex()}')


def numbers(device):
    s = bind(device)
    head = TO['unicast'] + OURS + struct.pack('!H', EXPERIMENT)
    for number in range(NUMBERS):
        s.send(head + struct.pack('!I', number) + bytes(60))
    for _ in range(64):
        s.send(head + struct.pack('!I', MARK) + bytes(60))


def count(device):
    s = bind(device)
    came = []
    print('ready', flush=True)
    while True:
        data = receive(s)
        if data[6:14] != OURS + struct.pack('!H', EXPERIMENT):
            continue
        number = struct.unpack('!I', data[14:18])[0]
        if number == MARK:
            break
        came.append(number)
    print(came)


{'send': send, 'expect': expect, 'numbers': numbers,
 'count': count}[sys.argv[1]](sys.argv[2])
