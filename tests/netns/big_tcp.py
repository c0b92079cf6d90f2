# SPDX-License-Identifier: Apache-2.0
"""40 MB of the kernel's own BIG TCP, and whether the same bytes arrive.

    big_tcp.py allow DEVICE BYTES    its gso_max_size, IPv4 and IPv6
    big_tcp.py take ADDRESS PORT     prints "ready", then the SHA-256
    big_tcp.py give ADDRESS PORT     prints the SHA-256
"""

import hashlib
import random
import socket
import struct
import sys

SIZE = 40000000
RTM_NEWLINK, REQUEST_ACK = 16, 5
GSO_MAX_SIZE, GSO_IPV4_MAX_SIZE = 41, 63


def allow(device, size):
    """By hand, because older ip(8) know only the first of the two."""
    body = struct.pack('=BxHiII', 0, 0, socket.if_nametoindex(device), 0, 0)
    for kind in GSO_MAX_SIZE, GSO_IPV4_MAX_SIZE:
        body += struct.pack('=HHI', 8, kind, size)
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    s.send(struct.pack('=IHHII', 16 + len(body), RTM_NEWLINK, REQUEST_ACK, 1,
                       0) + body)
    error = struct.unpack('=i', s.recv(4096)[16:20])[0]
    return 'cannot be raised: %d' % error if error else 0


def take(address, port):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    with socket.create_server((address, port), family=family) as server:
        print('ready', flush=True)
        peer = server.accept()[0]
    digest = hashlib.sha256()
    while True:
        data = peer.recv(1 << 20)
        if not data:
            break
        digest.update(data)
    print(digest.hexdigest())


def give(address, port):
    data = random.Random(port).randbytes(SIZE)
    s = socket.create_connection((address, port))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    s.sendall(data)
    s.close()
    print(hashlib.sha256(data).hexdigest())


sys.exit({'allow': allow, 'take': take, 'give': give}[sys.argv[1]](
    sys.argv[2], int(sys.argv[3])))
