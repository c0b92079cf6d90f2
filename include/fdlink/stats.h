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
 * Counters: packets unless the name says bytes; 64 bits, from the endpoint's
 * creation on, never cleared. Every packet that entered is in rx_packets or
 * under one rx_drop_ reason, every packet taken by a send in tx_packets or
 * under one tx_drop_ reason. New counters are added at the end.
 */
struct fdl_stats {
	uint64_t rx_packets;		/* delivered */
	uint64_t rx_bytes;
	uint64_t rx_drop_empty;		/* of no bytes at all */
	uint64_t rx_drop_runt;		/* shorter than the link header */
	uint64_t rx_drop_truncated;	/* longer than a slot, or cut */
	uint64_t rx_drop_not_ip;	/* no IP version on a link without
					 * link header */
	uint64_t rx_drop_otherhost;	/* FDL_DROP_OTHERHOST */
	uint64_t rx_drop_outgoing;	/* sent by this machine on the device,
					 * seen by its AF_PACKET socket */
	uint64_t rx_drop_malformed;	/* refused by the kernel as it was read
					 * (EINVAL) */
	uint64_t rx_drop_kernel;	/* dropped by the kernel before the fd,
					 * its queue being full: tx_dropped of a
					 * TUN or TAP, PACKET_STATISTICS */
	uint64_t rx_pool_empty;		/* times, not packets: the caller held
					 * the whole pool */
	uint64_t rx_link_down;		/* times: the link was found down */
	uint64_t rx_ring_frozen;	/* times: the kernel found no free block in
					 * the ring */
	uint64_t rx_drop_vnet_hdr;	/* the virtio-net header contradicts
					 * itself or the packet, or is cut */
	uint64_t rx_gso;		/* super-packets that came, of which */
	uint64_t rx_gso_cut;		/* so many were cut; rx_packets counts
					 * their segments */
	uint64_t rx_gro_merged;		/* segments that FDL_GRO made part of
					 * another packet */
	uint64_t tx_packets;		/* taken by the kernel */
	uint64_t tx_bytes;
	uint64_t tx_drop_empty;		/* of no bytes at all */
	uint64_t tx_drop_too_long;	/* EMSGSIZE */
	uint64_t tx_drop_invalid;	/* refused by the kernel as malformed, or
					 * by its policy (EINVAL, EPERM) */
	uint64_t tx_drop_offload;	/* what it leaves undone contradicts its
					 * headers */
	uint64_t tx_drop_link_down;	/* EIO on a TUN or TAP, ENETDOWN */
	uint64_t tx_drop_no_peer;	/* nobody reads at the other end */
	uint64_t tx_drop_no_room;	/* the fd or device was full and the
					 * policy is to drop */
	uint64_t tx_drop_other;		/* any other error; what was written as
					 * the link had ended */
	uint64_t tx_gso;		/* super-packets the kernel took whole */
	uint64_t tx_gso_cut;		/* super-packets cut, into */
	uint64_t tx_segments;		/* so many, which are what tx_packets
					 * and tx_drop_ count of them */
	uint64_t tx_offload_revoked;	/* times, not packets: the kernel refused
					 * an offload and is not asked again */
	uint64_t tx_coalesced;		/* packets that went merged with others,
					 * each also in tx_packets */
	uint64_t tx_drop_refused;	/* refused for 100 ms, or 64 times, though
					 * the fd had room: a rule (tc, nft), or
					 * a peer with a smaller MTU */
};

/*
 * The sums over all queues, with rx_drop_kernel read anew; min(size,
 * sizeof(struct fdl_stats)) bytes are written and the rest of size zeroed. A
 * queue's own counters have no rx_drop_kernel where the kernel counts per
 * device. Any thread.
 * Returns 0, or 1 when the kernel's drops cannot be read (a TAP in another
 * network namespace) and rx_drop_kernel is only what is known.
 */
int fdl_get_stats(const struct fdl_endpoint *ep, struct fdl_stats *stats,
		  size_t size);
int fdl_get_queue_stats(const struct fdl_queue *q, struct fdl_stats *stats,
			size_t size);

/*
 * The counters by number, for a caller that prints them all: the name is the
 * field's ("rx_packets"), NULL past the last one. Any thread.
 */
const char *fdl_stats_name(unsigned i);
uint64_t fdl_stats_value(const struct fdl_stats *stats, unsigned i);

#ifdef __cplusplus
}
#endif

#endif
