# SPDX-License-Identifier: Apache-2.0
"""One super-packet of BIG TCP into a wire, and what comes out of it.

    big.py IN OUT       devices; IN's gso_max_size is raised
"""

import socket
import struct
import sys
import time

SOL_PACKET, PACKET_VNET_HDR = 263, 15
ETH_P_ALL = 3
PAYLOAD, MSS = 150000, 1000
MAC_IN, MAC_OUT = b'\2\0\0\0\0\1', b'\2\0\0\0\0\2'
NEEDS_CSUM, TCPV4, TCPV6 = 1, 1, 4


def open_on(device):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((device, ETH_P_ALL))
    s.settimeout(30)
    return s


def words(data):
    return sum(struct.unpack('>%dH' % (len(data) // 2), data))


def folded(total):
    while total >> 16:
        total = (total >> 16) + (total & 0xffff)
    return total


def big(version):
    ends = (bytes([192, 0, 2, 1, 192, 0, 2, 2]) if version == 4 else
            b'\xfd' + bytes(15) + b'\xfd' + bytes(15))
    pseudo = folded(words(ends) + 6 + 20 + PAYLOAD)
    tcp = struct.pack('>HHIIBBHHH', 1000, 2000, 7, 0, 0x50, 0x10, 512, pseudo, 0)
    if version == 4:
        ip = struct.pack('>BBHHHBBH', 0x45, 0, 0, 1, 0x4000, 64, 6, 0) + ends
        check = folded(words(ip)) ^ 0xffff
        ip = ip[:10] + struct.pack('>H', check) + ip[12:]
    else:
        ip = struct.pack('>IHBB', 6 << 28, 0, 6, 64) + ends
    kind = b'\x08\x00' if version == 4 else b'\x86\xdd'
    start = 14 + len(ip)
    hdr = struct.pack('=BBHHHH', NEEDS_CSUM, TCPV4 if version == 4 else TCPV6,
                      start + 20, MSS, start, 16)
    data = (bytes(range(251)) * (PAYLOAD // 251 + 1))[:PAYLOAD]
    return hdr + MAC_OUT + MAC_IN + kind + ip + tcp + data, start, data


def cross(near, far, version):
    frame, start, data = big(version)
    near.send(frame)
    got, end = b'', time.monotonic() + 30
    while len(got) < PAYLOAD and time.monotonic() < end:
        piece = far.recv(1 << 17)[10:]
        if piece[6:12] == MAC_IN and piece[start:start + 4] == b'\x03\xe8\x07\xd0':
            assert struct.unpack('>I', piece[start + 4:start + 8])[0] == \
                7 + len(got), 'out of order'
            got += piece[start + 20:]
    assert got == data, 'IPv%d: %d bytes' % (version, len(got))


def main():
    near, far = open_on(sys.argv[1]), open_on(sys.argv[2])
    for version in 4, 6:
        cross(near, far, version)


main()
