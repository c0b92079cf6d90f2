/* SPDX-License-Identifier: Apache-2.0 */
/* Trains of packets of a few flows, now and then out of the ordinary. */
#ifndef FDL_ORACLE_TRAIN_H
#define FDL_ORACLE_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fdlink/offload.h>

struct rng;

enum { TRAIN = 40, SLOT = 1800 };

struct frame {
	uint8_t bytes[SLOT];
	size_t len;
	struct fdl_offload off;	/* what is left to the device */
	unsigned link_len;
	unsigned flow;		/* the source port less 1000 */
	unsigned inner_l4;	/* the transport header in a tunnel, or 0 */
	bool came;		/* the test's */
};

/* What a train may have. */
enum {
	/* VLAN tags. */
	TRAIN_TAGS	= 1 << 0,
	/* What the kernel's GRO lets overtake its flow: a wrong checksum, IPv4
	 * options, another flow label, UDP without a checksum. Without this
	 * such is all of a flow, or there is none. */
	TRAIN_OVERTAKES	= 1 << 1,
	/* Most flows lie in tunnels of the kinds that the kernel merges by
	 * itself, or with the VXLAN devices of net_vxlan. */
	TRAIN_TUNNELS	= 1 << 2,
	/* None of GRE with a checksum around UDP, of which the kernel computes
	 * a wrong one where it cuts. */
	TRAIN_NO_GRE_SUM = 1 << 3,
};

/* The next train of r. flags: TRAIN_. */
void train_make(struct frame train[TRAIN], struct rng *r, unsigned flags);

/* Tell what was made last, to stderr. */
void train_show(const struct frame train[TRAIN]);

#endif
