/* SPDX-License-Identifier: Apache-2.0 */
/* Packets in tunnels for a coalescer. */
#ifndef TESTS_TUNNELLED_BED_H
#define TESTS_TUNNELLED_BED_H

#include "coalesce_bed.h"
#include "tunnels.h"

enum {
	TUNNELS = FDL_COALESCE_UDP_TUNNEL | FDL_COALESCE_IP_TUNNEL,
	ALL = COALESCE_ALL | TUNNELS,
};

struct tunnelled {
	struct wrap w;
	struct shape in;
};

static inline struct tunnelled first_of(enum tunnel_kind kind, int outer,
					int inner, int proto)
{
	return (struct tunnelled){
		.w = { .kind = kind,
		       .link_len = 14,
		       .version = outer,
		       .id = 65534,
		       .sum = true },
		.in = { .link_len = wrap_has_eth(kind) ? 14 : 0,
			.version = inner,
			.proto = proto,
			.tcp_opts = 12,
			.payload = 100,
			.id = 65535,
			.ttl = 64,
			.flags = 0x10,
			.seq = 0xffffffc0,
			.ack = 7 },
	};
}

static inline struct tunnelled following(const struct tunnelled *t)
{
	struct tunnelled n = *t;

	n.w.id++;
	n.in.id++;
	n.in.seq += t->in.payload;
	return n;
}

static inline size_t put(uint8_t *f, const struct tunnelled *t, bool super)
{
	const size_t len = build(f + wrap_len(&t->w), &t->in);

	return wrap(f, &t->w, &t->in, len, super);
}

/* Put a packet into the batch, to be changed before it is added. */
static inline uint8_t *prepare(const struct tunnelled *t)
{
	uint8_t *f = batch.bytes[batch.n];

	batch.len[batch.n] = put(f, t, false);
	return f;
}

static inline void add_left(const struct tunnelled *t, enum wrap_left left)
{
	const size_t len = batch.len[batch.n];

	batch_add_frame(
		len, 14, wrap_len(&t->w) + shape_hdr_len(&t->in),
		wrap_leave(batch.bytes[batch.n], &t->w, &t->in, len, left), 1);
}

#endif
