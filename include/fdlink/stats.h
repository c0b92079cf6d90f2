/* SPDX-License-Identifier: Apache-2.0 */
/* Counters: where every packet went. Included by fdlink.h. */
#ifndef FDLINK_STATS_H
#define FDLINK_STATS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fdl_endpoint;
struct fdl_queue;

/*
 * Counters of 64 bits, from the creation of the endpoint on, never cleared.
 * They count packets unless a comment says bytes or times. New counters are
 * added at the end.
 *
 * Every packet that entered is in rx_packets or in one rx_drop_ counter; every
 * packet that a send took is in tx_packets or in one tx_drop_ counter. A
 * super-packet (packet.h) that is cut counts as its segments.
 *
 * rx_bytes and tx_bytes count link headers, and not virtio-net headers. A
 * super-packet that is not cut counts with the bytes that it has.
 */
struct fdl_stats {
	uint64_t rx_packets;		/* delivered */
	uint64_t rx_bytes;		/* bytes of those */
	uint64_t rx_drop_empty;		/* without any bytes */
	uint64_t rx_drop_runt;		/* shorter than the link header */
	uint64_t rx_drop_truncated;	/* longer than a slot, or cut by a
					 * socket filter; or its control
					 * messages were cut, or lacked
					 * PACKET_AUXDATA. On a TAP a filter's
					 * cut (TUNATTACHFILTER) is told by the
					 * IP header only: what is not IP comes
					 * short, and so does what an eBPF
					 * program (TUNSETFILTEREBPF) cuts */
	uint64_t rx_drop_not_ip;	/* no IP version, on a link without link
					 * header */
	uint64_t rx_drop_otherhost;	/* for another station:
					 * FDL_DROP_OTHERHOST; or by another
					 * device, to which another holder of
					 * the AF_PACKET socket had bound it */
	uint64_t rx_drop_outgoing;	/* sent by this machine on the device,
					 * and seen by its AF_PACKET socket */
	uint64_t rx_drop_malformed;	/* refused by the kernel as it was read
					 * (EINVAL) */
	uint64_t rx_drop_kernel;	/* dropped by the kernel before the fd,
					 * whose queue was full: tx_dropped of a
					 * TUN or TAP, PACKET_STATISTICS of an
					 * AF_PACKET socket */
	uint64_t rx_pool_empty;		/* times: the caller held the whole
					 * pool */
	uint64_t rx_link_down;		/* times: the link was found down */
	uint64_t rx_ring_frozen;	/* times: the kernel found no free block
					 * in the ring */
	uint64_t rx_drop_vnet_hdr;	/* the virtio-net header is cut off, or
					 * contradicts itself or the packet, or
					 * has not the length that was set up */
	uint64_t rx_gso;		/* super-packets received */
	uint64_t rx_gso_cut;		/* of those, cut into segments, which
					 * rx_packets counts */
	uint64_t rx_gro_merged;		/* segments that FDL_GRO made part of
					 * another packet; rx_packets does not
					 * count them */
	uint64_t tx_packets;		/* taken by the kernel */
	uint64_t tx_bytes;		/* bytes of those */
	uint64_t tx_drop_empty;		/* without any bytes */
	uint64_t tx_drop_too_long;	/* EMSGSIZE */
	uint64_t tx_drop_invalid;	/* refused by the kernel as malformed,
					 * or by its policy (EINVAL, EPERM) */
	uint64_t tx_drop_offload;	/* its off contradicts its headers */
	uint64_t tx_drop_link_down;	/* the link was down: EIO on a TUN or
					 * TAP, else ENETDOWN */
	uint64_t tx_drop_no_peer;	/* nobody reads at the other end */
	uint64_t tx_drop_no_room;	/* the fd or device was full, and the
					 * call drops rather than waits
					 * longer */
	uint64_t tx_drop_other;		/* any other error, or written after the
					 * link had ended */
	uint64_t tx_gso;		/* super-packets that the kernel took
					 * whole */
	uint64_t tx_gso_cut;		/* super-packets that were cut before
					 * they went */
	uint64_t tx_segments;		/* segments that those were cut into, or
					 * shorter super-packets; each also in
					 * tx_packets or in a tx_drop_
					 * counter */
	uint64_t tx_offload_revoked;	/* times: the kernel refused an offload,
					 * and is not asked for it again */
	uint64_t tx_coalesced;		/* packets that were sent merged with
					 * others, each also in tx_packets */
	uint64_t tx_drop_refused;	/* refused for 100 ms, or 64 times,
					 * though the fd had room: by a rule
					 * (tc, nft), or by a peer with a
					 * smaller MTU */
	uint64_t rx_drop_tunnel;	/* super-packets that cannot be cut
					 * because their tunnel is encrypted,
					 * has GRE sequence numbers, is not
					 * known, or is inside too many
					 * others */
	uint64_t rx_drop_stranger;	/* by a datagram socket without a peer:
					 * the sender cannot be answered, or is
					 * not the one that the locator names */
};

/*
 * Write the counters to *stats: fdl_get_stats the sums over all queues, with
 * rx_drop_kernel read anew; fdl_get_queue_stats those of one queue, which have
 * no rx_drop_kernel where the kernel counts per device (TUN, TAP). size is
 * sizeof(struct fdl_stats) as the caller was built; what this library does not
 * know of it is zeroed. Any thread.
 *
 * Returns
 *	0
 *	1	the kernel's drops cannot be read (a TAP in another network
 *		namespace); rx_drop_kernel is what was known before
 */
int fdl_get_stats(const struct fdl_endpoint *ep, struct fdl_stats *stats,
		  size_t size);
int fdl_get_queue_stats(const struct fdl_queue *q, struct fdl_stats *stats,
			size_t size);

/*
 * The counters by number, 0, 1, 2 ..., for a caller that prints them all. The
 * name is that of the field ("rx_packets"), and NULL past the last one. Any
 * thread.
 */
const char *fdl_stats_name(unsigned i);
uint64_t fdl_stats_value(const struct fdl_stats *stats, unsigned i);

#ifdef __cplusplus
}
#endif

#endif
