/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "packets.h"

#define ALL (FDL_COALESCE_TCP | FDL_COALESCE_UDP)

enum { BATCH = 200, SLOT = 1800 };

struct batch {
	struct fdl_coalescer c;
	struct fdl_coalesced out;
	struct fdl_coalesce_packet pkt[BATCH];
	struct iovec iov[BATCH][3];
	struct shape shape[BATCH];
	uint8_t bytes[BATCH][SLOT];
	size_t len[BATCH];
	int n;
	uint8_t merged[70000];
};

static struct batch b;

static void begin(unsigned flags)
{
	fdl_coalesce_init(&b.c, flags, 0, 0);
	b.n = 0;
}

/* Add the frame in bytes[n], in cnt pieces, the first with all headers. */
static void add_frame(size_t len, unsigned link_len, unsigned hdr_len,
		      struct fdl_offload off, int cnt)
{
	struct fdl_coalesce_packet *p = &b.pkt[b.n];
	struct iovec *iov = b.iov[b.n];
	size_t cut = cnt > 1 ? hdr_len + (len - hdr_len) / 3 : len;
	size_t cut2 = cnt > 2 ? cut + (len - cut) / 2 : len;

	iov[0] = (struct iovec){ b.bytes[b.n], cut };
	iov[1] = (struct iovec){ b.bytes[b.n] + cut, cut2 - cut };
	iov[2] = (struct iovec){ b.bytes[b.n] + cut2, len - cut2 };
	*p = (struct fdl_coalesce_packet){
		.iov = iov,
		.cnt = cnt,
		.link_len = (uint8_t)link_len,
		.off = off,
		.user = (void *)(uintptr_t)b.n,
	};
	b.len[b.n++] = len;
	fdl_coalesce_add(&b.c, p);
}

static void add(const struct shape *s)
{
	size_t len = build(b.bytes[b.n], s);

	b.shape[b.n] = *s;
	add_frame(len, s->link_len, shape_hdr_len(s), shape_offload(s, 0), 1);
}

/* Packets in the next one out; 0: none. */
static int next(void)
{
	return fdl_coalesce_next(&b.c, &b.out) ? b.out.count : 0;
}

static size_t gather(uint8_t *to)
{
	static struct iovec iov[1024];
	int cnt = fdl_coalesced_gather(&b.out, iov, 1024), i;
	size_t len = 0;

	assert_true(cnt >= 0 && cnt <= 1024);
	for (i = 0; i < cnt; i++) {
		memcpy(to + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

/* Any super-packet the kernel's GRO could make comes back from its segments. */
static void merge_what_was_cut(struct rng *r)
{
	static uint8_t super[70000];
	const unsigned mss = 8 + rnd(r, 1400);
	unsigned max = mss * BATCH, flags = rnd(r, 2) ? FDL_SEGMENT_PARTIAL : 0;
	struct shape s = random_shape(r);
	struct fdl_segmenter seg;
	struct fdl_offload off, want;
	struct iovec iov = { super, 0 };
	int len;

	if (s.proto == 17)
		max = mss * 64;
	if (max > 65535 - shape_hdr_len(&s))
		max = 65535 - shape_hdr_len(&s);
	s.payload = rnd(r, 5) ? mss + 1 + rnd(r, max - mss) : max;
	s.flags = (uint8_t)(rnd(r, 256) & 0x59);
	iov.iov_len = build(super, &s);
	want = shape_offload(&s, mss);
	begin(ALL);
	assert_int_equal(
		fdl_segment_start(&seg, &iov, 1, s.link_len, &want, flags), 0);
	while ((len = fdl_segment_next(&seg, b.bytes[b.n], SLOT, &off)) > 0)
		add_frame((size_t)len, s.link_len, shape_hdr_len(&s), off,
			  1 + (int)rnd(r, 3));
	assert_int_equal(next(), b.n);
	assert_int_equal(b.out.len, iov.iov_len);
	assert_true(same_offload(&b.out.off, &want));
	assert_int_equal(gather(b.merged), iov.iov_len);
	assert_memory_equal(b.merged, super, iov.iov_len);
	memset(b.merged, 0, iov.iov_len);
	assert_int_equal(fdl_coalesced_copy(&b.out, b.merged, iov.iov_len - 1),
			 -EMSGSIZE);
	assert_int_equal(fdl_coalesced_copy(&b.out, b.merged, iov.iov_len),
			 iov.iov_len);
	assert_memory_equal(b.merged, super, iov.iov_len);
	assert_int_equal(next(), 0);
}

static void super_packets(void **state)
{
	struct rng r = seeded("merge");
	int i;

	(void)state;
	for (i = 0; i < 500; i++)
		merge_what_was_cut(&r);
}

/* The next packet of a flow, now and then out of the ordinary. */
static void mutate(struct rng *r, struct shape *s)
{
	if (rnd(r, 4))
		return;
	switch (rnd(r, 12)) {
	case 0:
		s->flags ^= (uint8_t)(1 << rnd(r, 8));
		break;
	case 1:
		s->seq += rnd(r, 2) ? 1 : 0u - 100;
		break;
	case 2:
		s->ack++;
		break;
	case 3:
		s->ttl ^= 1;
		break;
	case 4:
		s->tos ^= 1;
		break;
	case 5:
		s->id += rnd(r, 3);
		break;
	case 6:
		s->df = !s->df;
		break;
	case 7:
		s->tcp_opts = 36 - s->tcp_opts % 32;
		break;
	case 8:
		s->ip_opts ^= s->version == 4 ? 4 : 8;
		break;
	case 9:
		s->link_len ^= s->link_len > 14 ? 4 : 14;
		break;
	case 10:
		s->payload = rnd(r, 1400);
		break;
	case 11:
		s->partial = !s->partial;
		break;
	}
}

/* Returns false if it may no longer be told which flow it belongs to. */
static bool add_mutant(struct rng *r, struct shape *flow)
{
	struct shape s = *flow;
	bool known = true;
	unsigned l4, at;
	size_t len;

	mutate(r, &s);
	len = build(b.bytes[b.n], &s);
	l4 = s.link_len + shape_l3_len(&s);
	b.shape[b.n] = s;
	/* A partial sum is computed anew as it is merged, as GRO does. */
	if (!rnd(r, 40) && !s.partial) {
		at = rnd(r, (uint32_t)len);
		b.bytes[b.n][at] ^= 4;
		known = at >= shape_hdr_len(&s);
	}
	if (!rnd(r, 60) && s.version == 4)
		b.bytes[b.n][s.link_len + 6] |= 0x20;
	if (!rnd(r, 60) && !s.partial)
		put16(b.bytes[b.n] + l4 + (s.proto == 6 ? 16 : 6), 0);
	if (!rnd(r, 60))
		len += 4;
	add_frame(len, s.link_len, shape_hdr_len(&s), shape_offload(&s, 0),
		  1 + (int)rnd(r, 3));
	*flow = s;
	flow->seq += s.payload;
	flow->id++;
	flow->flags &= 0x50;
	return known;
}

/* What b.out says it is made of is what cutting it again gives. */
static void cut_again(void)
{
	struct fdl_coalesce_packet *p = b.out.packets;
	const unsigned l3 = p->link_len;
	struct iovec iov = { b.merged, gather(b.merged) };
	struct fdl_segmenter seg;
	uint8_t got[SLOT];
	size_t i;
	int len;

	if (b.out.count == 1) {
		i = (size_t)(uintptr_t)p->user;
		assert_memory_equal(b.merged, b.bytes[i], b.len[i]);
		assert_int_equal(iov.iov_len, b.len[i]);
		return;
	}
	assert_int_equal(
		fdl_segment_start(&seg, &iov, 1, p->link_len, &b.out.off, 0),
		0);
	assert_int_not_equal(b.out.off.gso, FDL_GSO_NONE);
	for (; p; p = p->next) {
		struct fdl_offload off = p->off;

		i = (size_t)(uintptr_t)p->user;
		len = fdl_segment_next(&seg, got, sizeof(got), NULL);
		assert_int_equal(len, b.len[i]);
		fdl_checksum_complete(b.bytes[i], b.len[i], p->link_len, &off);
		no_zero(b.bytes[i], &b.shape[i]);
		no_zero(got, &b.shape[i]);
		if (p->link_len + 6u < b.len[i] && got[l3] >> 4 == 4 &&
		    got[l3 + 6] & 0x40 &&
		    memcmp(got + l3 + 4, b.bytes[i] + l3 + 4, 2)) {
			/* a fixed id became a counting one: DF allows it */
			memcpy(got + l3 + 4, b.bytes[i] + l3 + 4, 2);
			memcpy(got + l3 + 10, b.bytes[i] + l3 + 10, 2);
		}
		assert_memory_equal(got, b.bytes[i], b.len[i]);
	}
	assert_int_equal(fdl_segment_len(&seg), 0);
}

static void mixed_flows(void **state)
{
	struct rng r = seeded("mixed");
	struct shape flow[6];
	int last[6], owner[BATCH], round, i, k, merged = 0;
	struct fdl_coalesce_packet *p;

	(void)state;
	for (round = 0; round < 300; round++) {
		for (i = 0; i < 6; i++) {
			flow[i] = random_shape(&r);
			flow[i].flow = (unsigned)i;
			flow[i].partial = rnd(&r, 2);
			flow[i].payload = 1 + rnd(&r, 1400);
			last[i] = -1;
		}
		begin(rnd(&r, 2) ? ALL : ALL | FDL_COALESCE_ANY_ID);
		while (b.n < BATCH) {
			i = (int)rnd(&r, 1 + (uint32_t)round % 6);
			k = b.n;
			owner[k] = add_mutant(&r, &flow[i]) ? i : -1;
		}
		for (k = 0; next();) {
			merged += b.out.count > 1 ? b.out.count : 0;
			for (p = b.out.packets; p; p = p->next, k++) {
				i = (int)(uintptr_t)p->user;
				if (owner[i] < 0)
					continue;
				assert_true(last[owner[i]] < i);
				last[owner[i]] = i;
			}
			cut_again();
		}
		assert_int_equal(k, BATCH);
	}
	printf("# merged %d of %d\n", merged, 300 * BATCH);
	assert_true(merged > 300 * BATCH / 4);
}

static const struct shape base = {
	.link_len = 14,
	.version = 4,
	.proto = 6,
	.tcp_opts = 12,
	.payload = 100,
	.id = 65535,
	.df = true,
	.ttl = 64,
	.flags = 0x10,
	.seq = 0xffffffc0,
	.ack = 7,
};

static struct shape following(const struct shape *s)
{
	struct shape n = *s;

	n.seq += s->payload;
	n.id++;
	return n;
}

static int merged_pair(const struct shape *s, const struct shape *t)
{
	int count;

	begin(ALL);
	add(s);
	add(t);
	count = next();
	while (next())
		;
	return count;
}

static void what_is_merged(void **state)
{
	struct shape s = base, t = following(&s);

	(void)state;
	assert_int_equal(merged_pair(&s, &t), 2);
	t.flags = 0x18;
	assert_int_equal(merged_pair(&s, &t), 2);
	t.flags = 0x11;
	assert_int_equal(merged_pair(&s, &t), 2);
	t = following(&s);
	t.payload = 99;
	assert_int_equal(merged_pair(&s, &t), 2);
	t = following(&s);
	t.id = s.id;				/* fixed, with DF */
	assert_int_equal(merged_pair(&s, &t), 2);
	s.df = t.df = false;
	assert_int_equal(merged_pair(&s, &t), 1);
	s.flags = 0x50;
	t = following(&s);
	assert_int_equal(merged_pair(&s, &t), 2);
	s.version = 6;
	s.ip_opts = 16;
	t = following(&s);
	assert_int_equal(merged_pair(&s, &t), 2);
	s.proto = 17;
	t = following(&s);
	assert_int_equal(merged_pair(&s, &t), 2);
}

static void tcp_flags(void **state)
{
	const struct shape s = base, next_ = following(&s);
	struct shape a = s, t = next_;
	unsigned i;

	(void)state;
	assert_int_equal(merged_pair(&s, &t), 2);
	for (i = 0; i < 8; i++) {
		if (i == 0 || i == 3)		/* FIN and PSH may end one */
			continue;
		t = next_;
		t.flags ^= (uint8_t)(1 << i);
		assert_int_equal(merged_pair(&s, &t), 1);
	}
	for (i = 0; i < 8; i++) {
		if (i == 4 || i == 6)		/* ACK, ECE may be on all */
			continue;
		a = s;
		a.flags ^= (uint8_t)(1 << i);
		t = following(&a);
		assert_int_equal(merged_pair(&a, &t), 1);
	}
}

static void closes_at(struct shape t)
{
	assert_int_equal(merged_pair(&base, &t), 1);
}

static void other_headers(void **state)
{
	const struct shape n = following(&base);
	struct shape t;

	(void)state;
	t = n;
	t.seq++;
	closes_at(t);
	t = n;
	t.ack++;
	closes_at(t);
	t = n;
	t.ttl--;
	closes_at(t);
	t = n;
	t.tos++;
	closes_at(t);
	t = n;
	t.df = false;
	closes_at(t);
	t = n;
	t.id++;
	closes_at(t);
	t = n;
	t.payload++;
	closes_at(t);
	t = n;
	t.payload = 0;
	closes_at(t);
	t = n;
	t.tcp_opts = 8;
	closes_at(t);
	t = n;
	t.ip_opts = 4;
	closes_at(t);
	t = n;
	t.link_len = 18;
	closes_at(t);
	t = n;
	t.flow++;
	closes_at(t);
	t = n;
	t.proto = 17;
	closes_at(t);
}

static void damaged(void **state)
{
	const struct shape n = following(&base);
	static const struct {
		unsigned at;
		uint8_t flip;
	} bits[] = {
		{ 5, 1 },	/* link address */
		{ 14 + 6, 0x80 },	/* reserved IP flag */
		{ 14 + 10, 1 },	/* IP checksum */
		{ 34 + 15, 1 },	/* window */
		{ 34 + 12, 1 },	/* reserved TCP bits */
		{ 34 + 16, 1 },	/* TCP checksum */
		{ 34 + 19, 1 },	/* urgent pointer */
		{ 34 + 22, 1 },	/* an option */
		{ 34 + 32 + 50, 1 },	/* payload: the checksum is wrong */
	};
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		begin(ALL);
		add(&base);
		len = build(b.bytes[1], &n);
		b.bytes[1][bits[i].at] ^= bits[i].flip;
		add_frame(len, 14, shape_hdr_len(&n), shape_offload(&n, 0), 1);
		assert_int_equal(next(), 1);
		assert_int_equal(next(), 1);
	}
}

static void a_wrong_checksum_is_merged_where_it_is_vouched_for(void **state)
{
	const struct shape n = following(&base);
	const struct fdl_offload valid = { .csum = FDL_CSUM_VALID };
	size_t len;

	(void)state;
	begin(ALL);
	add(&base);
	len = build(b.bytes[1], &n);
	b.bytes[1][34 + 32 + 50] ^= 1;
	add_frame(len, 14, shape_hdr_len(&n), valid, 1);
	assert_int_equal(next(), 2);
}

static void udp_rules(void **state)
{
	struct shape s = base, t;
	size_t len;
	int i;

	(void)state;
	s.proto = 17;
	t = following(&s);
	t.payload++;
	assert_int_equal(merged_pair(&s, &t), 1);
	begin(ALL);
	for (i = 0; i < 130; i++, s.id++)
		add(&s);
	assert_int_equal(next(), 64);
	assert_int_equal(next(), 64);
	assert_int_equal(next(), 2);
	begin(ALL);
	add(&s);
	s.id++;
	len = build(b.bytes[1], &s);
	put16(b.bytes[1] + 34 + 6, 0);		/* no checksum */
	add_frame(len, 14, 42, shape_offload(&s, 0), 1);
	assert_int_equal(next(), 1);
	begin(FDL_COALESCE_TCP);
	add(&s);
	s.id++;
	add(&s);
	assert_int_equal(next(), 1);
}

static void limits(void **state)
{
	struct shape s = base;
	int i;

	(void)state;
	s.payload = 1448;
	begin(ALL);
	for (i = 0; i < 100; i++, s = following(&s))
		add(&s);
	assert_int_equal(next(), 45);		/* 66 + 45 * 1448 = 65226 */
	assert_true(b.out.len <= 65535);
	fdl_coalesce_init(&b.c, ALL, 66 + 3 * 1448, 0);
	for (b.n = i = 0; i < 100; i++, s = following(&s))
		add(&s);
	assert_int_equal(next(), 3);
	fdl_coalesce_init(&b.c, ALL, 0, 5);
	for (b.n = i = 0; i < 100; i++, s = following(&s))
		add(&s);
	assert_int_equal(next(), 5);
}

static void ids_in_any_order_only_when_asked(void **state)
{
	struct shape s = base, t = following(&s);

	(void)state;
	t.id += 77;
	begin(ALL | FDL_COALESCE_ANY_ID);
	add(&s);
	add(&t);
	assert_int_equal(next(), 2);
	s.df = t.df = false;
	begin(ALL | FDL_COALESCE_ANY_ID);
	add(&s);
	add(&t);
	assert_int_equal(next(), 1);
}

static void a_fragment_is_not_overtaken(void **state)
{
	struct shape s = base, f = base;
	size_t len;

	(void)state;
	begin(ALL);
	add(&s);
	f.proto = 17;
	len = build(b.bytes[1], &f);
	put16(b.bytes[1] + 20, 0x2000);
	add_frame(len, 14, 42, (struct fdl_offload){ 0 }, 1);
	s = following(&s);
	add(&s);
	assert_int_equal(next(), 1);
	assert_int_equal(next(), 1);
	assert_int_equal(next(), 1);
	assert_int_equal(next(), 0);
}

static void more_flows_than_slots(void **state)
{
	struct shape s = base;
	int i, k, n = 0;

	(void)state;
	begin(ALL);
	for (i = 0; i < BATCH; i++) {
		s.flow = (unsigned)i % 100;
		s.seq = base.seq + (unsigned)i / 100 * s.payload;
		s.id = base.id + (unsigned)i / 100;
		add(&s);
	}
	while ((k = next()))
		n += k;
	assert_int_equal(n, BATCH);
}

static void a_batch_is_reused_and_may_be_copied_in_place(void **state)
{
	struct shape s = base;
	int i;

	(void)state;
	begin(ALL);
	assert_int_equal(next(), 0);
	for (i = 0; i < 3; i++, s = following(&s))
		add(&s);
	memcpy(b.merged, b.bytes[0], b.len[0]);
	b.iov[0][0].iov_base = b.merged;
	assert_int_equal(next(), 3);
	assert_int_equal(fdl_coalesced_copy(&b.out, b.merged, sizeof(b.merged)),
			 66 + 300);
	assert_memory_equal(b.merged + 66 + 200, b.bytes[2] + 66, 100);
	assert_memory_equal(b.merged + 66, b.bytes[0] + 66, 100);
	add(&s);
	assert_int_equal(next(), 1);
	assert_int_equal(b.out.packets->next == NULL, 1);
	assert_int_equal(next(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(super_packets),
		cmocka_unit_test(mixed_flows),
		cmocka_unit_test(what_is_merged),
		cmocka_unit_test(tcp_flags),
		cmocka_unit_test(other_headers),
		cmocka_unit_test(damaged),
		cmocka_unit_test(
			a_wrong_checksum_is_merged_where_it_is_vouched_for),
		cmocka_unit_test(udp_rules),
		cmocka_unit_test(limits),
		cmocka_unit_test(ids_in_any_order_only_when_asked),
		cmocka_unit_test(a_fragment_is_not_overtaken),
		cmocka_unit_test(more_flows_than_slots),
		cmocka_unit_test(a_batch_is_reused_and_may_be_copied_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
