# SPDX-License-Identifier: Apache-2.0
"""The kernel's sockets at both ends of a link, and what must get across.

    ends.py serve FILE          until it is killed
    ends.py talk HOST FILE MTU  with one that serves the same file
    ends.py put HOST FILE       the file alone, to it
    ends.py tcp HOST FILE       both ways
    ends.py echo HOST MTU       datagrams there and back, with an lwIP
"""

import errno
import hashlib
import os
import socket
import struct
import sys
import threading

TCP_PORT, UDP_PORT = 5001, 7
SOL_UDP, UDP_SEGMENT, UDP_GRO = 17, 103, 104
CHUNK = 1 << 18
PACED, SMALL = 300, 160
# Three of no operation and the end; a destination option of padding.
IP4_OPTIONS = b'\1\1\1\0'
IP6_OPTIONS = b'\0\0\1\4\0\0\0\0'


def digest_of(stream):
    found = hashlib.sha256()
    while True:
        data = stream.recv(CHUNK)
        if not data:
            return found.hexdigest().encode()
        found.update(data)


def serve_one(conn, path):
    with conn:
        if conn.recv(1) == b'g':
            with open(path, 'rb') as f:
                conn.sendfile(f)
        else:
            conn.sendall(digest_of(conn))


def send_back(s, data, sizes, peer):
    try:
        s.sendmsg([data], [(SOL_UDP, UDP_SEGMENT, struct.pack('H', n))
                           for n in sizes], 0, peer)
    except OSError as error:
        # As in run(), or they are longer than the path takes.
        if error.errno not in (errno.EIO, errno.EMSGSIZE) or not sizes:
            raise
        for at in range(0, len(data), sizes[0]):
            s.sendto(data[at:at + sizes[0]], peer)


def serve_udp():
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind(('::', UDP_PORT))
    s.setsockopt(SOL_UDP, UDP_GRO, 1)
    while True:
        data, notes, _, peer = s.recvmsg(1 << 16, 64)
        size = [struct.unpack('i', what)[0] for _, _, what in notes]
        send_back(s, data, [n for n in size if n < len(data)], peer)


def serve(path):
    s = socket.create_server(('::', TCP_PORT), family=socket.AF_INET6,
                             dualstack_ipv6=True)
    threading.Thread(target=serve_udp, daemon=True).start()
    print('up', flush=True)
    while True:
        threading.Thread(target=serve_one, args=(s.accept()[0], path),
                         daemon=True).start()


def add_options(s, host):
    if ':' in host:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, IP6_OPTIONS)
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, IP4_OPTIONS)


def connect(host, kind, options=False):
    s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, kind)
    s.settimeout(30)
    if options:
        add_options(s, host)
    s.connect((host, UDP_PORT if kind == socket.SOCK_DGRAM else TCP_PORT))
    return s


def get(host, digest):
    with connect(host, socket.SOCK_STREAM) as s:
        s.sendall(b'g')
        assert digest_of(s) == digest, 'another file came'


def put(host, path, digest, size, options=False):
    with connect(host, socket.SOCK_STREAM, options) as s:
        s.sendall(b'p')
        with open(path, 'rb') as f:
            s.sendfile(f, 0, size)
        s.shutdown(socket.SHUT_WR)
        assert s.recv(64, socket.MSG_WAITALL) == digest, 'another file went'


def small(mtu):
    return 1, 2, 1199, 1200, mtu - 56


def large(mtu):
    """That fill the MTU, need fragments, and fill these."""
    return mtu - 48, mtu - 28, 4001, 3 * (mtu - 48) - 8


def datagrams(host, sizes, options=False):
    with connect(host, socket.SOCK_DGRAM, options) as s:
        for size in sizes:
            sent = os.urandom(size)
            s.send(sent)
            assert s.recv(1 << 16) == sent, size


def run(host, size, count):
    """Datagrams of size bytes, and a shorter one, in one super-packet."""
    sent = os.urandom(size * count - 1)
    with connect(host, socket.SOCK_DGRAM) as s:
        try:
            s.sendmsg([sent], [(SOL_UDP, UDP_SEGMENT, struct.pack('H', size))])
        except OSError as error:
            # Older kernels want a device that does checksums for it.
            assert error.errno == errno.EIO
            return
        for at in range(0, len(sent), size):
            assert s.recv(1 << 16) == sent[at:at + size], at


def paced(host):
    """Small datagrams of a few flows, one to three at a time. The next ones go when
    these are back, so none that waits for later ones to be merged with ever comes."""
    flows = [connect(host, socket.SOCK_DGRAM) for _ in range(3)]
    for n in range(PACED):
        s = flows[n % 5 % 3]
        sent = [os.urandom(SMALL) for _ in range(1 + n % 3)]
        for data in sent:
            s.send(data)
        assert [s.recv(1 << 16) for _ in sent] == sent, n
    for s in flows:
        s.close()


def digest_of_file(path):
    found = hashlib.sha256()
    with open(path, 'rb') as f:
        for data in iter(lambda: f.read(CHUNK), b''):
            found.update(data)
    return found.hexdigest().encode()


def tcp(host, path):
    digest = digest_of_file(path)
    get(host, digest)
    put(host, path, digest, None)


def talk(host, path, mtu):
    tcp(host, path)
    with open(path, 'rb') as f:
        start = hashlib.sha256(f.read(CHUNK)).hexdigest().encode()
    put(host, path, start, CHUNK, options=True)
    for options in False, True:
        datagrams(host, small(mtu) + large(mtu), options)
    run(host, 1000, 40)
    run(host, mtu - 48, 5)
    paced(host)


def echo(host, mtu):
    datagrams(host, small(mtu) + large(mtu))
    # lwIP reassembles no fragments that have options.
    datagrams(host, small(mtu), options=True)


if sys.argv[1] == 'serve':
    serve(sys.argv[2])
elif sys.argv[1] == 'talk':
    talk(sys.argv[2], sys.argv[3], int(sys.argv[4]))
elif sys.argv[1] == 'put':
    put(*sys.argv[2:4], digest_of_file(sys.argv[3]), None)
elif sys.argv[1] == 'tcp':
    tcp(sys.argv[2], sys.argv[3])
else:
    echo(sys.argv[2], int(sys.argv[3]))
