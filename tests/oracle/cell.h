/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Super-packets in tunnels, cell by cell: each tunnel, what is outside and
 * inside of it, and one thing at a time that a packet may have.
 */
#ifndef FDL_ORACLE_CELL_H
#define FDL_ORACLE_CELL_H

#include "../unit/tunnels.h"

/* What a cell has, beyond segments of one size. */
enum cell_has {
	CELL_NOTHING,
	CELL_TAG,		/* outside */
	CELL_TAG_INSIDE,	/* where there is a link header inside */
	CELL_OPTIONS,		/* of TCP, and of IP inside */
	CELL_OUTER_OPTIONS,	/* of IP outside */
	CELL_ODD,		/* a last segment that is shorter, and odd */
	CELL_ECN,		/* also CWR, where the header says ECN */
	CELL_PSH_FIN,		/* of the last segment */
	CELL_HAS,
};

enum {
	CELL_SEGMENTS = 4,
	CELL_MSS = 100,
	CELL_LAST = 33,		/* bytes in the last segment of CELL_ODD */
};

struct cell {
	enum cell_has has;
	struct wrap w;		/* of the first segment */
	struct shape in;	/* of the super-packet */
	struct fdl_offload off;
	uint8_t f[2000];	/* the super-packet */
	size_t len;
};

static inline void cell_add(struct cell *c)
{
	switch (c->has) {
	case CELL_TAG:
		c->w.link_len = 18;
		break;
	case CELL_TAG_INSIDE:
		c->in.link_len = wrap_has_eth(c->w.kind) ? 18 : 0;
		break;
	case CELL_OPTIONS:
		c->in.ip_opts = 8;
		c->in.tcp_opts = c->in.proto == 6 ? 20 : 0;
		break;
	case CELL_OUTER_OPTIONS:
		c->w.ip_opts = 8;
		break;
	case CELL_ODD:
		c->in.payload -= CELL_MSS - CELL_LAST;
		break;
	case CELL_ECN:
		c->w.tos = c->in.tos = 2;
		c->in.flags |= 0xc0;
		c->off.ecn = c->in.proto == 6;
		break;
	case CELL_PSH_FIN:
		c->in.flags |= 0x09;
		break;
	default:
		break;
	}
}

/* Put together what the cell says. */
static inline void cell_build(struct cell *c)
{
	const bool ecn = c->off.ecn;

	c->len = build(c->f + wrap_len(&c->w), &c->in);
	c->len = wrap(c->f, &c->w, &c->in, c->len, true);
	c->off = wrap_offload(&c->w, &c->in, CELL_MSS);
	c->off.ecn = ecn;
}

/* Which of the kinds cell i has. */
static inline unsigned cell_kind(unsigned i)
{
	return i / 16 / CELL_HAS;
}

/* Make cell i of those of n kinds. Returns false: there are no more. */
static inline bool cell_make(struct cell *c, unsigned i,
			     const enum tunnel_kind kinds[], unsigned n)
{
	const bool sum = i & 1, outer = i & 2, inner = i & 4, udp = i & 8;
	const unsigned has = i / 16 % CELL_HAS, k = cell_kind(i);

	if (k >= n)
		return false;
	*c = (struct cell){
		.has = (enum cell_has)has,
		.w = { .kind = kinds[k],
		       .link_len = 14,
		       .version = outer ? 6 : 4,
		       .id = 65534,
		       .tos = 0x28,
		       .sum = sum },
		.in = { .link_len = wrap_has_eth(kinds[k]) ? 14 : 0,
			.version = inner ? 6 : 4,
			.proto = udp ? 17 : 6,
			.payload = CELL_SEGMENTS * CELL_MSS,
			.flow = 3,
			.id = 65533,
			.ttl = 64,
			.tos = 0x48,
			.flags = 0x10,
			.seq = 0xffffff80,
			.ack = 7,
			.fill = (uint8_t)i,
			.partial = true },
	};
	cell_add(c);
	cell_build(c);
	return true;
}

static inline void cell_show(const struct cell *c)
{
	fprintf(stderr, "tunnel %d in IPv%d sum %d, IPv%d proto %d, has %d\n",
		c->w.kind, c->w.version, c->w.sum, c->in.version, c->in.proto,
		c->has);
}

/* Compare the cells of n kinds, until ten differ. Returns whether any does. */
static inline bool cell_each(const enum tunnel_kind kinds[], unsigned n,
			     bool (*is_alike)(struct cell *c))
{
	unsigned i, bad = 0;
	struct cell c;

	for (i = 0; bad < 10 && cell_make(&c, i, kinds, n); i++) {
		if (is_alike(&c))
			continue;
		cell_show(&c);
		bad++;
	}
	printf("%u cells, %u differ\n", i, bad);
	return bad;
}

#endif
