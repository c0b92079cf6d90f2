/* SPDX-License-Identifier: Apache-2.0 */
/* Trains of packets of a few flows, now and then out of the ordinary. */
#ifndef FDL_ORACLE_TRAIN_H
#define FDL_ORACLE_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng;

enum { TRAIN = 40, SLOT = 1600 };

struct frame {
	uint8_t bytes[SLOT];
	size_t len;
	unsigned link_len;
	unsigned flow;		/* the source port less 1000 */
	bool came;		/* the test's */
};

/* What a train may have. */
enum {
	/* VLAN tags. */
	TRAIN_TAGS	= 1 << 0,
	/* What the kernel's GRO lets overtake its flow: a wrong checksum, IPv4
	 * options, another flow label, UDP without a checksum. Without this such
	 * is all of a flow, or there is none. */
	TRAIN_OVERTAKES	= 1 << 1,
};

/* The next train of r. flags: TRAIN_. */
void train_make(struct frame train[TRAIN], struct rng *r, unsigned flags);

/* Tell what was made last, to stderr. */
void train_show(const struct frame train[TRAIN]);

#endif
