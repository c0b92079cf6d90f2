/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints by name, and what an fd or a name is. */
#ifndef FDLINK_OPEN_H
#define FDLINK_OPEN_H

#include <net/if.h>

#include <fdlink/fdlink.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Open a link by its locator, KIND:NAME[,OPTION]...
 *
 *	tap:NAME, tun:NAME	a TAP or TUN device, created if there is none
 *	packet:IFACE		an AF_PACKET socket on an interface
 *	seqpacket:PATH		a unix seqpacket socket
 *	unixgram:PATH		a unix datagram socket
 *	fd:N			an fd the process has; never closed
 *	fd:NAME			one passed by systemd under that name
 *				(sd_listen_fds(3))
 *
 *	mtu=BYTES		68 to 65535; set on a TUN or TAP device
 *	netns=NAME		the device is in this network namespace (tap,
 *				tun, packet); a name of ip-netns(8) or a path
 *	queues=N		1 to 256 (tap, tun, packet): so many queues; a
 *				device that exists must have been made for them
 *	promisc			receive frames for all stations (packet)
 *	offload=on|off		super-packets and partial checksums to and from
 *				the kernel, behind a virtio-net header; default
 *				on (tap, tun)
 *	outgoing=on|off		FDL_RX_OUTGOING; default off (packet)
 *	rcvbuf=BYTES		receive buffer of each queue, 4096 to 1073741823;
 *				default 4 MiB, or as much as the system allows,
 *				which fdl_info.rcvbuf tells (packet)
 *	fanout=hash|lb|cpu|rollover|rnd|qm
 *				enum fdl_fanout; default hash (packet)
 *	rollover		FDL_ROLLOVER (packet)
 *	listen			bind PATH and wait for one peer (unix); a
 *				datagram socket waits for its first packet
 *	local=PATH		our own address, else chosen by the kernel
 *				(unixgram)
 *
 * A PATH that starts with '@' is abstract (unix(7)). What listen or local bound
 * is unlinked by fdl_endpoint_free. *ep is set on success only.
 *
 * Errors: -EINVAL malformed, or contradicting the options (log has the
 * grammar); -ENODEV no such interface; -ENOENT no such path or name; -EPERM,
 * -EACCES not allowed; -EBUSY another process has the device; -EINTR a signal
 * came while waiting for a peer; -ECONNREFUSED nobody listens; -EADDRINUSE; and
 * those of fdl_endpoint_new.
 */
int fdl_open(struct fdl_endpoint **ep, const char *locator,
	     const struct fdl_options *opts);

enum fdl_kind {
	FDL_KIND_TUN = 1,
	FDL_KIND_TAP,
	FDL_KIND_PACKET,
	FDL_KIND_SEQPACKET,
	FDL_KIND_DGRAM,
};

/* "tun", "tap", "packet", "seqpacket", "datagram"; NULL if none. Any thread. */
const char *fdl_kind_name(enum fdl_kind kind);

/* What an fd is, found by getsockopt(2) and ioctl(2) alone. */
struct fdl_info {
	enum fdl_kind kind;
	bool ethernet;		/* frames start with an Ethernet header; on a
				 * SEQPACKET or DGRAM socket that is up to the
				 * peers, and false */
	bool device;		/* name, ifindex, mtu, up are known */
	bool multi_queue;	/* TUN, TAP: IFF_MULTI_QUEUE */
	bool packet_info;	/* TUN, TAP: 4 bytes before each packet (no
				 * IFF_NO_PI) */
	bool up;		/* the device is up */
	bool adaptive;		/* AF_PACKET: fdl_open opens it, or has, with
				 * the second sockets of mode adaptive */
	uint8_t address[6];	/* of the device; zeros if it has none */
	uint8_t vnet_hdr_len;	/* bytes of virtio-net header; 0: none */
	char name[IF_NAMESIZE];	/* of the device; "" if there is none */
	unsigned ifindex;
	uint32_t mtu;		/* of the device; 0: not known */
	uint32_t queues;	/* fds of this device: 1 unless multi_queue */
	uint32_t offloads;	/* FDL_OFFLOAD_..., what a TUN or TAP was told
				 * it may hand out */
	uint32_t rcvbuf;	/* AF_PACKET: bytes of receive buffer, of which
				 * half is for packets and half for their
				 * bookkeeping; 0: not open yet */
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
};

/*
 * Say what a locator names, or what an fd is, without creating, opening,
 * connecting or changing anything. size is sizeof(struct fdl_info). log and ctx
 * as in fdl_options. Any thread.
 * Errors: as fdl_open and fdl_endpoint_new; -ENODEV a TAP or TUN that does not
 * exist (opening would create it).
 */
int fdl_probe(const char *locator, struct fdl_info *info, size_t size,
	      void (*log)(void *ctx, int level, const char *msg), void *ctx);
int fdl_probe_fd(int fd, struct fdl_info *info, size_t size,
		 void (*log)(void *ctx, int level, const char *msg), void *ctx);

/* The device of a link as it is now. */
struct fdl_link {
	bool up;		/* switched on (IFF_UP) */
	bool carrier;		/* up, and connected: a cable, a veth's other
				 * end, a TUN's or TAP's reader */
	uint8_t address[6];	/* zeros if it has none */
	uint32_t mtu;
	char name[IF_NAMESIZE];
	uint64_t changes;	/* how often any of these changed, as far as
				 * fdl_recv has seen */
};

/*
 * Ask for the state of the endpoint's device; size is sizeof(struct fdl_link).
 * No call is needed while nothing changes: a change makes the pollable fds
 * readable, fdl_recv returns 0 for it (or the packets that were there) and
 * fdl_link.changes has grown. A TUN or TAP that is moved to another network
 * namespace is followed there, where that is permitted. Any thread.
 * Errors: -EOPNOTSUPP a link without a device; -ENODEV it is gone; -EXDEV it is
 * in a network namespace that is not for us to enter, where changes are not
 * noticed either.
 */
int fdl_link_state(struct fdl_endpoint *ep, struct fdl_link *link, size_t size);

/*
 * fdl_link.changes alone, for who asks often: no system call. A link without a
 * device has 0. Any thread.
 */
uint64_t fdl_link_changes(const struct fdl_endpoint *ep);

/*
 * What the endpoint's first fd was when the endpoint was made. Any thread.
 * Returns 0.
 */
int fdl_get_info(const struct fdl_endpoint *ep, struct fdl_info *info,
		 size_t size);

/*
 * Why a mode cannot be used on such an fd, as the end of a sentence; NULL: it
 * can. Any thread.
 */
const char *fdl_mode_refusal(const struct fdl_info *info, enum fdl_mode mode);

/* What FDL_MODE_AUTO is on such an fd; AUTO: no mode can be used. Any thread. */
enum fdl_mode fdl_mode_best(const struct fdl_info *info);

/*
 * Why an offload, one FDL_OFFLOAD_ bit, would not be left to the wire on send
 * through an endpoint over such an fd with default options, as the end of a
 * sentence; NULL: it would. Any thread.
 */
const char *fdl_offload_refusal(const struct fdl_info *info, uint32_t offload);

#ifdef __cplusplus
}
#endif

#endif
