# SPDX-License-Identifier: Apache-2.0
"""Link-layer endpoints over TUN, TAP, AF_PACKET and unix sockets.

    import fdlink

    with fdlink.open('packet:eth0') as ep:
        with ep.recv(timeout=1) as batch:
            for view in batch:
                print(bytes(view[:14]).hex())
        ep.send([frame, frame])

fdlink.scapy has scapy's sockets over it. Names and numbers are those of
fdlink(7), where the whole story is.
"""

from ._batch import Batch, Info, Offload
from ._endpoint import Endpoint, Link, from_fds, open
from ._lib import ffi as _ffi, lib as _lib_handle

__all__ = ['Batch', 'Endpoint', 'Info', 'Link', 'Offload', 'from_fds', 'open']
__version__: str = _ffi.string(_lib_handle.fdl_version()).decode()

# open(flags=...): options.h says what they mean.
ETHERNET = 1 << 0
DROP_OTHERHOST = 1 << 1
VNET_HDR = 1 << 4
RX_CSUM = 1 << 5
RX_GSO = 1 << 6
RX_USO = 1 << 7
GRO = 1 << 8
COALESCE = 1 << 9
TX_CSUM = 1 << 10
VNET_HDR_V1 = 1 << 11
RX_TUNNEL = 1 << 12
RX_OUTGOING = 1 << 16
ROLLOVER = 1 << 17
NO_METADATA = 1 << 18

# Info.type: to whom the link layer addressed the packet.
TO_HOST, BROADCAST, MULTICAST, OTHERHOST, OUTGOING = range(5)

# Offload.csum and Offload.gso.
CSUM_NONE, CSUM_VALID, CSUM_PARTIAL = range(3)
GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_UDP = range(4)

# open(mode=...)
MODE_AUTO, MODE_READV, MODE_RECVMMSG, MODE_PACKET_MMAP, MODE_ADAPTIVE = range(5)

# from_fds(fanout=...): how sockets share the packets.
(FANOUT_AUTO, FANOUT_HASH, FANOUT_LB, FANOUT_CPU, FANOUT_ROLLOVER, FANOUT_RND,
 FANOUT_QM) = range(7)
