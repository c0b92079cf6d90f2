/* SPDX-License-Identifier: Apache-2.0 */
/* How an endpoint is to be: struct fdl_options. Included by fdlink.h. */
#ifndef FDLINK_OPTIONS_H
#define FDLINK_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a queue receives. */
enum fdl_mode {
	FDL_MODE_AUTO,		/* the best mode that the fd allows */
	FDL_MODE_READV,		/* one system call per packet; any fd */
	FDL_MODE_RECVMMSG,	/* one per batch, recvmmsg(2); any socket */
	FDL_MODE_PACKET_MMAP,	/* none: a ring in shared memory, whose packets
				 * are delivered in place; AF_PACKET. The kernel
				 * hands over packets by the block, when it is
				 * full or its timeout is over */
	FDL_MODE_ADAPTIVE,	/* recvmmsg while packets are few, packet_mmap
				 * while they are many, each queue on its own,
				 * switched without losing or reordering any:
				 * 'packet:IFACE', opened by fdl_open, of one
				 * queue, or of up to 128 by FDL_FANOUT_HASH
				 * without FDL_ROLLOVER; older kernels want
				 * the device to be up. For the some 10 ms of
				 * each switch there is a thread, with all
				 * signals blocked; the library starts no other
				 * by itself. Queues take turns in it.
				 * fdl_endpoint_free waits for what is left of a
				 * switch */
};

/* "auto", "readv", "recvmmsg", "packet_mmap", "adaptive"; NULL for a value that
 * is no mode. Any thread. */
const char *fdl_mode_name(enum fdl_mode mode);

/* fdl_options.flags */
enum {
	/* Packets start with an Ethernet header. Implied by a TAP and by an
	 * AF_PACKET socket on an Ethernet device, -EINVAL on a TUN. */
	FDL_ETHERNET		= 1 << 0,
	/* Count frames for other stations instead of delivering them. */
	FDL_DROP_OTHERHOST	= 1 << 1,
	/* Only reported back as capabilities: what a stack's save and restore
	 * may do with connections over this link. */
	FDL_SAVE_RESTORE	= 1 << 2,
	FDL_DISCONNECT_OK	= 1 << 3,
	/* Both peers of a unix socket put a virtio-net header of 10 bytes, in
	 * this machine's byte order, before each packet. Elsewhere the header
	 * is read off the fd: a TUN or TAP without one is -EINVAL. */
	FDL_VNET_HDR		= 1 << 4,
	/* What the stack takes as it comes from the wire; without these it
	 * gets complete packets, super-packets of TCP cut to the link's MTU.
	 * Longer ones only come as such from a peer whose MTU is larger: a
	 * datagram's size is its sender's choice, also in super-packets. */
	FDL_RX_CSUM		= 1 << 5, /* partial checksums */
	FDL_RX_GSO		= 1 << 6, /* super-packets of TCP, checksum
					   * partial; needs FDL_RX_CSUM */
	FDL_RX_USO		= 1 << 7, /* the same of UDP */
	/* Merge the segments that one fdl_recv finds into super-packets, of the
	 * kinds that FDL_RX_GSO and FDL_RX_USO name. Nothing waits for it. */
	FDL_GRO			= 1 << 8,
	/* fdl_write and fdl_write_ref put packets off until fdl_flush. Segments
	 * of one flow that follow each other are then sent as one super-packet,
	 * where the wire takes these. */
	FDL_COALESCE		= 1 << 9,
	/* The stack leaves TCP and UDP checksums partial where it likes. Only
	 * reported back: what a packet's off says is always seen to. */
	FDL_TX_CSUM		= 1 << 10,
	/* AF_PACKET: deliver what this machine sends on the device through
	 * other sockets too, as FDL_OUTGOING. */
	FDL_RX_OUTGOING		= 1 << 16,
	/* With a fanout: a queue that is full passes packets on to others,
	 * which may take a flow out of order. */
	FDL_ROLLOVER		= 1 << 17,
};

/*
 * Which queue of an AF_PACKET endpoint gets a packet (PACKET_FANOUT of
 * packet(7)). All but HASH, CBPF and perhaps QM spread one flow over several
 * queues. A TUN or TAP of several queues has the kernel's own hash: a flow comes
 * on the queue that last sent a packet of it.
 */
enum fdl_fanout {
	FDL_FANOUT_AUTO,	/* sockets that fdl_open opens: HASH; a
				 * caller's: no fanout group is made */
	FDL_FANOUT_HASH,	/* by the flow's hash, the kernel's; in mode
				 * adaptive fdlink's: the addresses of IPv4 and
				 * IPv6 packets, and the ports of TCP and UDP;
				 * a tunnel is one flow, and all that is no IP
				 * another one */
	FDL_FANOUT_LB,		/* in turn */
	FDL_FANOUT_CPU,		/* by the CPU the packet arrived on */
	FDL_FANOUT_ROLLOVER,	/* the first queue, when it is full the next */
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
	FDL_USE_AUTO,		/* all that the wire takes, save what this
				 * kernel is known to corrupt */
	FDL_USE_ON,		/* that, too */
	FDL_USE_OFF,		/* nothing: all is done here */
};

/* All zero means good defaults. */
struct fdl_options {
	size_t size;		/* sizeof(struct fdl_options); 0: the layout of
				 * version 1.0 */
	uint32_t mtu;		/* bytes behind the link header, 68 to 65535;
				 * 0: the device's, on a unix socket 1500 */
	uint32_t flags;		/* FDL_ETHERNET ... */
	enum fdl_mode mode;
	enum fdl_use tx_offload; /* the environment's FDLINK_TX_OFFLOAD, "on",
				 * "off" or "auto", takes precedence */
	uint8_t address[6];	/* the endpoint's own link address; zeros: not
				 * known, and no unicast frame is called one for
				 * another host but by the kernel */
	uint32_t batch;		/* packets per internal step, 1 to 256; 0: 32 */
	uint32_t pool;		/* packets per queue, 2 to 65536; 0: 256. The
				 * queue keeps up to a batch of them, at most
				 * half, at hand to receive into, where
				 * fdl_alloc does not get them. A slot takes
				 * 65728 bytes of address space plus the
				 * headroom, and 68 of bookkeeping; memory is
				 * used as packets touch it */
	uint32_t ring_bytes;	/* of the receive ring per queue, packet_mmap,
				 * and adaptive from its first load on;
				 * rounded down to at least 4 blocks of 128, 256
				 * or 512 KiB; up to 1 GiB; 0: 16 MiB. Where
				 * packets are few it lasts for as many times
				 * ring_timeout_ms as it has blocks: 32, and 128
				 * in mode adaptive */
	uint32_t ring_timeout_ms; /* until a block that is not full is handed
				 * over, 1 to 1000; 0: 1 */
	uint32_t headroom;	/* room before each received packet on top of
				 * the 38 bytes always there; up to 4096 */
	uint32_t gso_max_size;	/* longest super-packet that the stack sends,
				 * with its link header, up to 65535; 0: it sends
				 * none. Only reported back, as FDL_TX_CSUM */
	uint32_t tx_wait_ms;	/* how long the calls that may drop for lack of
				 * room (fdl_write, fdl_write_ref, fdl_flush,
				 * fdl_write_packets, fdl_inject_outbound) wait
				 * for it before they do; up to 60000, 0: not at
				 * all */
	uint32_t max_syscall_header_bytes; /* most bytes of message headers (64
				 * each) and piece descriptors (16 each) that
				 * one system call may pass; 0: no limit. Any
				 * value sends: where it allows less
				 * than two pieces, packets go one by one from
				 * one buffer.
				 * To receive from an AF_PACKET socket takes 80,
				 * and mode recvmmsg 80 per packet of a batch,
				 * which is reduced to fit */
	/* Called with one line of text without newline, on the thread that
	 * made the call it speaks of. NULL: nobody is told. */
	void (*log)(void *ctx, int level, const char *msg);
	void *log_ctx;
	/* Sockets that the caller put into a group need nothing here; one
	 * socket alone is never put into one. */
	enum fdl_fanout fanout;
	/* CBPF: classic BPF; its result, modulo the number of queues, is the
	 * queue. It sees a received packet from its network header on, and the
	 * link header at SKF_LL_OFF. Read during the call only. */
	const struct sock_fprog *fanout_program;
};

#ifdef __cplusplus
}
#endif

#endif
