/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of one way of the wire. The ends have theirs beside these. */
#ifndef WIRE_COUNTS_H
#define WIRE_COUNTS_H

#include <stdatomic.h>
#include <stdint.h>

enum wire_count {
	WIRE_LOST,
	WIRE_LATE,
	WIRE_DUPLICATED,
	WIRE_DROP_NO_ROOM,	/* more under way than IMPAIR_ROOM, or no
				 * memory for a duplicate */
	WIRE_DROP_TOO_LONG,	/* for the other end: --mtu-signal */
	WIRE_DROP_UNPLUGGED,	/* while the cable was pulled */
	WIRE_SIGNALS,		/* answers to those that were too long, written
				 * back to where they came from */
	WIRE_HELD,		/* on the wire when it ended */
	WIRE_COUNTS,
};

/* One thread counts, others look. */
struct wire_counts {
	_Atomic uint64_t n[WIRE_COUNTS];
};

static inline uint64_t wire_counted(const struct wire_counts *counts,
				    enum wire_count what)
{
	return atomic_load_explicit(&counts->n[what], memory_order_relaxed);
}

static inline void wire_count(struct wire_counts *counts, enum wire_count what,
			      uint64_t n)
{
	atomic_store_explicit(&counts->n[what], wire_counted(counts, what) + n,
			      memory_order_relaxed);
}

#endif
