/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each row names where its errors come from: a function of the kernel, or the
 * manual page. A security module may answer EACCES to most calls
 * (security/selinux/hooks.c); it is in the rows where nothing else is.
 */
#include "table.h"

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

#include <errno.h>

#include "newer.h"

#define SOCKET_OPTION(name)	(SOL_SOCKET << 16 | (name))
#define PACKET_OPTION(name)	(SOL_PACKET << 16 | (name))
#define TCP_OPTION(name)	(IPPROTO_TCP << 16 | (name))
#define UDP_OPTION(name)	(SOL_UDP << 16 | (name))

const struct fault_row fault_table[] = {
	/* do_sys_openat2, misc_open; EINTR: open(2) */
	{ FAULT_OPEN,
	  ON_ANY,
	  { EMFILE, ENFILE, ENOMEM, EACCES, ENOENT, ENXIO, EINTR } },
	/* close(2): the fd is closed in any case */
	{ FAULT_CLOSE, ON_ANY, { EINTR, EIO } },
	/* f_dupfd */
	{ FAULT_DUP, ON_ANY, { EMFILE, ENOMEM } },
	/* ksys_dup3, expand_files; do_dup2 */
	{ FAULT_DUP_TO, ON_ANY, { EBUSY, EBADF, ENOMEM } },
	/* vfs_fstat */
	{ FAULT_STAT_MODE, ON_ANY, { EBADF, ENOMEM, EACCES } },
	{ FAULT_INODE, ON_ANY, { EBADF, ENOMEM, EACCES } },
	/* vfs_statx, proc_fd_link */
	{ FAULT_SAME_FILE, ON_ANY, { ENOENT, EACCES, ENOMEM } },
	{ FAULT_PATH_MODE, ON_ANY, { ENOENT, EACCES, ENOTDIR, ELOOP } },
	{ FAULT_FILE, ON_ANY, { ENOENT, EACCES, ENOTDIR, ENOMEM } },
	/* sys_flock */
	{ FAULT_LOCK, ON_ANY, { EAGAIN, ENOLCK, EINTR } },
	/* security_file_fcntl; setfl */
	{ FAULT_GET_FLAGS, ON_TUN, { EBADF, EACCES } },
	{ FAULT_SET_FLAGS, ON_TUN, { EBADF, EPERM } },
	{ FAULT_GET_FLAGS, ON_ANY, { EBADF, EACCES } },
	{ FAULT_SET_FLAGS, ON_ANY, { EBADF, EPERM } },
	/* fcntl_setlk, fcntl_getlk */
	{ FAULT_LOCK_BYTE, ON_ANY, { EAGAIN, ENOLCK, EACCES } },
	{ FAULT_HAS_LOCK, ON_ANY, { ENOLCK, EACCES } },
	/* do_unlinkat */
	{ FAULT_UNLINK, ON_ANY, { ENOENT, EACCES, EPERM, EBUSY, EROFS } },

	/* __tun_chr_ioctl, tun_set_iff, tun_attach */
	{ FAULT_IOCTL, TUNGETIFF, { EBADFD, EACCES } },
	{ FAULT_IOCTL,
	  TUNSETIFF,
	  { EBUSY, EPERM, EINVAL, ENOMEM, E2BIG, EBADFD } },
	{ FAULT_IOCTL, TUNGETFEATURES, { EACCES } },
	{ FAULT_IOCTL, TUNGETVNETHDRSZ, { EBADFD } },
	{ FAULT_IOCTL, TUNSETVNETHDRSZ, { EBADFD, EINVAL } },
	{ FAULT_IOCTL, TUNSETOFFLOAD, { EBADFD, EINVAL } },
	{ FAULT_IOCTL, TUNGETVNETLE, { EBADFD } },
	{ FAULT_IOCTL, TUNSETVNETLE, { EBADFD } },
	{ FAULT_IOCTL, TUNGETVNETBE, { EBADFD, EINVAL } },
	{ FAULT_IOCTL, TUNSETVNETBE, { EBADFD, EINVAL } },
	{ FAULT_IOCTL, TUNGETSNDBUF, { EBADFD } },
	/* update_filter */
	{ FAULT_IOCTL, TUNSETTXFILTER, { EBADFD, EINVAL, ENOMEM } },
	/* tun_set_ebpf */
	{ FAULT_IOCTL, TUNSETFILTEREBPF, { EBADFD, EINVAL, ENOMEM } },
	{ FAULT_IOCTL, TUNSETSTEERINGEBPF, { EBADFD, EINVAL, ENOMEM } },
	/* open_related_ns */
	{ FAULT_IOCTL,
	  TUNGETDEVNETNS,
	  { EPERM, EMFILE, ENFILE, ENOMEM, EBADFD } },
	{ FAULT_IOCTL, SIOCGSKNS, { EPERM, EMFILE, ENFILE, ENOMEM } },
	/* dev_ifname, dev_ifsioc_locked; tun: SIOCGIFHWADDR */
	{ FAULT_IOCTL, SIOCGIFNAME, { ENODEV } },
	{ FAULT_IOCTL, SIOCGIFMTU, { ENODEV } },
	{ FAULT_IOCTL, SIOCGIFFLAGS, { ENODEV } },
	{ FAULT_IOCTL, SIOCGIFINDEX, { ENODEV } },
	{ FAULT_IOCTL, SIOCGIFHWADDR, { ENODEV, EBADFD } },
	/* dev_set_mtu */
	{ FAULT_IOCTL, SIOCSIFMTU, { EPERM, EINVAL, ENODEV, EBUSY } },
	/* dev_ethtool */
	{ FAULT_IOCTL, SIOCETHTOOL, { EOPNOTSUPP, ENODEV, EPERM, ENOMEM } },
	/* unix_inq_len, sock_do_ioctl */
	{ FAULT_IOCTL, FIONREAD, { EINVAL, ENOTTY } },

	/* tun_do_read, tun_ring_recv, tun_put_user, tap_do_read */
	{ FAULT_READ,
	  ON_TUN,
	  { EAGAIN, FAULT_TAKES | EINVAL, EBADFD, FAULT_TAKES | EFAULT,
	    EOPNOTSUPP } },
	/* unix_seq_show by seq_read_iter */
	{ FAULT_READ, ON_FILE, { FAULT_SHORT, ENOMEM, EACCES } },
	/* eventfd_read */
	{ FAULT_READ, ON_OTHER, { EAGAIN } },
	/* tun_get_user, sock_alloc_send_pskb, tap_get_user */
	{ FAULT_WRITEV,
	  ON_TUN,
	  { EAGAIN, ENOBUFS, ENOMEM, EINVAL, EIO, EBADFD, EPIPE, EOPNOTSUPP } },
	/* shmem_file_write_iter */
	{ FAULT_WRITEV, ON_FILE, { FAULT_SHORT, ENOMEM, ENOSPC } },

	/* packet_create; netlink_create; __sock_create, sock_alloc_file */
	{ FAULT_SOCKET,
	  AF_PACKET,
	  { EPERM, EMFILE, ENFILE, ENOMEM, ENOBUFS, EAFNOSUPPORT } },
	{ FAULT_SOCKET, AF_NETLINK, { EMFILE, ENFILE, ENOMEM, EACCES } },
	{ FAULT_SOCKET, AF_UNIX, { EMFILE, ENFILE, ENOMEM } },
	{ FAULT_SOCKET, AF_INET, { EMFILE, ENOBUFS, EACCES } },
	/* __sys_socketpair */
	{ FAULT_SOCKETPAIR, ON_ANY, { EMFILE, ENFILE, ENOMEM } },
	/* packet_do_bind */
	{ FAULT_BIND, ON_PACKET, { ENODEV, EINVAL } },
	/* netlink_bind, netlink_realloc_groups */
	{ FAULT_BIND, ON_NETLINK, { EPERM, ENOMEM, EADDRINUSE } },
	/* unix_bind_bsd, unix_autobind */
	{ FAULT_BIND,
	  ON_SEQPACKET,
	  { EADDRINUSE, EACCES, ENOENT, ENOTDIR, EROFS, ENOMEM } },
	{ FAULT_BIND,
	  ON_DGRAM,
	  { EADDRINUSE, EACCES, ENOENT, ENOTDIR, ENOSPC, ENOMEM } },
	/* __inet_bind, unix_bind_bsd */
	{ FAULT_BIND, ON_STREAM, { EADDRINUSE, EADDRNOTAVAIL, EACCES } },
	{ FAULT_BIND, ON_UDP, { EADDRINUSE, EADDRNOTAVAIL, EACCES } },
	/* unix_stream_connect */
	{ FAULT_CONNECT,
	  ON_SEQPACKET,
	  { ECONNREFUSED, ENOENT, EACCES, EPROTOTYPE, EAGAIN, ENOMEM } },
	/* unix_dgram_connect */
	{ FAULT_CONNECT,
	  ON_DGRAM,
	  { ECONNREFUSED, ENOENT, EACCES, EPROTOTYPE, EPERM, ENOMEM } },
	/* tcp_v4_connect, __inet_stream_connect */
	{ FAULT_CONNECT,
	  ON_STREAM,
	  { ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, ETIMEDOUT, EACCES } },
	/* __ip4_datagram_connect */
	{ FAULT_CONNECT,
	  ON_UDP,
	  { ENETUNREACH, EHOSTUNREACH, EACCES, EAGAIN } },
	/* unix_listen, inet_csk_listen_start */
	{ FAULT_LISTEN, ON_ANY, { EADDRINUSE, EINVAL, ENOMEM } },
	/* do_accept, unix_accept, inet_csk_accept; accept(2) */
	{ FAULT_ACCEPT,
	  ON_ANY,
	  { EMFILE, ENFILE, ENOMEM, ECONNABORTED, EINTR, EPERM } },
	/* inet_shutdown */
	{ FAULT_SHUTDOWN, ON_ANY, { ENOTCONN } },
	/* getsockname(2), getpeername(2) */
	{ FAULT_GETSOCKNAME, ON_ANY, { ENOBUFS, EACCES } },
	{ FAULT_GETPEERNAME, ON_ANY, { ENOTCONN, ENOBUFS } },

	/* sk_getsockopt */
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_DOMAIN), { EACCES } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TYPE), { EACCES } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_PROTOCOL), { EACCES } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_ACCEPTCONN), { EACCES } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_RCVBUF), { EACCES } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_ERROR), { EACCES } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TIMESTAMP_OLD), { EACCES } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TIMESTAMP_NEW), { EACCES } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TIMESTAMPNS_OLD), { EACCES } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TIMESTAMPNS_NEW), { EACCES } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TIMESTAMPING_OLD), { EACCES } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_TIMESTAMPING_NEW), { EACCES } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_GET_FILTER), { EACCES, EINVAL } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_MEMINFO), { ENOPROTOOPT } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_COOKIE), { ENOPROTOOPT } },
	{ FAULT_GETSOCKOPT, SOCKET_OPTION(SO_NETNS_COOKIE), { ENOPROTOOPT } },
	/* packet_getsockopt */
	{ FAULT_GETSOCKOPT, PACKET_OPTION(PACKET_VNET_HDR), { ENOPROTOOPT } },
	{ FAULT_GETSOCKOPT,
	  PACKET_OPTION(PACKET_VNET_HDR_SZ),
	  { ENOPROTOOPT } },
	{ FAULT_GETSOCKOPT, PACKET_OPTION(PACKET_AUXDATA), { EACCES } },
	{ FAULT_GETSOCKOPT, PACKET_OPTION(PACKET_VERSION), { EACCES } },
	{ FAULT_GETSOCKOPT, PACKET_OPTION(PACKET_RESERVE), { EACCES } },
	{ FAULT_GETSOCKOPT, PACKET_OPTION(PACKET_FANOUT), { EACCES } },
	{ FAULT_GETSOCKOPT, PACKET_OPTION(PACKET_STATISTICS), { EACCES } },
	{ FAULT_GETSOCKOPT, PACKET_OPTION(PACKET_LOSS), { EACCES } },
	{ FAULT_GETSOCKOPT,
	  PACKET_OPTION(PACKET_IGNORE_OUTGOING),
	  { ENOPROTOOPT } },
	/* udp_lib_getsockopt */
	{ FAULT_GETSOCKOPT, UDP_OPTION(UDP_CORK), { EACCES } },
	{ FAULT_GETSOCKOPT, UDP_OPTION(UDP_ENCAP), { EACCES } },
	{ FAULT_GETSOCKOPT, UDP_OPTION(UDP_SEGMENT), { ENOPROTOOPT } },
	{ FAULT_GETSOCKOPT, UDP_OPTION(UDP_GRO), { ENOPROTOOPT } },

	/* sk_setsockopt */
	{ FAULT_SETSOCKOPT, SOCKET_OPTION(SO_SNDBUFFORCE), { EPERM } },
	{ FAULT_SETSOCKOPT, SOCKET_OPTION(SO_RCVBUFFORCE), { EPERM } },
	{ FAULT_SETSOCKOPT, SOCKET_OPTION(SO_SNDBUF), { EACCES } },
	{ FAULT_SETSOCKOPT, SOCKET_OPTION(SO_RCVBUF), { EACCES } },
	{ FAULT_SETSOCKOPT, SOCKET_OPTION(SO_REUSEADDR), { EACCES } },
	{ FAULT_SETSOCKOPT, SOCKET_OPTION(SO_TIMESTAMPNS_NEW), { EACCES } },
	/* sk_attach_filter, sk_detach_filter */
	{ FAULT_SETSOCKOPT,
	  SOCKET_OPTION(SO_ATTACH_FILTER),
	  { ENOMEM, EPERM, EINVAL } },
	{ FAULT_SETSOCKOPT,
	  SOCKET_OPTION(SO_DETACH_FILTER),
	  { EPERM, ENOENT } },
	/* packet_setsockopt; packet_set_ring */
	{ FAULT_SETSOCKOPT, PACKET_OPTION(PACKET_VNET_HDR), { EINVAL, EBUSY } },
	{ FAULT_SETSOCKOPT, PACKET_OPTION(PACKET_AUXDATA), { EACCES } },
	{ FAULT_SETSOCKOPT, PACKET_OPTION(PACKET_LOSS), { EBUSY, EACCES } },
	{ FAULT_SETSOCKOPT, PACKET_OPTION(PACKET_VERSION), { EBUSY, EINVAL } },
	{ FAULT_SETSOCKOPT, PACKET_OPTION(PACKET_RESERVE), { EBUSY, EINVAL } },
	{ FAULT_SETSOCKOPT,
	  PACKET_OPTION(PACKET_RX_RING),
	  { ENOMEM, EBUSY, EINVAL } },
	{ FAULT_SETSOCKOPT,
	  PACKET_OPTION(PACKET_IGNORE_OUTGOING),
	  { ENOPROTOOPT } },
	/* packet_mc_add, packet_dev_mc; packet_mc_drop */
	{ FAULT_SETSOCKOPT,
	  PACKET_OPTION(PACKET_ADD_MEMBERSHIP),
	  { ENODEV, ENOBUFS, EINVAL, EPERM } },
	{ FAULT_SETSOCKOPT,
	  PACKET_OPTION(PACKET_DROP_MEMBERSHIP),
	  { EADDRNOTAVAIL } },
	/* fanout_add, fanout_find_new_id; fanout_set_data_cbpf */
	{ FAULT_SETSOCKOPT,
	  PACKET_OPTION(PACKET_FANOUT),
	  { EINVAL, EALREADY, ENOSPC, ENOMEM } },
	{ FAULT_SETSOCKOPT,
	  PACKET_OPTION(PACKET_FANOUT_DATA),
	  { EINVAL, EPERM, ENOMEM } },
	{ FAULT_SETSOCKOPT, TCP_OPTION(TCP_NODELAY), { EACCES } },

	/* __unix_dgram_recvmsg, unix_stream_read_generic, sock_error */
	{ FAULT_RECV, ON_SEQPACKET, { EAGAIN, ENOMEM, ECONNRESET } },
	{ FAULT_RECV, ON_DGRAM, { EAGAIN, ENOMEM, ECONNRESET } },
	{ FAULT_RECV,
	  ON_STREAM,
	  { EAGAIN, FAULT_SHORT, ENOMEM, ECONNRESET, ETIMEDOUT,
	    FAULT_NOTHING } },
	/* udp_recvmsg: what ICMP said */
	{ FAULT_RECVMSG,
	  ON_UDP,
	  { EAGAIN, ECONNREFUSED, EHOSTUNREACH, EACCES, EMSGSIZE } },
	/* netlink_recvmsg, netlink_overrun */
	{ FAULT_RECV, ON_NETLINK, { EAGAIN, ENOBUFS, ENOMEM } },
	{ FAULT_RECVMSG, ON_NETLINK, { EAGAIN, ENOBUFS, ENOMEM } },
	/* packet_recvmsg, packet_rcv_vnet */
	{ FAULT_RECVMSG,
	  ON_PACKET,
	  { EAGAIN, ENETDOWN, FAULT_TAKES | EINVAL, ENOMEM } },
	{ FAULT_RECVMSG, ON_DGRAM, { EAGAIN, ENOMEM } },
	{ FAULT_RECVMMSG,
	  ON_PACKET,
	  { EAGAIN, ENETDOWN, FAULT_TAKES | EINVAL, ENOMEM, FAULT_SHORT } },
	{ FAULT_RECVMMSG,
	  ON_SEQPACKET,
	  { EAGAIN, ENOMEM, ECONNRESET, FAULT_SHORT } },
	{ FAULT_RECVMMSG,
	  ON_DGRAM,
	  { EAGAIN, ENOMEM, ECONNRESET, FAULT_SHORT } },
	{ FAULT_RECVMMSG,
	  ON_UDP,
	  { EAGAIN, ECONNREFUSED, EHOSTUNREACH, EACCES, FAULT_SHORT } },

	/* packet_snd, dev_queue_xmit */
	{ FAULT_SENDMSG,
	  ON_PACKET,
	  { EAGAIN, ENOBUFS, ENETDOWN, ENXIO, EMSGSIZE, EINVAL, EPERM } },
	/* netlink_sendmsg, rtnetlink_rcv_msg */
	{ FAULT_SENDMSG, ON_NETLINK, { ENOBUFS, EAGAIN, ENOMEM, EPERM } },
	/* unix_dgram_sendmsg */
	{ FAULT_SENDMSG,
	  ON_SEQPACKET,
	  { EAGAIN, ENOBUFS, EMSGSIZE, EPIPE, ECONNRESET, ENOTCONN } },
	{ FAULT_SENDMSG,
	  ON_DGRAM,
	  { EAGAIN, ENOBUFS, EMSGSIZE, EPIPE, ECONNREFUSED, ENOTCONN, EPERM } },
	/* udp_sendmsg, ip_append_data */
	{ FAULT_SENDMSG,
	  ON_UDP,
	  { EAGAIN, ENOBUFS, EMSGSIZE, ECONNREFUSED, ENETUNREACH, EPERM,
	    EACCES } },
	/* tcp_sendmsg, unix_stream_sendmsg */
	{ FAULT_SENDMSG,
	  ON_STREAM,
	  { EAGAIN, FAULT_SHORT, ENOBUFS, EPIPE, ECONNRESET, ETIMEDOUT } },

	/* do_sys_poll; poll(2) */
	{ FAULT_POLL, ON_ANY, { ENOMEM, EINTR, FAULT_NOTHING, FAULT_READY } },
	/* do_epoll_create, ep_insert, ep_poll */
	{ FAULT_EPOLL_CREATE, ON_ANY, { EMFILE, ENFILE, ENOMEM } },
	{ FAULT_EPOLL_CTL, EPOLL_CTL_ADD, { ENOMEM, ENOSPC } },
	{ FAULT_EPOLL_CTL, EPOLL_CTL_MOD, { ENOENT } },
	{ FAULT_EPOLL_CTL, EPOLL_CTL_DEL, { ENOENT } },
	{ FAULT_EPOLL_WAIT, ON_ANY, { FAULT_NOTHING, EINTR } },
	/* do_eventfd, sys_timerfd_create; timerfd_settime(2) */
	{ FAULT_EVENTFD, ON_ANY, { EMFILE, ENFILE, ENOMEM, ENODEV } },
	{ FAULT_TIMERFD, ON_ANY, { EMFILE, ENFILE, ENOMEM } },
	{ FAULT_TIMERFD_SET, ON_ANY, { EINVAL } },
	/* mmap(2); packet_mmap; mremap_to */
	{ FAULT_MAP, ON_SPARSE, { ENOMEM } },
	{ FAULT_MAP, ON_OTHER, { ENOMEM } },
	{ FAULT_MALLOC, ON_ANY, { ENOMEM } },
	{ FAULT_MAP_FD, ON_ANY, { ENOMEM, EAGAIN, EINVAL } },
	{ FAULT_MOVE_MAP, ON_ANY, { ENOMEM, EAGAIN, EFAULT, EINVAL } },
	/* do_mmap; sys_memfd_create, hugetlb apart */
	{ FAULT_MAP_OVER, ON_ANY, { ENOMEM, EAGAIN } },
	{ FAULT_MEMORY_FILE, ON_ANY, { EMFILE, ENFILE, ENOMEM } },
	/* netns_install */
	{ FAULT_SETNS, ON_ANY, { EPERM, EINVAL, ENOMEM } },
	/* pthread_create(3) */
	{ FAULT_THREAD, ON_ANY, { EAGAIN, EPERM } },
	{ .what = FAULTS },
};

const struct fault_row *fault_row(enum fault what, unsigned on)
{
	const struct fault_row *row;

	for (row = fault_table; row->what != FAULTS; row++)
		if (row->what == what && (row->on == ON_ANY || row->on == on))
			return row;
	return NULL;
}

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
