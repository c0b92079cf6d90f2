# SPDX-License-Identifier: Apache-2.0
"""scapy's sockets over fdlink.

    import fdlink.scapy
    fdlink.scapy.use()          # conf.L2socket and conf.L2listen

They take the arguments of scapy's own. Packets have their VLAN tags, the time
when the kernel saw them, and all their bytes: super-packets are cut into the
segments that a wire carries, with checksums completed. What was lost is in
stats().
"""

import ctypes
import errno
import socket
import struct
import time
from typing import Any, Dict, Optional, Tuple

# These tell scapy how to parse packets with a link header and without one.
import scapy.layers.inet6
import scapy.layers.l2
from scapy.config import conf
from scapy.data import ETH_P_ALL, MTU
from scapy.error import Scapy_Exception
from scapy.interfaces import network_name
from scapy.packet import Packet, Raw
from scapy.supersocket import SuperSocket

from . import RX_OUTGOING, Endpoint, from_fds

SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP = 1
PACKET_MR_PROMISC = 1
SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
RCVBUF = 4 << 20
ARPHRD_ETHER = 1
# A filter's verdict is how many bytes to keep: more than the longest packet.
SNAPLEN = 1 << 18
SEND_WAIT_MS = 1000


def _compile(text: str, iface: str) -> bytes:
    """A filter as struct sock_filter[]. libpcap compiles it for the interface,
    as the kernel has the first VLAN tag beside the packet, which a filter for
    a link type alone does not know."""
    try:
        from scapy.libs import winpcapy as pcap
    except OSError:
        raise Scapy_Exception('libpcap cannot be loaded: install it, or use no '
                              'filter') from None
    said = ctypes.create_string_buffer(pcap.PCAP_ERRBUF_SIZE)
    handle = pcap.pcap_open_live(
        ctypes.create_string_buffer(iface.encode()), SNAPLEN, 0, 0, said)
    if not handle:
        raise OSError(errno.ENODEV, said.value.decode(errors='replace'))
    program = pcap.bpf_program()
    try:
        if pcap.pcap_compile(handle, ctypes.byref(program),
                             ctypes.create_string_buffer(text.encode()), 1, -1):
            raise Scapy_Exception('libpcap does not understand the filter %r' %
                                  text)
    finally:
        pcap.pcap_close(handle)
    return ctypes.string_at(program.bf_insns, program.bf_len * 8)


def _attach(sock: socket.socket, text: str, iface: str) -> None:
    code = ctypes.create_string_buffer(_compile(text, iface))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                    struct.pack('HP', len(code) // 8, ctypes.addressof(code)))


def _set_rcvbuf(sock: socket.socket) -> None:
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RCVBUF)


def _open(iface: str, protocol: int, text: Optional[str], promisc: bool,
          flags: int) -> Endpoint:
    try:
        index = socket.if_nametoindex(iface)
    except OSError:
        raise OSError(errno.ENODEV, "%s: no such interface: see 'ip link'" %
                      iface) from None
    # Of no protocol until all is set: no packet comes that is not asked for.
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        if text:
            _attach(sock, text, iface)
        if promisc:
            sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP,
                            struct.pack('iHH8x', index, PACKET_MR_PROMISC, 0))
        _set_rcvbuf(sock)
        sock.bind((iface, protocol))
        return from_fds([sock.fileno()], flags=flags, tx_wait_ms=SEND_WAIT_MS)


class L2Socket(SuperSocket):  # type: ignore[misc]
    """conf.L2socket: packets of layer 2, without those that this machine sends.

    endpoint: an fdlink endpoint of any kind instead of an interface, which is
    the socket's from now on.
    """

    desc = 'read/write packets at layer 2 using fdlink'
    _flags = 0

    def __init__(self, iface: Any = None, type: int = ETH_P_ALL,
                 promisc: Optional[bool] = None, filter: Optional[str] = None,
                 nofilter: int = 0, monitor: Any = None,
                 endpoint: Optional[Endpoint] = None) -> None:
        self.promisc = conf.sniff_promisc if promisc is None else promisc
        self.type = type
        if endpoint is None:
            self.iface = network_name(iface or conf.iface)
            endpoint = _open(self.iface, type,
                             None if nofilter else self._filter(filter),
                             self.promisc, self._flags)
        elif filter:
            endpoint.close()
            raise Scapy_Exception('a filter is for an interface: use lfilter')
        self.ins = self.outs = endpoint
        self.LL = conf.l2types.num2layer[ARPHRD_ETHER]

    @staticmethod
    def _filter(text: Optional[str]) -> Optional[str]:
        if not conf.except_filter:
            return text
        if not text:
            return 'not (%s)' % conf.except_filter
        return '(%s) and not (%s)' % (text, conf.except_filter)

    def _receive(self, n: int) -> Tuple[Any, Optional[bytes], int,
                                        Optional[float]]:
        """Class, up to n bytes, length and time of the next packet. No class:
        what the socket was readable for was no packet. Who has asked select()
        before is not made to wait for another one."""
        self.ins.wait()
        # One at a time: others stay in the endpoint, whose fd stays readable.
        got = self.ins._recv_copy(n)
        if got is None:
            return None, None, 0, None
        data, length, protocol, stamp = got
        cls = self.LL
        if not self.ins.ethernet:
            cls = conf.l3types.num2layer.get(protocol, Raw)
        return cls, data, length, stamp / 1e9 if stamp else time.time()

    def recv_raw(self, x: int = MTU) -> Tuple[Any, Optional[bytes],
                                              Optional[float]]:
        """The class, the first x bytes, and the time of the next packet; three
        times None if it was none."""
        cls, data, _, stamp = self._receive(x)
        return cls, data, stamp

    def recv(self, x: int = MTU) -> Optional[Packet]:
        """The next packet; wirelen is its length if it was cut to x bytes. None
        if it was none."""
        cls, data, length, stamp = self._receive(x)
        if cls is None or data is None:
            return None
        try:
            pkt = cls(data)
        except Exception:
            if conf.debug_dissector:
                raise
            pkt = conf.raw_layer(data)
        pkt.time = stamp
        if length > len(data):
            pkt.wirelen = length
        return pkt

    def send(self, x: Any) -> int:
        """Send a packet, or bytes. Returns its length."""
        data = bytes(x)
        if isinstance(x, Packet):
            x.sent_time = time.time()
        try:
            self.outs.write(data)
        except OSError as err:
            if err.errno != errno.EINVAL or len(data) >= conf.min_pkt_size:
                raise
            data = data.ljust(conf.min_pkt_size, b'\0')
            self.outs.write(data)
        return len(data)

    def stats(self) -> Dict[str, int]:
        """fdlink's counters: what came, what went, and what was dropped, where
        (stats.h)."""
        return self.ins.stats()


class L2ListenSocket(L2Socket):
    """conf.L2listen: also what this machine sends. It cannot send."""

    desc = 'read packets at layer 2 using fdlink, also those going out'
    _flags = RX_OUTGOING

    def send(self, x: Any) -> int:
        raise Scapy_Exception('a listening socket cannot send: use L2Socket')


def use() -> None:
    """Make scapy use these sockets."""
    conf.L2socket = L2Socket
    conf.L2listen = L2ListenSocket
