/* SPDX-License-Identifier: Apache-2.0 */
/* How an endpoint is to be: struct fdl_options. Included by fdlink.h. */
#ifndef FDLINK_OPTIONS_H
#define FDLINK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a queue receives. */
enum fdl_mode {
	FDL_MODE_AUTO,		/* the best mode that the fd allows */
	FDL_MODE_READV,		/* one system call per packet; any fd. On a
				 * 'stream:' as many frames as fit in a call */
	FDL_MODE_RECVMMSG,	/* one system call per batch, recvmmsg(2); any
				 * socket */
	FDL_MODE_PACKET_MMAP,	/* no system call: a ring in memory shared with
				 * the kernel, from which packets are delivered
				 * in place; AF_PACKET. The kernel hands over a
				 * block of packets when the block is full or
				 * its timeout is over */
	FDL_MODE_ADAPTIVE,	/* recvmmsg while packets are few, packet_mmap
				 * while they are many. Each queue switches on
				 * its own; a switch neither loses nor reorders
				 * packets. Only for 'packet:IFACE' opened by
				 * fdl_open, with one queue, or with up to 128
				 * by FDL_FANOUT_HASH and no FDL_ROLLOVER; older
				 * kernels require the device to be up.
				 * During each switch, about 10 ms, a helper
				 * thread runs, with all signals blocked; the
				 * queues take turns in it. The library starts
				 * no other thread by itself. fdl_endpoint_free
				 * waits for a switch in progress */
};

/* "auto", "readv", "recvmmsg", "packet_mmap", "adaptive"; NULL for a number
 * that is no mode. Any thread. */
const char *fdl_mode_name(enum fdl_mode mode);

/* fdl_options.flags */
enum {
	/* Packets start with an Ethernet header. A TAP, and an AF_PACKET socket
	 * on an Ethernet device, have it without being told; on a TUN it is
	 * -EINVAL. */
	FDL_ETHERNET		= 1 << 0,
	/* Count frames for other stations instead of delivering them. */
	FDL_DROP_OTHERHOST	= 1 << 1,
	/* Only reported by fdl_capabilities: what the save and restore of a
	 * stack may do with connections over this link. */
	FDL_SAVE_RESTORE	= 1 << 2,
	FDL_DISCONNECT_OK	= 1 << 3,
	/* Both peers of a unix socket, or over UDP, put a virtio-net header of
	 * 10 bytes, in this machine's byte order, before each packet. For other
	 * fds the fd itself tells whether there is a header; a TUN or TAP
	 * without one is -EINVAL. */
	FDL_VNET_HDR		= 1 << 4,
	/* What the stack takes as it comes from the wire. Without these flags
	 * it gets complete packets: checksums completed, super-packets of TCP
	 * cut to the link's MTU, those of UDP into the datagrams that the
	 * sender made. A packet is longer than the MTU only if it came so, from
	 * a peer whose MTU is larger. */
	FDL_RX_CSUM		= 1 << 5, /* partial checksums */
	FDL_RX_GSO		= 1 << 6, /* super-packets of TCP, checksum
					   * partial; needs FDL_RX_CSUM */
	FDL_RX_USO		= 1 << 7, /* the same of UDP */
	/* Merge received segments into super-packets, of the kinds that
	 * FDL_RX_GSO and FDL_RX_USO name. The window is one internal step of
	 * one fdl_recv: segments are merged if one batch (fdl_options.batch)
	 * found them waiting together. No packet waits for later ones. With
	 * FDL_RX_TUNNEL segments inside tunnels are merged, too. */
	FDL_GRO			= 1 << 8,
	/* fdl_write and fdl_write_ref defer packets until fdl_flush. Segments
	 * of one flow that follow each other are then sent as one super-packet,
	 * where the wire takes it; also inside a tunnel in UDP, if the wire
	 * takes FDL_OFFLOAD_TUNNEL and FDL_OFFLOAD_TUNNEL_CSUM. */
	FDL_COALESCE		= 1 << 9,
	/* The stack may leave checksums of TCP and UDP partial. Only reported
	 * by fdl_capabilities: packet.off is always honoured, with or without
	 * this flag. */
	FDL_TX_CSUM		= 1 << 10,
	/* As FDL_VNET_HDR, with the header of virtio 1: 12 bytes,
	 * little-endian, num_buffers 1 (virtio 1.2, 5.1.6). Only where the peer
	 * is a program that agrees: on a TUN, TAP or AF_PACKET fd it is
	 * -EINVAL. */
	FDL_VNET_HDR_V1		= 1 << 11,
	/* The stack takes whole super-packets inside tunnels, too: of TCP with
	 * FDL_RX_GSO, of UDP with FDL_RX_USO, one of which is required. Their
	 * off describes the inner packet (fdl_offload_tunnel). An outer UDP
	 * checksum that is not 0 is partial as well. A TUN or TAP that fdl_open
	 * opens then has the virtio-net header that can describe them, if the
	 * kernel knows it (Linux 6.17), and 10 bytes otherwise. */
	FDL_RX_TUNNEL		= 1 << 12,
	/* AF_PACKET: also deliver what this machine sends on the device through
	 * other sockets, as packets of type FDL_OUTGOING. */
	FDL_RX_OUTGOING		= 1 << 16,
	/* With a fanout: a queue that is full passes packets on to other
	 * queues. That can reorder a flow. */
	FDL_ROLLOVER		= 1 << 17,
	/* AF_PACKET: do not ask the kernel for what it finds out about packets
	 * only when it is asked. For times of arrival it reads the clock for
	 * each packet of the machine, while any socket asks. For the flow hash
	 * of mode packet_mmap it reads each packet's headers. With this flag
	 * tstamp_ns is given only in mode packet_mmap, and while a caller's
	 * socket asks for times itself; hash is 0. */
	FDL_NO_METADATA		= 1 << 18,
};

/*
 * Which queue of an AF_PACKET endpoint gets a packet (PACKET_FANOUT of
 * packet(7)). HASH, and perhaps CBPF and QM, keep a flow on one queue; the
 * others spread it over several. A TUN or TAP of several queues does not use
 * this: the kernel delivers a flow on the queue that last sent a packet of it.
 */
enum fdl_fanout {
	FDL_FANOUT_AUTO,	/* for sockets that fdl_open opens: HASH; for a
				 * caller's: no fanout group is made */
	FDL_FANOUT_HASH,	/* by the flow's hash, which is the kernel's. In
				 * mode adaptive it is fdlink's own, of the
				 * addresses of IPv4 and IPv6 packets and of the
				 * ports of TCP and UDP: a tunnel is one flow,
				 * and so are all packets that are not IP */
	FDL_FANOUT_LB,		/* in turn */
	FDL_FANOUT_CPU,		/* by the CPU the packet arrived on */
	FDL_FANOUT_ROLLOVER,	/* the first queue; when it is full, the next */
	FDL_FANOUT_RND,		/* at random */
	FDL_FANOUT_QM,		/* by the device's receive queue */
	FDL_FANOUT_CBPF,	/* fdl_options.fanout_program decides */
};

struct sock_fprog;		/* linux/filter.h */

/* fdl_options.log levels, those of syslog(3). */
enum fdl_log_level {
	FDL_LOG_ERR = 3,	/* why the call in progress fails */
	FDL_LOG_WARNING = 4,	/* the endpoint works, but not as asked */
	FDL_LOG_INFO = 6,
};

/* fdl_options.tx_offload: may work be left to the wire? */
enum fdl_use {
	FDL_USE_AUTO,		/* all that the wire takes, except what this
				 * kernel is known to corrupt */
	FDL_USE_ON,		/* all that the wire takes */
	FDL_USE_OFF,		/* nothing: the library does all of it */
};

/* All zero means good defaults. */
struct fdl_options {
	size_t size;		/* sizeof(struct fdl_options); 0: the layout of
				 * version 1.0; more than 4096: -EINVAL */
	uint32_t mtu;		/* bytes behind the link header, 68 to 65535;
				 * 0: the device's MTU, or 1500 on a unix
				 * socket */
	uint32_t flags;		/* FDL_ETHERNET ... */
	enum fdl_mode mode;
	enum fdl_use tx_offload; /* the environment's FDLINK_TX_OFFLOAD, "on",
				 * "off" or "auto", takes precedence */
	uint8_t address[6];	/* the endpoint's own link address; all zero:
				 * unknown. A unicast frame is then of type
				 * FDL_OTHERHOST only if the kernel says so.
				 * AF_PACKET: the device is asked for frames to
				 * a known address and, with one or with
				 * FDL_DROP_OTHERHOST, to all groups */
	uint32_t batch;		/* packets per internal step, 1 to 256; 0: 32 */
	uint32_t pool;		/* slots per queue, each the memory of one
				 * packet; 2 to 65536; 0: 256. The queue
				 * reserves up to one batch of them, at most
				 * half the pool, for receiving: fdl_alloc
				 * cannot take those. A slot takes 65728 bytes
				 * of address space plus the headroom, and 68
				 * bytes of bookkeeping; on AF_PACKET 448 KiB
				 * more, for BIG TCP. Memory is used as packets
				 * touch it */
	uint32_t ring_bytes;	/* packet_mmap and, from its first load on,
				 * adaptive: size of the receive ring of each
				 * queue; up to 1 GiB; 0: 16 MiB. Rounded down
				 * to at least 4 blocks of 128, 256 or 512 KiB.
				 * At low packet rates each block holds the
				 * packets of one ring_timeout_ms, so the ring
				 * buffers that time once for each block: 32 ms
				 * by default, 128 ms in mode adaptive */
	uint32_t ring_timeout_ms; /* time until the kernel hands over a block
				 * that is not full, 1 to 1000; 0: 1 */
	uint32_t headroom;	/* room before each received packet, on top of
				 * the 38 bytes always there; up to 4096 */
	uint32_t gso_max_size;	/* longest super-packet of the stack, in bytes
				 * with its link header, up to 524280; 0: it
				 * sends none. Reported by fdl_gso_max_size and
				 * fdl_get_gso_kind; sending does not check it.
				 * With FDL_RX_GSO, a value above 65535 says
				 * that the stack takes super-packets of TCP
				 * that are so long, too (BIG TCP of AF_PACKET,
				 * doc/offload.md). Their IP header has a length
				 * of 0, and packet.len tells it. Longer ones
				 * are cut into some of up to 65535 bytes */
	uint32_t tx_wait_ms;	/* how long a call waits for room before it
				 * drops a packet for lack of room; up to 60000;
				 * 0: not at all. For fdl_write, fdl_write_ref,
				 * fdl_write_frames (anew for each 64 frames),
				 * fdl_flush, fdl_write_packets and
				 * fdl_inject_outbound */
	uint32_t max_syscall_header_bytes; /* most bytes of message headers (64
				 * each) and piece descriptors (16 each) that
				 * one system call may pass; 0: no limit.
				 * Sending works with any value: where it allows
				 * less than two pieces, packets go one by one
				 * from one buffer. Receiving from an AF_PACKET
				 * socket needs 80. Mode recvmmsg needs 80 per
				 * packet of a batch, and makes batches small
				 * enough to fit */
	/* Called with one line of text, without newline, on the thread that
	 * made the call it speaks of. NULL: nobody is told. */
	void (*log)(void *ctx, int level, const char *msg);
	void *log_ctx;
	/* AF_PACKET, several fds: the group that they join. Leave it at AUTO
	 * for sockets that the caller has put into a group. One socket alone
	 * never joins a group. */
	enum fdl_fanout fanout;
	/* FDL_FANOUT_CBPF: a program of classic BPF. Its result, modulo the
	 * number of queues, is the queue. It sees a received packet from the
	 * network header on, and the link header at SKF_LL_OFF. Read during the
	 * call only. */
	const struct sock_fprog *fanout_program;
	/*
	 * For a process that gives its privileges up once its links are open.
	 * fdl_recv calls this function to open a device anew (locator option
	 * reconnect), and does not open the device itself. It is meant to ask
	 * another process, which calls fdl_open_fds. existing is for that call.
	 *
	 * It fills in fds[], which has room for n fds, at least as many as
	 * fdl_open_fds gives; fdl_recv owns them then. It may take long only
	 * where fdl_recv may.
	 *
	 * Returns how many, or -errno: fdl_recv tries again, 10 ms to a second
	 * later. So it does, after closing them, if they are not as many as
	 * fdl_open_fds gives. Never called by two threads at once. NULL: the
	 * device is opened by fdl_recv. Not with packet_mmap and several
	 * queues.
	 */
	int (*reopen)(void *ctx, bool existing, int fds[], unsigned n);
	void *reopen_ctx;
};

#ifdef __cplusplus
}
#endif

#endif
