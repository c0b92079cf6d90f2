/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An lwIP netif over an fdlink endpoint, for lwIP 2.1 or newer. Words such as
 * wire and super-packet are those of fdlink.h.
 *
 * Building. Compile all fdl_lwip*.c with your own lwIP and lwipopts.h, from the
 * directory that 'pkg-config --variable=lwipdir fdlink' tells. Leave out these
 * four, except for segmentation offload and lost packets (below):
 * fdl_lwip_tso.c, fdl_lwip_segment.c, fdl_lwip_recovery.c, fdl_lwip_tcp_out.c.
 * lwipopts.h must have, and the compiler says what is missing:
 *
 *	#define LWIP_SUPPORT_CUSTOM_PBUF 1
 *	#define ETH_PAD_SIZE 0
 *	#define IPV6_FRAG_COPYHEADER 1	with IPv6, if pointers have 8 bytes
 *	#define LWIP_WND_SCALE 1	with super-packets, below
 *	#define SYS_LIGHTWEIGHT_PROT 1	unless NO_SYS is 1
 *
 * Copies. A received packet becomes a pbuf in place. In the modes packet_mmap
 * and adaptive what lies in the ring is copied to a slot of the pool first
 * (fdl_keep), because lwIP and its applications may hold it for long. Once they
 * hold half of the pool, further packets are copied to lwIP's heap: so one
 * connection that nobody reads cannot make the link deaf. A pbuf chain is sent
 * as it is.
 *
 * Offloads. Give FDL_LWIP_FLAGS as fdl_options.flags. Then TCP arrives in
 * super-packets of up to 64 KiB, the segments of one turn leave as
 * super-packets, and TCP's checksums are left to the wire. lwIP still checks
 * what the wire does not vouch for, and still writes all other checksums.
 * Without the flags lwIP sees only complete packets no longer than the MTU.
 * Receiving super-packets needs these lines in lwipopts.h:
 *
 *	#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
 *	#define LWIP_HOOK_FILENAME "fdl_lwip_hook.h"
 *	#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, hdr, len, len1, opt2, p) \
 *		fdl_lwip_tcp_input(pcb, hdr, len, len1, opt2, p)
 *
 * and none of IP_FORWARD, LWIP_IPV6_FORWARD and LWIP_NETIF_LOOPBACK, because
 * what lwIP forwards or sends to itself must be complete. If one of these is
 * not so, FDL_LWIP_FLAGS has only the flags that work without. With lwIP's own
 * threshold each super-packet would cause a window update; a larger one avoids
 * that:
 *
 *	#define TCP_WND_UPDATE_THRESHOLD (TCP_WND / 4)
 *
 * The sums that are left to lwIP are written faster with this line, behind
 * <fdlink/offload.h> or a declaration of that function:
 *
 *	#define LWIP_CHKSUM(bytes, len) \
 *		fdl_checksum_sum(bytes, (size_t)(len), 0)
 *
 * No-copy writes. An application learns from a callback, or from the end of the
 * connection, that it may reuse the bytes of a tcp_write without
 * TCP_WRITE_FLAG_COPY. By then the adaptor has sent or copied them, and does
 * not read them any more. It copies only bytes that must wait, if lwipopts.h
 * has the hook above and one entry more of these than you use; else it copies
 * all that waits for a flush:
 *
 *	#define LWIP_TCP_PCB_NUM_EXT_ARGS 1
 *
 * Segmentation offload. lwIP cuts what TCP sends into segments of the
 * connection's MSS, which costs more than all the rest. To have segments of up
 * to 64 KiB leave uncut, for the wire or the endpoint to cut:
 *
 * - Compile fdl_lwip_tso.c, fdl_lwip_segment.c and fdl_lwip_recovery.c too.
 * - Compile fdl_lwip_tcp_out.c in place of lwIP's core/tcp_out.c. It includes
 *   that file, by way of lwIP's include directory. tcp_write and tcp_output are
 *   then the adaptor's, which call lwIP's own.
 * - Set fdl_lwip.tso.
 * - Have in lwipopts.h what super-packets need on receipt, see above.
 *
 * Two things differ then. tcp_sent callbacks come for larger pieces, at most a
 * quarter of TCP_SND_BUF, of which the peer has acknowledged all. Nagle's
 * algorithm does not hold back the shorter last segment of a write that is
 * longer than the MSS. pcb->mss, the MSS in SYNs, the congestion window in all
 * its states and the netif's MTU are as without.
 *
 * Lost packets. lwIP by itself sends one lost segment of a window again, and
 * the rest of the window after a timeout of a second or more. A better recovery
 * needs the files of segmentation offload (used or not), the hook above, and
 * these lines, with two entries more than you use, the one of no-copy writes
 * included:
 *
 *	#define LWIP_TCP_SACK_OUT 1
 *	#define LWIP_TCP_PCB_NUM_EXT_ARGS 2
 *
 * - What the peer reports to have (SACK) is not sent again; the rest is, within
 *   a round trip.
 * - Once a packet was seen to come late, late packets are waited for.
 * - The lost end of a flight is probed for.
 * - A timeout is a round trip and 200 ms.
 *
 * It takes about 400 bytes of lwIP's heap for each connection that has sent
 * anything, and one entry more of MEMP_NUM_SYS_TIMEOUT. pcb->cwnd is the
 * congestion window between calls of tcp_output; pcb->dupacks stays 0.
 *
 * Strangers. With the lines above, hosts that you do not know take nobody's
 * place:
 *
 * - A SYN that finds its listener's backlog full, or no pcb, takes the place of
 *   the oldest connection that is half open. The peer of that one is served all
 *   the same if it answers within 16 seconds, and at least half of the backlog
 *   was in use or no pcb was left when it came (SYN cookies, which need the
 *   macro LWIP_HOOK_TCP_ISN, below). If there is no pcb and no such
 *   connection, it takes that of a connection that the application has closed
 *   and the peer has not. To end open connections is for you, or for lwIP if
 *   their priority (tcp_setprio) is lower than the listener's.
 * - What answers a SYN, or resets what is no connection, goes to the link
 *   address that the packet came from. So nobody takes a place in lwIP's tables
 *   of neighbours before there is a connection.
 * - A SYN that is later than a connection in TIME-WAIT begins the next
 *   connection at once, if the new initial sequence number is beyond the last
 *   one used. It always is if the number is your choice; make that hard to
 *   guess:
 *
 *	#define LWIP_HOOK_TCP_ISN(local, lport, remote, rport) \
 *		fdl_lwip_isn(your_choice)
 *
 * - All connections together keep at most fdl_lwip.ooseq_max bytes that arrived
 *   out of order. Each segment counts as 512 bytes more than it carries. When
 *   there are more, the connections that keep most lose their bytes, and their
 *   peers send them again. What a single connection keeps, and how long it
 *   takes to find a place in it, is bounded by lwipopts.h. A super-packet
 *   counts as one pbuf, so these lines have room for a whole window of 1 MiB,
 *   also in packets of 1500 bytes:
 *
 *	#define TCP_OOSEQ_MAX_BYTES TCP_WND
 *	#define TCP_OOSEQ_MAX_PBUFS 1024
 *
 * Malformed packets. lwIP reads some bytes before it knows that they are in the
 * packet. It never gets a packet in which they could be missing:
 *
 * - headers, their options or their lengths that go on behind the packet's end
 * - fragments that make more than 65535 bytes
 * - fragments that a header of TCP could end with, in the middle of an option
 * - in IPv6, a first fragment of fewer than 64 bytes
 * - in IPv6, an extension header on either side of the fragment header
 *
 * Narrow paths. A "packet too big" of ICMPv6 or a "fragmentation needed" of
 * ICMP counts only if a packet of ours can have caused it. It makes TCP's
 * segments shorter, in every mode, and turns IPv6 datagrams into fragments.
 * Others change nothing, and neither do redirects that do not come from the
 * first hop. 32 destinations are remembered, for ten minutes each.
 *
 * TCP forbids routers to cut its IPv4 packets, so that they say where a path is
 * narrow. Without an answer for two timeouts in a row it lets them, which needs
 * the recovery of lost packets, above.
 *
 * VLAN tags. Without ETHARP_SUPPORT_VLAN, a tag of VLAN 0, which says only a
 * priority, is taken off what is received. With ETHARP_SUPPORT_VLAN,
 * LWIP_HOOK_VLAN_SET and LWIP_HOOK_VLAN_CHECK, lwIP has one tag to a frame,
 * with all offloads.
 *
 * NO_SYS=1. One thread does everything, in this order, so that one flush covers
 * all that the turn has to send:
 *
 *	fdl_poll(ep, timeout);
 *	sys_check_timeouts();
 *	fdl_lwip_poll(&link);
 *
 * What is sent between fdl_lwip_poll and fdl_poll waits for the next turn, or
 * for an fdl_flush of the first queue.
 *
 * NO_SYS=0. A thread of yours calls fdl_poll(ep, -1) and fdl_lwip_poll in turn.
 * Everything else, sending included, happens on lwIP's thread. One message to
 * it stands for any number of packets: TCPIP_MBOX_SIZE loses none, and while
 * lwIP has the whole pool the other packets wait in the kernel.
 * DEFAULT_TCP_RECVMBOX_SIZE is yours to choose: without FDL_RX_GSO or FDL_GRO a
 * window is as many packets as it has segments, and lwIP has the peer send
 * again what finds no room there.
 */
#ifndef FDL_LWIP_H
#define FDL_LWIP_H

#include <stdint.h>

#include <lwip/netif.h>

/* lwip/sockets.h may be in the same file, before this or behind it: one of the
 * two headers defines struct iovec, which is the same to both. */
#if LWIP_SOCKET && defined(LWIP_HDR_SOCKETS_H)
#define FDL_HAVE_IOVEC
#elif !defined(iovec)
#define iovec iovec
#endif
#include <fdlink/fdlink.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The least fdl_options.headroom: the pbuf of a packet is put there. */
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

/* How many destinations are remembered, with the longest packet that the path
 * takes, or that was sent. */
#define FDL_LWIP_PATHS 32

struct fdl_lwip_path {
	uint8_t to[16];
	uint32_t since;
	uint16_t mtu;
	uint8_t in_use;
	uint8_t cuts;		/* IPv4: routers are to cut what is too long */
};

/* The netif's state. Set it to zeros, and then ep, pool and, if you like, the
 * other public fields. */
struct fdl_lwip {
	struct fdl_endpoint *ep;
	uint32_t pool;		/* fdl_options.pool; 0: its default */
	uint8_t tso;		/* 1: segmentation offload; fdl_lwip_init sets
				 * it to 0 if checksums are not left to the
				 * wire */
	uint32_t ooseq_max;	/* see "Strangers"; 0: 32 MiB */
	uint64_t rx_dropped;	/* packets that lwIP did not get: there was no
				 * memory, or they were longer than the 65535
				 * bytes that a pbuf can count, or malformed */
	/* private */
	struct netif *netif;
	struct fdl_lwip_waiting *first, *last; /* NO_SYS=0 */
	struct tcp_pcb *unacked;
	err_t (*refuser)(void *arg, struct tcp_pcb *pcb, struct pbuf *p,
			 err_t err);
	uint32_t held;
	uint32_t ooseq;
	uint32_t last_seq;
	uint8_t reopening;
	uint8_t taking, has_key, has_isn;
	uint32_t isn;		/* to be used next */
	uint32_t cookie_tick;	/* when the last one was given */
	uint64_t cookie_key[2];
	uint64_t lent, unlent;	/* bits of connections */
	const struct pbuf *passed; /* the last that was sent */
	uint8_t flushing;
	uint8_t wire_sums;
	uint16_t mss;
	uint8_t lagging, announced;
	uint8_t own_address;
	uint8_t source[6];	/* link address of the last packet's sender */
	uint8_t narrow;
	uint16_t mtu, max_mtu, router_mtu;
	uint32_t ident;
	uint16_t ident4;
	uint64_t changes;
	struct fdl_lwip_path path[FDL_LWIP_PATHS];
};

/*
 * Give this to netif_add, with a struct fdl_lwip * as state, and with
 * netif_input (NO_SYS=1) or tcpip_input as input. It takes MTU, link address
 * and medium from the endpoint, and sets the link up. The MTU is at most 65535
 * less the link header, because lwIP counts a frame in 16 bits. An AF_PACKET
 * endpoint without an address of its own has that of its device. The struct and
 * the netif must stay as long as lwIP holds packets.
 *
 * Returns ERR_OK.
 * Errors:
 *	ERR_ARG		another link than AF_PACKET needs a link address and has
 *			none (fdl_options.address)
 *	ERR_BUF		packets do not have FDL_LWIP_HEADROOM
 */
err_t fdl_lwip_init(struct netif *netif);

/*
 * Hand received packets to lwIP, at most 64 per queue, and flush what lwIP
 * answered.
 *
 * Also follow the device's MTU, unless a smaller one was asked for, and its
 * address, if that is the netif's: running connections go on with segments that
 * fit. An MTU that you set in netif->mtu stays until the device's changes. The
 * first call that finds the netif up tells neighbours the link address of each
 * IPv6 address; lwIP does so for IPv4.
 *
 * NO_SYS=1: never blocks. NO_SYS=0: waits while lwIP's mailbox is full; do not
 * call it on lwIP's thread, nor with lwIP's core locked.
 *
 * Returns how many packets there were, or 0: none came, or lwIP holds the whole
 * pool.
 * Errors: those of fdl_recv, when all queues have ended.
 */
int fdl_lwip_poll(struct fdl_lwip *link);

#ifdef __cplusplus
}
#endif

#endif
