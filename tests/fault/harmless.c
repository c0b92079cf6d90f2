/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "newer.h"

/* What an endpoint can do without, or that has another way. */
static const struct harmless {
	enum fault what;
	unsigned on;
	int err;			/* 0: any */
} harmless[] = {
	/* The fd is closed. */
	{ FAULT_CLOSE, ON_ANY, 0 },
	/* A listener that was shut down does not wait; or does not block. */
	{ FAULT_GET_FLAGS, ON_ANY, 0 },
	{ FAULT_SET_FLAGS, ON_ANY, 0 },
	{ FAULT_SHUTDOWN, ON_ANY, 0 },
	/* Another peer may come. The last ones are told that none is wanted. */
	{ FAULT_ACCEPT, ON_ANY, 0 },
	/* Of who sent a datagram: another may. A datagram peer that dies is not
	 * found again. */
	{ FAULT_CONNECT, ON_DGRAM, 0 },
	{ FAULT_RECVMSG, ON_DGRAM, 0 },
	{ FAULT_GETPEERNAME, ON_ANY, 0 },
	/* The accept(2) behind it waits. */
	{ FAULT_POLL, ON_ANY, FAULT_NOTHING },
	{ FAULT_POLL, ON_ANY, FAULT_READY },
	/* An address that is taken may have been left behind. */
	{ FAULT_BIND, ON_SEQPACKET, EADDRINUSE },
	{ FAULT_BIND, ON_DGRAM, EADDRINUSE },
	{ FAULT_BIND, ON_STREAM, EADDRINUSE },
	/* Each holder of the fd is the only one then. */
	{ FAULT_LOCK_BYTE, ON_ANY, 0 },
	/* The device is not watched, and the log says so. */
	{ FAULT_SOCKET, AF_NETLINK, 0 },
	{ FAULT_SENDMSG, ON_NETLINK, 0 },
	{ FAULT_RECVMSG, ON_NETLINK, 0 },
	{ FAULT_BIND, ON_NETLINK, 0 },
	{ FAULT_GETSOCKNAME, ON_NETLINK, 0 },
	/* Nobody asks then whether a socket is connected to itself. */
	{ FAULT_GETSOCKNAME, ON_STREAM, 0 },
	{ FAULT_GETSOCKNAME, ON_DGRAM, 0 },
	{ FAULT_GETSOCKNAME, ON_UDP, 0 },
	{ FAULT_SETSOCKOPT, SOCKET_OPTION(SO_ATTACH_FILTER), 0 },
	{ FAULT_EPOLL_CTL, EPOLL_CTL_ADD, 0 },
	/* A peer who comes later is told of by the listener as well. */
	{ FAULT_EPOLL_CTL, EPOLL_CTL_DEL, 0 },
	{ FAULT_TIMERFD_SET, ON_ANY, 0 },
	/* Its namespace is guessed then. */
	{ FAULT_IOCTL, TUNGETDEVNETNS, 0 },
	{ FAULT_IOCTL, SIOCGSKNS, 0 },
	{ FAULT_SAME_FILE, ON_ANY, 0 },
	/* Only its next send notices that a peer is gone. */
	{ FAULT_INODE, ON_ANY, 0 },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_NETNS_COOKIE), 0 },
	{ FAULT_IOCTL, SIOCGIFHWADDR, 0 },
	/* What it was set to is not put back. */
	{ FAULT_IOCTL, SIOCETHTOOL, 0 },
	/* Kernels before 6.2 have no USO; what one does not know is not set. */
	{ FAULT_IOCTL, TUNSETOFFLOAD, EINVAL },
	{ FAULT_IOCTL, TUNSETVNETHDRSZ, EINVAL },
	{ FAULT_IOCTL, TUNSETTXFILTER, EINVAL },
	{ FAULT_IOCTL, TUNSETFILTEREBPF, EINVAL },
	{ FAULT_IOCTL, TUNATTACHFILTER, EINVAL },
	{ FAULT_IOCTL, TUNSETSTEERINGEBPF, EINVAL },
	{ FAULT_IOCTL, TUNSETVNETBE, EINVAL },
	/* A device that is gone is found so by the first read. */
	{ FAULT_IOCTL, TUNGETVNETLE, 0 },
	{ FAULT_IOCTL, TUNGETVNETBE, 0 },
	{ FAULT_IOCTL, TUNGETSNDBUF, 0 },
	{ FAULT_IOCTL, TUNGETFEATURES, 0 },
	/* It is a probe of what must be refused. */
	{ FAULT_WRITEV, ON_TUN, 0 },
	/* A smaller buffer; one that is not looked at; no drops are told. */
	{ FAULT_SETSOCKOPT, SOCKET_OPTION(SO_SNDBUFFORCE), 0 },
	{ FAULT_SETSOCKOPT, SOCKET_OPTION(SO_RCVBUFFORCE), 0 },
	{ FAULT_SETSOCKOPT, SOCKET_OPTION(SO_SNDBUF), 0 },
	{ FAULT_SETSOCKOPT, SOCKET_OPTION(SO_RCVBUF), 0 },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_RCVBUF), 0 },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_MEMINFO), 0 },
	/* A caller's own settings are taken not to be there. */
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TIMESTAMP_OLD), 0 },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TIMESTAMP_NEW), 0 },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TIMESTAMPNS_OLD), 0 },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TIMESTAMPNS_NEW), 0 },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TIMESTAMPING_OLD), 0 },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TIMESTAMPING_NEW), 0 },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_GET_FILTER), 0 },
	{ FAULT_GETSOCKOPT, PACKET_OPTION(PACKET_LOSS), 0 },
	{ FAULT_SETSOCKOPT, PACKET_OPTION(PACKET_LOSS), EACCES },
	{ FAULT_GETSOCKOPT, UDP_OPTION(UDP_ENCAP), 0 },
	/* The fd is looked at once more, and refused then. */
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_DOMAIN), 0 },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TYPE), 0 },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_ACCEPTCONN), 0 },
	/* A datagram socket like any other. */
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_PROTOCOL), 0 },
	/* Kernels before 6.6 have headers of one size only. */
	{ FAULT_GETSOCKOPT, PACKET_OPTION(PACKET_VNET_HDR_SZ), 0 },
	/* Super-packets of BIG TCP are too long then. */
	{ FAULT_MAP, ON_SPARSE, 0 },
	/* If the device filters, the log says what does not come. */
	{ FAULT_SETSOCKOPT, PACKET_OPTION(PACKET_ADD_MEMBERSHIP), 0 },
	/* A short frame is late, an address not had anew at once. */
	{ FAULT_SETSOCKOPT, TCP_OPTION(TCP_NODELAY), 0 },
	/* A peer whose machine is gone is missed late. */
	{ FAULT_SETSOCKOPT, TCP_OPTION(TCP_KEEPIDLE), 0 },
	{ FAULT_SETSOCKOPT, TCP_OPTION(TCP_KEEPINTVL), 0 },
	{ FAULT_SETSOCKOPT, TCP_OPTION(TCP_KEEPCNT), 0 },
	{ FAULT_SETSOCKOPT, SOCKET_OPTION(SO_KEEPALIVE), 0 },
	{ FAULT_SETSOCKOPT, SOCKET_OPTION(SO_REUSEADDR), 0 },
	{ .what = FAULTS },
};

bool fault_is_harmless(const struct fault_row *row, int err)
{
	const struct harmless *h;

	for (h = harmless; h->what != FAULTS; h++)
		if (h->what == row->what && h->on == row->on &&
		    (!h->err || h->err == err))
			return true;
	return false;
}
