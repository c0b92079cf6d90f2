/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters of one queue, in the order of struct fdl_stats. Each is written
 * by one thread at a time (the receive side's or the send side's) and read by
 * any.
 */
#ifndef FDL_COUNTERS_H
#define FDL_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include <fdlink/stats.h>

enum counter {
	RX_PACKETS,
	RX_BYTES,
	RX_DROP_EMPTY,
	RX_DROP_RUNT,
	RX_DROP_TRUNCATED,
	RX_DROP_NOT_IP,
	RX_DROP_OTHERHOST,
	RX_DROP_OUTGOING,
	RX_DROP_MALFORMED,
	RX_DROP_KERNEL,		/* written by whoever reads: see stats.c */
	RX_POOL_EMPTY,
	RX_LINK_DOWN,
	RX_RING_FROZEN,		/* likewise */
	RX_DROP_VNET_HDR,
	RX_GSO,
	RX_GSO_CUT,
	RX_GRO_MERGED,
	TX_PACKETS,
	TX_BYTES,
	TX_DROP_EMPTY,
	TX_DROP_TOO_LONG,
	TX_DROP_INVALID,
	TX_DROP_OFFLOAD,
	TX_DROP_LINK_DOWN,
	TX_DROP_NO_PEER,
	TX_DROP_NO_ROOM,
	TX_DROP_OTHER,
	TX_GSO,
	TX_GSO_CUT,
	TX_SEGMENTS,
	TX_OFFLOAD_REVOKED,
	TX_COALESCED,
	COUNTERS,
};

_Static_assert(sizeof(struct fdl_stats) == COUNTERS * sizeof(uint64_t),
	       "enum counter and struct fdl_stats list the same");

struct counters {
	_Atomic uint64_t v[COUNTERS];
};

static inline void count(struct counters *c, enum counter i, uint64_t n)
{
	uint64_t v = atomic_load_explicit(&c->v[i], memory_order_relaxed);

	atomic_store_explicit(&c->v[i], v + n, memory_order_relaxed);
}

static inline uint64_t counted(const struct counters *c, enum counter i)
{
	return atomic_load_explicit(&c->v[i], memory_order_relaxed);
}

#endif
