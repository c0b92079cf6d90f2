/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints by name, and what an fd or a name is. */
#ifndef FDLINK_OPEN_H
#define FDLINK_OPEN_H

#include <fdlink/fdlink.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Open a link by its locator and make an endpoint over it. A locator is
 * KIND:NAME[,OPTION]...
 *
 * Kinds:
 *
 *	tap:NAME	a TAP device; created if there is none
 *	tun:NAME	a TUN device; created if there is none
 *	macvtap:IFACE	a macvtap or ipvtap device that exists; its /dev/tapN is
 *			opened
 *	packet:IFACE	an AF_PACKET socket on an interface
 *	seqpacket:PATH	a unix seqpacket socket
 *	stream:PATH	a unix stream socket: each frame behind its length, 4
 *			bytes, big-endian, as QEMU's -netdev stream has it
 *	stream:HOST:PORT
 *			the same on TCP, HOST as of udp
 *	unixgram:PATH	a unix datagram socket
 *	udp:HOST:PORT	a UDP socket: a frame in each datagram to and from the
 *			peer at that address, 192.0.2.1:5000 or
 *			[2001:db8::1]:5000. Names are not looked up. To a
 *			multicast group the link is one-way, and a warning says
 *			so
 *	null:		takes every packet and gives none
 *	pair:NAME	one of two ends, both in this process, for tests and
 *			examples. Packets that the first end sends before the
 *			second one is opened wait for it
 *	fd:N		an fd that the process has; never closed
 *	fd:NAME		an fd passed by systemd under that name
 *			(sd_listen_fds(3))
 *
 * Options:
 *
 *	mtu=BYTES	For every kind. 68 to 65535; a TUN or TAP device is set
 *			to it.
 *	netns=NAME	For tap, tun, packet. The device is in this network
 *			namespace: a name of ip-netns(8), or a path.
 *	queues=N	For tap, tun, macvtap, packet. The number of queues, 1
 *			to 256. A TUN or TAP that exists must have been made for
 *			several.
 *	promisc		For packet. Receive frames for all stations.
 *	fanout=hash|lb|cpu|rollover|rnd|qm
 *			For packet. enum fdl_fanout; default hash.
 *	rollover	For packet. FDL_ROLLOVER.
 *	outgoing=on|off	For packet. FDL_RX_OUTGOING; default off.
 *	rcvbuf=BYTES	For packet. The receive buffer of each queue, 4096 to
 *			1073741823; default 4 MiB, or as much as the system
 *			allows. fdl_info.rcvbuf tells what it became.
 *	offload=on|off|v1
 *			For tap, tun, macvtap, seqpacket, stream, unixgram,
 *			null, pair. A virtio-net header before each packet, for
 *			super-packets and partial checksums (packet.h).
 *			- tap, tun, macvtap: to and from the kernel; default
 *			  on; v1 is refused
 *			- the others: to and from the peer, which must be told
 *			  to do the same; default off; v1: FDL_VNET_HDR_V1
 *	carrier=on|off	For tap, tun. The carrier that the device starts with
 *			(fdl_set_carrier); default on.
 *	listen		For seqpacket, stream, unixgram, fd. Bind PATH, or HOST
 *			and PORT, and meet the peer there. fdl_open returns at
 *			once; the link has no carrier (fdl_link_state) until
 *			fdl_recv meets a peer.
 *			- seqpacket, stream: the first one that connects and,
 *			  without reconnect, no other
 *			- unixgram: the first one that sends and, when that one
 *			  has gone, the next one that sends. With local, PATH
 *			  is the address of the only possible peer, which may
 *			  come later and need not send first
 *			- fd: the socket is bound already, for example by
 *			  systemd: a listening socket (of type SOCK_STREAM: as
 *			  stream, with lengths) or a datagram socket without a
 *			  peer. Such an fd meets its peer with or without the
 *			  word listen, and is left as it was. If another
 *			  holder shuts a listening socket down, nobody comes any
 *			  more: the link ends with -ESHUTDOWN as soon as it has
 *			  no peer
 *	wait		For seqpacket, stream, unixgram. With listen: fdl_open
 *			waits for the first peer.
 *	reconnect	For tap, tun, macvtap, packet, seqpacket, stream,
 *			unixgram, udp, fd. The link outlives its peer or its
 *			device, and may be opened before there is a peer. It
 *			has no carrier until fdl_recv has found the next one:
 *			- a peer that connects, or
 *			- a peer at PATH, or HOST and PORT, or a device of the
 *			  same name; each try comes 10 ms to a second after the
 *			  one before
 *			If fdl_open made the TUN or TAP, fdl_recv makes it anew
 *			unless somebody else does within a second.
 *	local=PATH|HOST:PORT
 *			For unixgram, udp. The socket's own address; else the
 *			kernel chooses it.
 *	vfkit		For unixgram. The side that connects begins with a
 *			datagram of 4 bytes, as libkrun and vfkit do. The
 *			endpoint sends it, or receives it and does not deliver
 *			it.
 *
 * A PATH that starts with '@' is abstract (unix(7)). A relative one is taken
 * from the current directory of this call, also when a peer is looked for
 * later, provided that the whole has up to 107 bytes.
 *
 * The endpoint keeps the address that listen or local binds until
 * fdl_endpoint_free, which unlinks the path if it still is the file that was
 * bound. A socket file that a process left behind is taken over if no socket is
 * bound to it any more. *ep is set on success only.
 *
 * Returns 0.
 * Errors: those of fdl_endpoint_new, and
 *	-EINVAL		the locator is malformed (the log has the grammar), or
 *			it contradicts the options; the device is of another
 *			kind, or was not made for several queues
 *	-EOPNOTSUPP	packet: the interface's frames are neither Ethernet nor
 *			bare IP, or see fdl_endpoint_new
 *	-ENODEV		there is no such interface, or it vanished meanwhile;
 *			macvtap: /dev/tapN is another device's
 *	-ENOENT		there is no such path, namespace or name of an fd;
 *			macvtap: there is no /dev/tapN
 *	-EPERM, -EACCES	the process may not do that
 *	-EBUSY		another process has the device; pair: both ends are open
 *	-ENOTCONN	fd:N is a socket that has no peer, and waits for none
 *	-EINTR		wait: a signal came before there was a peer
 *	-ECONNREFUSED	nobody listens at the path
 *	-EADDRNOTAVAIL	local is no address of this machine
 *	-ENETUNREACH	there is no route to the peer
 *	-EADDRINUSE	another socket is bound to the path, or the file there
 *			is not a socket; udp: the peer would be the link itself
 */
int fdl_open(struct fdl_endpoint **ep, const char *locator,
	     const struct fdl_options *opts);

/*
 * Open the files of a link to a device, and make no endpoint: in the process
 * that fdl_options.reopen asks. locator names a tap, tun, macvtap or packet and
 * is the one that fdl_open was given there; with netns the process needs
 * CAP_SYS_ADMIN. opts are the options there. existing: do not make a TUN or TAP
 * that does not exist. fds[] has room for n fds; two for each queue are enough.
 * The caller owns the fds that are opened. Any thread.
 *
 * Returns how many.
 * Errors: those of fdl_open, and
 *	-EOPNOTSUPP	the link has no device
 *	-ENOSPC		n is too small
 *	-ENODEV		existing: there is no such TUN or TAP
 */
int fdl_open_fds(int fds[], unsigned n, const char *locator, bool existing,
		 const struct fdl_options *opts);

/* Room for the name of a device, with its NUL. It is IF_NAMESIZE of net/if.h,
 * a header that conflicts with those of other stacks. */
#define FDL_IFNAMSIZ 16

enum fdl_kind {
	FDL_KIND_TUN = 1,
	FDL_KIND_TAP,
	FDL_KIND_PACKET,
	FDL_KIND_SEQPACKET,
	FDL_KIND_DGRAM,
};

/* "tun", "tap", "packet", "seqpacket", "datagram"; NULL for a number that is no
 * kind. Any thread. */
const char *fdl_kind_name(enum fdl_kind kind);

/* What the frames of a link are. */
enum fdl_medium {
	FDL_MEDIUM_UNKNOWN,	/* what those of the device are, which is not
				 * there, or whose frames no endpoint takes
				 * (-EOPNOTSUPP) */
	FDL_MEDIUM_ETHERNET,
	FDL_MEDIUM_IP,		/* IP packets without a link header */
	FDL_MEDIUM_AGREED,	/* the one or the other, as the peers agree
				 * between themselves (FDL_ETHERNET) */
};

/* What an fd is, as getsockopt(2) and ioctl(2) tell without changing it. */
struct fdl_info {
	enum fdl_kind kind;
	bool ethernet;		/* frames start with an Ethernet header. False
				 * for a SEQPACKET or DGRAM socket, whose peers
				 * agree on it between themselves */
	bool device;		/* name, ifindex, mtu, up are known */
	bool multi_queue;	/* TUN, TAP: IFF_MULTI_QUEUE */
	bool packet_info;	/* TUN, TAP: 4 bytes before each packet (no
				 * IFF_NO_PI) */
	bool up;		/* the device is up */
	bool adaptive;		/* AF_PACKET: opened, or to be opened, by
				 * fdl_open, which adds the second socket that
				 * mode adaptive needs */
	uint8_t address[6];	/* of the device; zeros if it has none */
	uint8_t vnet_hdr_len;	/* bytes of virtio-net header; 0: none; 255:
				 * so many or more. 24 are the most that an
				 * endpoint takes */
	char name[FDL_IFNAMSIZ];	/* of the device; "" if there is none */
	unsigned ifindex;
	uint32_t mtu;		/* of the device; 0: not known */
	uint32_t queues;	/* how many fds the device has; 1 unless
				 * multi_queue */
	uint32_t offloads;	/* FDL_OFFLOAD_ bits: what the kernel may leave
				 * to the reader of a TUN or TAP */
	uint32_t rcvbuf;	/* AF_PACKET: bytes of receive buffer. Half of
				 * them hold packets, half their bookkeeping.
				 * 0: the socket is not open yet */
	const char *kind_name;	/* fdl_kind_name(kind), or the name of a special
				 * sort of that kind; a constant, never freed */
	enum fdl_medium medium;	/* what frames are */
};

/* fdl_info.offloads, as the TUN_F_ flags of linux/if_tun.h. */
enum {
	FDL_OFFLOAD_CSUM	= 0x01,
	FDL_OFFLOAD_TSO4	= 0x02,
	FDL_OFFLOAD_TSO6	= 0x04,
	FDL_OFFLOAD_TSO_ECN	= 0x08,
	FDL_OFFLOAD_UFO		= 0x10,
	FDL_OFFLOAD_USO4	= 0x20,
	FDL_OFFLOAD_USO6	= 0x40,
	FDL_OFFLOAD_TUNNEL	= 0x80,	/* super-packets inside a tunnel in UDP;
					 * since Linux 6.17, with a virtio-net
					 * header of 24 bytes */
	FDL_OFFLOAD_TUNNEL_CSUM	= 0x100, /* also if the checksum of the outer
					  * UDP header is not 0 */
};

/*
 * Say what a locator names (fdl_probe) or what an fd is (fdl_probe_fd). Nothing
 * is created, opened, connected or changed. size is sizeof(struct fdl_info).
 * log and ctx are as fdl_options.log and log_ctx. Any thread.
 *
 * Returns 0. On an error *info has what the locator alone tells: kind,
 * kind_name, medium and ethernet, or zeros where it is malformed.
 * Errors: those of fdl_open and fdl_endpoint_new, and
 *	-ENODEV		there is no such TAP or TUN; fdl_open would create it
 */
int fdl_probe(const char *locator, struct fdl_info *info, size_t size,
	      void (*log)(void *ctx, int level, const char *msg), void *ctx);
int fdl_probe_fd(int fd, struct fdl_info *info, size_t size,
		 void (*log)(void *ctx, int level, const char *msg), void *ctx);

/* A link as it is now: its device's state, or that of its sockets. */
struct fdl_link {
	bool up;		/* with a device: it is switched on (IFF_UP);
				 * without: the link has not ended */
	bool carrier;		/* up, and connected. With a device: to a cable,
				 * to the other end of a veth, to the reader of
				 * a TUN or TAP. Without: to a peer, as far as
				 * the kernel tells */
	uint8_t address[6];	/* zeros if it has none */
	uint32_t mtu;		/* without a device: fdl_mtu */
	char name[FDL_IFNAMSIZ]; /* of the device; "" without one */
	uint64_t changes;	/* how often any of these changed, as far as
				 * fdl_recv has seen */
};

/*
 * Ask for the state of the link. size is sizeof(struct fdl_link). Any thread.
 *
 * There is no need to ask while nothing changes. A change makes the pollable
 * fds readable, fdl_recv returns 0 for it (or the packets that were there), and
 * fdl_link.changes has grown. When a TUN or TAP moves to another network
 * namespace, the endpoint follows it if the process may enter that namespace.
 * A warning is logged when changes cannot be noticed; if the reason was a lack
 * of file descriptors or memory, fdl_recv tries again.
 *
 * Returns 0.
 * Errors:
 *	-ENODEV		the device is gone
 *	-EXDEV		the device is in a network namespace that this process
 *			may not enter; its changes are not noticed either
 *	-EMFILE, -ENFILE, -ENOMEM
 *			the device has to be looked for anew, and that failed
 *			for lack of descriptors or memory; ask again later
 */
int fdl_link_state(struct fdl_endpoint *ep, struct fdl_link *link, size_t size);

/*
 * fdl_link.changes alone, without a system call, for a caller that asks often.
 * Any thread.
 */
uint64_t fdl_link_changes(const struct fdl_endpoint *ep);

/*
 * Switch the carrier of a TUN or TAP on or off, as if its cable were plugged in
 * or pulled out (TUNSETCARRIER, Linux 5.0). Without carrier the kernel sends
 * nothing, and still takes the packets that are sent to it. The carrier stays
 * as it is until the next switch; a process that attaches to the device
 * switches it on, too. If the device of a link with reconnect is away, the next
 * one gets the carrier. Any thread.
 *
 * Returns 0.
 * Errors:
 *	-EOPNOTSUPP	the link has no device, or the carrier of its device
 *			cannot be switched here: AF_PACKET, macvtap, a kernel
 *			before 5.0
 *	-ENODEV		the device is gone
 */
int fdl_set_carrier(struct fdl_endpoint *ep, bool on);

/*
 * What the endpoint's first fd was when the endpoint was made. size is
 * sizeof(struct fdl_info). Any thread. Returns 0.
 */
int fdl_get_info(const struct fdl_endpoint *ep, struct fdl_info *info,
		 size_t size);

/*
 * Why a mode cannot be used on such an fd. Any thread.
 * Returns the end of a sentence ("it is no socket"), or NULL: it can be used.
 */
const char *fdl_mode_refusal(const struct fdl_info *info, enum fdl_mode mode);

/*
 * Which mode FDL_MODE_AUTO means on such an fd. Any thread.
 * Returns the mode, or FDL_MODE_AUTO: no mode can be used.
 */
enum fdl_mode fdl_mode_best(const struct fdl_info *info);

/*
 * Why an endpoint with default options, over such an fd, would do an offload
 * itself on send and not leave it to the wire. offload is one FDL_OFFLOAD_ bit.
 * Any thread.
 * Returns the end of a sentence, or NULL: the wire would do it.
 */
const char *fdl_offload_refusal(const struct fdl_info *info, uint32_t offload);

/*
 * For a program that passes packets on to another link: from the next batch on,
 * FDL_GRO merges only what that link takes whole, since what has to be cut
 * again costs twice; inside a tunnel over UDP also what that link takes as the
 * datagrams of one super-packet. offloads is what fdl_tx_offloads says of it.
 * Nothing is then merged inside GRE and IP in IP, because no virtio-net header
 * describes them. UINT32_MAX: all that the stack takes, as without this call.
 * Nothing happens without FDL_GRO. Any thread.
 */
void fdl_set_gro(struct fdl_endpoint *ep, uint32_t offloads);

#ifdef __cplusplus
}
#endif

#endif
