/* SPDX-License-Identifier: Apache-2.0 */
#include "train.h"

#include "../unit/tunnels.h"

enum {
	FLOWS = 3,
	LABEL_AT = 3,			/* of an IPv6 header: its last byte */
};

enum ids { COUNTED, FIXED, WILD };

/* A packet beyond its shape. */
struct made {
	struct shape s;
	enum ids ids;
	uint32_t ts;
	uint8_t label;
	bool unsummed, wrong;
	unsigned pad;
	bool in_tunnel;
	struct wrap w;
	enum wrap_left left;	/* in the tunnel */
};

static struct made made[TRAIN];

/* Timestamps, and the blocks of SACK where there is room for any. */
static void put_options(uint8_t *tcp, const struct made *m)
{
	uint8_t *opt = tcp + 20;

	if (m->s.tcp_opts >= 12) {
		memcpy(opt, "\x01\x01\x08\x0a", 4);
		put32(opt + 4, m->ts);
		put32(opt + 8, m->ts / 2);
	}
	if (m->s.tcp_opts >= 24) {
		memcpy(opt + 12, "\x01\x01\x05\x0a", 4);
		put32(opt + 16, m->s.ack + 1000);
		put32(opt + 20, m->s.ack + 2000);
	}
}

static void put_sum(uint8_t *f, const struct made *m, size_t len)
{
	const unsigned l4 = m->s.link_len + shape_l3_len(&m->s);
	uint8_t *check = f + l4 + (m->s.proto == 6 ? 16 : 6);
	const unsigned n = (unsigned)len - l4;
	uint16_t sum;

	put16(check, 0);
	sum = ref_pseudo(f + m->s.link_len, m->s.version, m->s.proto, n);
	sum = (uint16_t)~ref_sum(f + l4, n, sum);
	if (!sum && m->s.proto == 17)
		sum = 0xffff;
	put16(check, m->wrong ? sum ^ 0x0100U : sum);
	if (m->unsummed)
		put16(check, 0);
}

/* The packet alone, which may be the one inside a tunnel. */
static size_t make_inside(uint8_t *f, const struct made *m)
{
	size_t len = build(f, &m->s);

	if (m->s.proto == 6)
		put_options(f + m->s.link_len + shape_l3_len(&m->s), m);
	if (m->s.version == 6)
		f[m->s.link_len + LABEL_AT] ^= m->label;
	put_sum(f, m, len);
	memset(f + len, 0xee, m->pad);
	return len + m->pad;
}

/* Only a checksum that would be right. */
static struct fdl_offload leave_sum(struct frame *f, const struct made *m)
{
	const bool usual = !m->wrong && !m->unsummed && !m->pad;

	return wrap_leave(f->bytes, &m->w, &m->s, f->len,
			  usual ? m->left : LEFT_NONE);
}

static void make_frame(struct frame *to, const struct made *m)
{
	const unsigned front = m->in_tunnel ? wrap_len(&m->w) : 0;

	to->len = make_inside(to->bytes + front, m);
	to->link_len = m->s.link_len;
	to->off = (struct fdl_offload){ 0 };
	to->inner_l4 = 0;
	to->flow = m->s.flow;
	to->came = false;
	if (!m->in_tunnel)
		return;
	to->len = wrap(to->bytes, &m->w, &m->s, to->len, false);
	to->off = leave_sum(to, m);
	to->link_len = m->w.link_len;
	to->inner_l4 = front + m->s.link_len + shape_l3_len(&m->s);
}

static void vary_tcp(struct rng *r, struct made *m)
{
	static const uint8_t flags[] = { 0x01, 0x02, 0x04, 0x08, 0x08,
					 0x20, 0x40, 0x40, 0x80, 0x80 };

	switch (rnd(r, 12)) {
	case 0:
	case 1:
	case 2:
		m->s.flags ^= flags[rnd(r, sizeof(flags))];
		break;
	case 3:
		m->s.seq += 1 + rnd(r, 3);
		break;
	case 4:
		m->s.ack++;
		break;
	case 5:
		m->ts++;
		break;
	case 6:
		m->s.payload = 0;
		break;
	}
}

static void vary_ip(struct rng *r, struct made *m)
{
	switch (rnd(r, 4)) {
	case 0:
		m->s.ttl ^= 1;
		break;
	case 1:
		m->s.tos ^= (uint8_t)(1U << rnd(r, 8));
		break;
	case 2:
		m->s.id += rnd(r, 3);
		break;
	case 3:
		m->s.df = !m->s.df;
		break;
	}
}

/* What the kernel's GRO lets overtake. */
static void vary_order(struct rng *r, struct made *m)
{
	switch (rnd(r, 5)) {
	case 0:
		m->wrong = true;
		break;
	case 1:
		m->s.ip_opts = m->s.version == 4 ? 4 * (1 + rnd(r, 10)) : 0;
		break;
	case 2:
		m->unsummed = m->s.proto == 17;
		break;
	case 3:
		m->pad = 1 + rnd(r, 40);
		break;
	case 4:
		m->label ^= 0x40;
		break;
	}
}

/* What the kernel's GRO lets overtake is only tried where we merge. */
static void vary_outside(struct rng *r, struct wrap *w, unsigned flags)
{
	switch (rnd(r, 4)) {
	case 0:
		w->tos ^= (uint8_t)(1U << rnd(r, 8));
		break;
	case 1:
		w->id += rnd(r, 3);
		break;
	case 2:
		w->df = !w->df;
		break;
	case 3:
		w->sum ^= (bool)(flags & TRAIN_OVERTAKES);
		break;
	}
}

/* The next packet of a flow, now and then out of the ordinary. */
static void vary(struct rng *r, struct made *m, unsigned flags)
{
	if (m->s.proto == 6 && !rnd(r, 6))
		vary_tcp(r, m);
	if (!rnd(r, 12))
		vary_ip(r, m);
	if (m->in_tunnel && !rnd(r, 12))
		vary_outside(r, &m->w, flags);
	if (!rnd(r, 25))
		m->s.payload = m->s.payload > 60 ? m->s.payload - rnd(r, 60) :
						   m->s.payload + rnd(r, 60);
	if (flags & TRAIN_OVERTAKES && !rnd(r, 30))
		vary_order(r, m);
}

/* GRO takes the checksum of the last kind for its key. Of the last but one, it
 * makes super-packets that it cannot cut itself. */
static void enter_tunnel(struct rng *r, struct made *m, unsigned flags)
{
	static const enum tunnel_kind kinds[] = {
		VXLAN,	       VXLAN,
		VXLAN_GPE_ETH, GRE_IP,
		GRE_TEB,       GRE_KEY,
		IP_IN_IP,      GRE_CSUM,
		VXLAN_GPE_IP,  GRE_CSUM_KEY_TEB,
	};
	const unsigned n = flags & TRAIN_OVERTAKES ? 10 :
			   flags & TRAIN_NO_GRE_SUM ? 7 :
						      8;
	const enum tunnel_kind kind = kinds[rnd(r, n)];

	m->in_tunnel = true;
	m->left = (enum wrap_left)rnd(r, LEFT_WAYS);
	m->w = random_wrap(r, kind, rnd(r, 2) ? 4 : 6);
	if (!(flags & TRAIN_TAGS) || !m->w.link_len)
		m->w.link_len = 14;
	if (!wrap_has_eth(kind))
		m->s.link_len = 0;
	if (m->s.payload > 1100)
		m->s.payload = 1100;
}

static struct made begin_flow(struct rng *r, unsigned flow, unsigned flags)
{
	struct made m = { .s = random_shape(r), .ts = rnd(r, 1U << 30) };

	if (!(flags & TRAIN_TAGS) || !m.s.link_len)
		m.s.link_len = 14;
	m.s.flow = flow;
	m.s.partial = false;
	m.s.ttl |= 2;
	m.s.payload = rnd(r, 5) ? 60 + rnd(r, 1200) : 1 + rnd(r, 60);
	m.ids = (enum ids)rnd(r, 3);
	if (m.s.version == 4 && !rnd(r, 12))
		m.s.ip_opts = 4 * (1 + rnd(r, 10));
	m.unsummed = m.s.proto == 17 && !rnd(r, 8);
	if (flags & TRAIN_TUNNELS && rnd(r, 4))
		enter_tunnel(r, &m, flags);
	return m;
}

static void go_on(struct rng *r, struct made *flow, const struct made *last)
{
	const struct made was = *flow;

	*flow = *last;
	flow->s.seq += last->s.payload + (last->s.flags & 1);
	flow->s.flags &= 0xd0;
	flow->s.ip_opts = was.s.ip_opts;
	flow->s.payload = was.s.payload;
	flow->unsummed = was.unsummed;
	flow->wrong = false;
	flow->pad = 0;
	flow->w.id++;
	if (flow->ids == COUNTED)
		flow->s.id++;
	else if (flow->ids == WILD)
		flow->s.id = rnd(r, 65536);
}

void train_make(struct frame train[TRAIN], struct rng *r, unsigned flags)
{
	struct made flow[FLOWS];
	unsigned i, k = 0;

	for (i = 0; i < FLOWS; i++)
		flow[i] = begin_flow(r, i, flags);
	for (i = 0; i < TRAIN; i++) {
		k = rnd(r, 4) ? k : rnd(r, FLOWS);
		made[i] = flow[k];
		vary(r, &made[i], flags);
		made[i].s.fill = (uint8_t)rnd(r, 256);
		make_frame(&train[i], &made[i]);
		go_on(r, &flow[k], &made[i]);
	}
}

void train_show(const struct frame train[TRAIN])
{
	int i;

	for (i = 0; i < TRAIN; i++) {
		const struct made *m = &made[i];

		fprintf(stderr,
			"%2d: flow %u v%d proto %d len %zu tos %02x id %u df "
			"%d ttl %u flags %02x seq %u%s%s%s%s",
			i, m->s.flow, m->s.version, m->s.proto, train[i].len,
			m->s.tos, m->s.id, m->s.df, m->s.ttl, m->s.flags,
			m->s.seq, m->wrong ? " wrong" : "",
			m->unsummed ? " unsummed" : "", m->pad ? " padded" : "",
			train[i].came ? " came" : "");
		if (m->in_tunnel)
			fprintf(stderr,
				", in tunnel %d v%d tos %02x id %u df %d sum "
				"%d left %d",
				m->w.kind, m->w.version, m->w.tos, m->w.id,
				m->w.df, m->w.sum, m->left);
		fprintf(stderr, "\n");
	}
}
