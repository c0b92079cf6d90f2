/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters of one queue. Each is written by one thread at a time, that of
 * the receive side or that of the send side, and may be read by any thread.
 */
#ifndef FDL_COUNTERS_H
#define FDL_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include <fdlink/stats.h>

/*
 * The list of counters, in the order of struct fdl_stats: X(number, field).
 * Names, sums and checks come from it. To add one, add its field at the end of
 * struct fdl_stats, its row here, and its line in fdl_get_stats(3) and
 * fdlink(7); the build and tests/lint/man-counters.sh say what is missing.
 *
 * RX_DROP_KERNEL and RX_RING_FROZEN are written by any thread that reads the
 * counters: see stats.c.
 */
#define EACH_COUNTER(X) \
	X(RX_PACKETS, rx_packets) \
	X(RX_BYTES, rx_bytes) \
	X(RX_DROP_EMPTY, rx_drop_empty) \
	X(RX_DROP_RUNT, rx_drop_runt) \
	X(RX_DROP_TRUNCATED, rx_drop_truncated) \
	X(RX_DROP_NOT_IP, rx_drop_not_ip) \
	X(RX_DROP_OTHERHOST, rx_drop_otherhost) \
	X(RX_DROP_OUTGOING, rx_drop_outgoing) \
	X(RX_DROP_MALFORMED, rx_drop_malformed) \
	X(RX_DROP_KERNEL, rx_drop_kernel) \
	X(RX_POOL_EMPTY, rx_pool_empty) \
	X(RX_LINK_DOWN, rx_link_down) \
	X(RX_RING_FROZEN, rx_ring_frozen) \
	X(RX_DROP_VNET_HDR, rx_drop_vnet_hdr) \
	X(RX_GSO, rx_gso) \
	X(RX_GSO_CUT, rx_gso_cut) \
	X(RX_GRO_MERGED, rx_gro_merged) \
	X(TX_PACKETS, tx_packets) \
	X(TX_BYTES, tx_bytes) \
	X(TX_DROP_EMPTY, tx_drop_empty) \
	X(TX_DROP_TOO_LONG, tx_drop_too_long) \
	X(TX_DROP_INVALID, tx_drop_invalid) \
	X(TX_DROP_OFFLOAD, tx_drop_offload) \
	X(TX_DROP_LINK_DOWN, tx_drop_link_down) \
	X(TX_DROP_NO_PEER, tx_drop_no_peer) \
	X(TX_DROP_NO_ROOM, tx_drop_no_room) \
	X(TX_DROP_OTHER, tx_drop_other) \
	X(TX_GSO, tx_gso) \
	X(TX_GSO_CUT, tx_gso_cut) \
	X(TX_SEGMENTS, tx_segments) \
	X(TX_OFFLOAD_REVOKED, tx_offload_revoked) \
	X(TX_COALESCED, tx_coalesced) \
	X(TX_DROP_REFUSED, tx_drop_refused) \
	X(RX_DROP_TUNNEL, rx_drop_tunnel) \
	X(RX_DROP_STRANGER, rx_drop_stranger)

#define NUMBER(number, field) number,
enum counter { EACH_COUNTER(NUMBER) COUNTERS };
#undef NUMBER

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
