/* SPDX-License-Identifier: Apache-2.0 */
/* Super-packets in tunnels over UDP, at random. */
#ifndef FDL_ORACLE_IN_UDP_H
#define FDL_ORACLE_IN_UDP_H

#include "../unit/tunnels.h"

static const enum tunnel_kind in_udp[] = {
	VXLAN, VXLAN_GPE_ETH, VXLAN_GPE_IP, GENEVE, GENEVE_IP,
	FOU,   FOU_GRE,	      GUE,	    GUE_GRE,
};

enum { IN_UDP = sizeof(in_udp) / sizeof(in_udp[0]) };

struct tunnelled {
	struct wrap w;
	struct shape in;
	unsigned mss;
	struct fdl_offload off;
	uint8_t f[70000];
	size_t len;
};

/* All else of it is made; build it. */
static inline void tunnelled_build(struct tunnelled *x)
{
	x->len = build(x->f + wrap_len(&x->w), &x->in);
	x->len = wrap(x->f, &x->w, &x->in, x->len, true);
	x->off = wrap_offload(&x->w, &x->in, x->mss);
	x->off.ecn = x->in.proto == 6 && x->in.flags & 0x80;
}

static inline void tunnelled_make(struct rng *r, struct tunnelled *x)
{
	unsigned max;

	x->w = random_wrap(r, in_udp[rnd(r, IN_UDP)], rnd(r, 2) ? 4 : 6);
	if (!x->w.link_len)
		x->w.link_len = 14;
	x->in = random_inside(r, x->w.kind, &x->mss);
	x->mss = rnd(r, 4) ? 200 + rnd(r, 1200) : 8 + rnd(r, 60);
	max = x->mss * (x->in.proto == 17 ? 128 : 1000);
	if (max > 65000)
		max = 65000;
	x->in.payload = x->mss + 1 + rnd(r, max - x->mss);
	if (rnd(r, 2) && x->in.payload >= 2 * x->mss)
		x->in.payload -= x->in.payload % x->mss;
	tunnelled_build(x);
}

static inline void tunnelled_show(const struct tunnelled *x)
{
	fprintf(stderr,
		"tunnel %d in IPv%d link %u options %u sum %d: IPv%d "
		"proto %d link %u ip options %u payload %u mss %u "
		"flags %02x\n",
		x->w.kind, x->w.version, x->w.link_len, x->w.ip_opts, x->w.sum,
		x->in.version, x->in.proto, x->in.link_len, x->in.ip_opts,
		x->in.payload, x->mss, x->in.flags);
}

#endif
