/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An lwIP netif over an fdlink endpoint, for lwIP 2.1 or newer. Compile all
 * fdl_lwip*.c, except the four of TCP's sending (see below), with your own
 * lwIP and lwipopts.h, in which LWIP_SUPPORT_CUSTOM_PBUF is 1 and ETH_PAD_SIZE
 * is 0.
 *
 * A received packet becomes a pbuf in place; only when lwIP and its
 * applications hold half of the pool are packets copied to lwIP's heap, so that
 * one connection that nobody reads cannot make the link deaf. A pbuf chain is
 * sent as it is.
 *
 * Offloads: give fdl_options.flags FDL_LWIP_FLAGS, and TCP comes in
 * super-packets of up to 64 KiB, leaves in such as the segments of one turn
 * make, and its checksums are left to the wire. lwIP goes on checking what the
 * wire does not vouch for, and writing all other checksums itself. Without the
 * flags it sees only complete packets no longer than the MTU. What is received
 * in super-packets takes these lines in lwipopts.h:
 *
 *	#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
 *	#define LWIP_HOOK_FILENAME "fdl_lwip_hook.h"
 *	#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, hdr, len, len1, opt2, p) \
 *		fdl_lwip_tcp_input(pcb, hdr, len, len1, opt2, p)
 *
 * and no IP_FORWARD, LWIP_IPV6_FORWARD or LWIP_NETIF_LOOPBACK, for what lwIP
 * forwards, and what it sends to itself, has to be complete. If any is amiss,
 * FDL_LWIP_FLAGS is what can do without. With lwIP's own threshold each of them
 * would have a window update; a larger one spares it that:
 *
 *	#define TCP_WND_UPDATE_THRESHOLD (TCP_WND / 4)
 *
 * No-copy writes: when an application learns, by a callback or by an end of the
 * connection, that bytes of a tcp_write without TCP_WRITE_FLAG_COPY are its own
 * again, the adaptor has sent or copied them and does not read them any more. To
 * copy them only where they must wait takes the hook above and one entry more
 * than you use of these; without, all that waits for a flush is copied:
 *
 *	#define LWIP_TCP_PCB_NUM_EXT_ARGS 1
 *
 * Segmentation offload: lwIP cuts what TCP sends at the connection's MSS, which
 * costs more than all the rest. Compile fdl_lwip_tso.c, fdl_lwip_segment.c and
 * fdl_lwip_recovery.c too, and fdl_lwip_tcp_out.c in place of lwIP's
 * core/tcp_out.c (it includes that, by the way of lwIP's include directory), set
 * fdl_lwip.tso, and segments of up to 64 KiB leave uncut, for the wire or the
 * endpoint to cut. tcp_write and tcp_output are the adaptor's then, before lwIP's
 * own. It takes what super-packets take on receipt, see above. What is
 * different:
 *
 * - tcp_sent callbacks come for larger pieces, at most a quarter of
 *   TCP_SND_BUF, of which the peer has acknowledged all.
 * - Of a write that is longer than the MSS Nagle's algorithm holds back no
 *   shorter last segment.
 *
 * pcb->mss, the MSS in SYNs, the congestion window in all its states and the
 * netif's MTU are as without.
 *
 * Lost packets: lwIP sends again one segment of a window, and all of it after a
 * timeout of a second or more. With the files of segmentation offload, used or
 * not, the hook above, and these lines (two entries more than you use, that of
 * no-copy writes included), what the peer reports to have (SACK) is not sent
 * again, and the rest within a round trip; a late packet is waited for once one
 * was seen; an end that is lost is probed; and a timeout is a round trip and
 * 200 ms:
 *
 *	#define LWIP_TCP_SACK_OUT 1
 *	#define LWIP_TCP_PCB_NUM_EXT_ARGS 2
 *
 * It takes some 400 bytes of lwIP's heap for a connection that has sent
 * anything, and one entry more of MEMP_NUM_SYS_TIMEOUT. pcb->cwnd is the
 * congestion window between calls of tcp_output; pcb->dupacks stays 0.
 *
 * Strangers: with the lines above,
 *
 * - a SYN that finds its listener's backlog full, or no pcb, takes the place of
 *   the oldest connection that is half open. With no pcb and no such connection
 *   that of one that the application has closed and its peer has not. What is
 *   open is yours to end, or lwIP's if its priority (tcp_setprio) is lower than
 *   the listener's.
 * - a SYN that is later than a connection in TIME-WAIT begins the next one at
 *   once, if the initial sequence number is beyond the last one used. With a
 *   choice of yours (below your_choice: it should not be guessed) it always is:
 *
 *	#define LWIP_HOOK_TCP_ISN(local, lport, remote, rport) \
 *		fdl_lwip_isn(your_choice)
 *
 * - all connections together keep at most fdl_lwip.ooseq_max bytes that came
 *   before their turn, a segment counted as 512 more than it carries: the one
 *   that keeps most loses them, and its peer sends them again. What one keeps,
 *   and what it costs to find a place in it, is for lwipopts.h to bound. Super-
 *   packets count as one pbuf, so this is room for the whole window of 1 MiB,
 *   also in packets of 1500 bytes:
 *
 *	#define TCP_OOSEQ_MAX_BYTES TCP_WND
 *	#define TCP_OOSEQ_MAX_PBUFS 1024
 *
 * Malformed packets: lwIP reads some bytes before it knows that they are in the
 * packet. It gets no packet in which they could be missing: one whose headers,
 * their options or their lengths go on behind its end; fragments that make more
 * than 65535 bytes, a first one of fewer than 64 bytes behind the IP header, and
 * in IPv6 an extension header on either side of the fragment header.
 *
 * Narrow paths: a "packet too big" of ICMPv6 or "fragmentation needed" of ICMP
 * that a packet of ours can have caused makes TCP's segments shorter, in every
 * mode, and IPv6 datagrams fragments; other ones change nothing, nor do
 * redirects that do not come from the first hop. 32 destinations are remembered,
 * for ten minutes each.
 *
 * VLAN tags: one of VLAN 0, a priority alone, is taken off what is received
 * without ETHARP_SUPPORT_VLAN. Others: one to a frame, by that,
 * LWIP_HOOK_VLAN_SET and LWIP_HOOK_VLAN_CHECK, with all offloads.
 *
 * NO_SYS=1: one thread does everything, in this order, so that one flush
 * covers all that the turn has to send:
 *
 *	fdl_poll(ep, timeout);
 *	sys_check_timeouts();
 *	fdl_lwip_poll(&link);
 *
 * What is sent between fdl_lwip_poll and fdl_poll waits for the next turn, or
 * for a fdl_flush of the first queue.
 *
 * NO_SYS=0: a thread of yours calls fdl_poll(ep, -1) and fdl_lwip_poll in turn;
 * everything else, sending included, happens on lwIP's thread. A message to it
 * stands for any number of packets: TCPIP_MBOX_SIZE loses none, and while the
 * pool is lwIP's the rest waits in the kernel. DEFAULT_TCP_RECVMBOX_SIZE is
 * lwIP's own to keep; without FDL_RX_GSO or FDL_GRO a window is as many packets
 * as it has segments, and lwIP has what finds no room there sent again.
 */
#ifndef FDL_LWIP_H
#define FDL_LWIP_H

#include <stdint.h>

#include <lwip/netif.h>

#include <fdlink/fdlink.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What fdl_options.headroom must be at least: a pbuf is put there. */
#define FDL_LWIP_HEADROOM 128

/* What to set in fdl_options.flags. */
#if LWIP_CHECKSUM_CTRL_PER_NETIF && defined(LWIP_HOOK_TCP_INPACKET_PCB) && \
	!IP_FORWARD && !LWIP_IPV6_FORWARD && !LWIP_NETIF_LOOPBACK
#define FDL_LWIP_FLAGS (FDL_RX_CSUM | FDL_RX_GSO | FDL_GRO | FDL_COALESCE)
#else
#define FDL_LWIP_FLAGS FDL_COALESCE
#endif

struct fdl_lwip_waiting;
struct tcp_pcb;

/* Destinations of which it is known how long a packet to them may be, or was. */
#define FDL_LWIP_PATHS 32

struct fdl_lwip_path {
	uint8_t to[16];
	uint32_t since;
	uint16_t mtu;
	uint8_t in_use;
};

/* The netif's state. Zero it and set the first two fields. */
struct fdl_lwip {
	struct fdl_endpoint *ep;
	uint32_t pool;		/* fdl_options.pool; 0: its default */
	uint8_t tso;		/* 1: segmentation offload; fdl_lwip_init sets
				 * it to 0 where checksums are not the wire's */
	uint32_t ooseq_max;	/* see "Strangers"; 0: 32 MiB */
	uint64_t rx_dropped;	/* packets that did not become lwIP's: no
				 * memory, longer than the 65535 bytes that a
				 * pbuf can count, or malformed */
	/* private */
	struct netif *netif;
	struct fdl_lwip_waiting *first, *last; /* NO_SYS=0 */
	struct tcp_pcb *unacked;
	uint32_t held;
	uint32_t ooseq;
	uint32_t last_seq;
	uint8_t reopening;
	uint64_t lent, unlent;	/* bits of connections */
	const struct pbuf *passed; /* the last that was sent */
	uint8_t flushing;
	uint8_t wire_sums;
	uint16_t mss;
	uint8_t lagging;
	uint8_t own_address;
	uint8_t narrow;
	uint16_t mtu, max_mtu, router_mtu;
	uint32_t ident;
	uint64_t changes;
	struct fdl_lwip_path path[FDL_LWIP_PATHS];
};

/*
 * For netif_add, with a struct fdl_lwip * as state and as input netif_input
 * (NO_SYS=1) or tcpip_input. Takes MTU, link address and medium from the
 * endpoint, and sets the link up; the MTU is at most 65535 less the link
 * header, as lwIP counts a frame in 16 bits. On an AF_PACKET endpoint that was
 * given no address it is the device's.
 * The struct and the netif must stay as long as lwIP holds packets.
 * Errors: ERR_ARG no link address on another link that has them
 * (fdl_options.address); ERR_BUF packets have not the headroom.
 */
err_t fdl_lwip_init(struct netif *netif);

/*
 * Hand what has been received, at most 64 packets per queue, to lwIP and flush
 * what it answered. Follow the device's MTU, where no smaller one was asked
 * for, and its address, where that is the netif's: running connections go on
 * with segments that fit. What is set in netif->mtu stays until the device's
 * changes. NO_SYS=1: never blocks. NO_SYS=0: waits while lwIP's mailbox is
 * full; not on lwIP's thread, nor with its core locked.
 * Returns how many packets there were; 0 also when lwIP holds the whole pool.
 * Errors: those of fdl_recv, when all queues have ended.
 */
int fdl_lwip_poll(struct fdl_lwip *link);

#ifdef __cplusplus
}
#endif

#endif
