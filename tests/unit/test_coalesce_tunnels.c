/* SPDX-License-Identifier: Apache-2.0 */
/* What is merged inside tunnels, what comes of it, and what it is cut into. */
#include "offload/coalesce.h"
#include "recut.h"
#include "tunnelled_bed.h"

enum {
	PACKETS = 4,
	PORT = 36,		/* outer UDP's destination behind IPv4 */
};

/* No port tells FOU. */
static bool is_merged(enum tunnel_kind kind)
{
	return kind != FOU && kind != FOU_GRE;
}

static void add(const struct tunnelled *t)
{
	add_left(t, LEFT_NONE);
}

static unsigned inner_l4(const struct tunnelled *t)
{
	return wrap_len(&t->w) + t->in.link_len + shape_l3_len(&t->in);
}

/* The kernel's own super-packet. */
static void is_super(const struct tunnelled *t, unsigned n)
{
	static uint8_t want[70000];
	struct tunnelled all = *t;
	size_t len, i;

	all.in.payload *= n;
	all.in.partial = true;
	len = put(want, &all, true);
	assert_int_equal(batch.out.len, len);
	assert_int_equal(batch.out.off.csum, FDL_CSUM_PARTIAL);
	assert_int_equal(batch.out.off.csum_start, inner_l4(t));
	assert_int_equal(fdl_offload_tunnel(&batch.out.off), wrap_l4(&t->w));
	assert_int_equal(batch.out.off.gso_size, t->in.payload);
	assert_int_equal(fdl_coalesced_copy(&batch.out, batch.merged,
					    sizeof(batch.merged)),
			 len);
	for (i = 0; i < batch.out.hdr_len; i++) {
		/* Over a checksum that is partial, here. */
		if (t->w.kind >= GRE_CSUM && t->w.kind <= GRE_CSUM_KEY_TEB &&
		    i - wrap_l4(&t->w) - 4 < 2)
			continue;
		assert_int_equal(batch.merged[i], want[i]);
	}
}

/* Into complete packets, or into such that leave the checksum inside to a
 * device: then the one outside is that of what the packet becomes. */
static void is_cut_again(struct tunnelled t, enum wrap_left left)
{
	struct iovec iov = { batch.merged, batch.out.len };
	struct fdl_segmenter s;
	uint8_t cut[SLOT], want[SLOT];
	struct fdl_offload off, says;
	int i, len;

	assert_int_equal(fdl_segment_start(&s, &iov, 1, 14, &batch.out.off,
					   left ? FDL_SEGMENT_PARTIAL : 0),
			 0);
	for (i = 0; i < batch.out.count; i++) {
		len = fdl_segment_next(&s, cut, sizeof(cut), &off);
		assert_int_equal(len, put(want, &t, false));
		assert_true(left || recut_is_inside(want, cut, (size_t)len, 14,
						    inner_l4(&t), 0));
		says = wrap_leave(want, &t.w, &t.in, (size_t)len, left);
		assert_memory_equal(cut, want, (size_t)len);
		assert_int_equal(off.csum,
				 left ? FDL_CSUM_PARTIAL : FDL_CSUM_VALID);
		assert_int_equal(off.csum_start, says.csum_start);
		assert_int_equal(off.csum_offset, says.csum_offset);
		t = following(&t);
	}
	assert_int_equal(fdl_segment_len(&s), 0);
}

static void one_kind(struct tunnelled t, enum wrap_left left)
{
	const struct tunnelled first = t;
	int i;

	batch_begin(ALL);
	for (i = 0; i < PACKETS; i++) {
		prepare(&t);
		add_left(&t, left);
		t = following(&t);
	}
	if (!is_merged(t.w.kind)) {
		assert_true(batch_next() == PACKETS || batch.out.count == 1);
		assert_int_equal(fdl_offload_tunnel(&batch.out.off), 0);
		return;
	}
	assert_int_equal(batch_next(), PACKETS);
	is_super(&first, PACKETS);
	is_cut_again(first, LEFT_NONE);
	is_cut_again(first, LEFT_INSIDE);
	assert_int_equal(batch_next(), 0);
}

static void every_sum(struct tunnelled t)
{
	int left;

	for (left = 0; left < LEFT_WAYS; left++) {
		t.w.sum = true;
		one_kind(t, (enum wrap_left)left);
		t.w.sum = false;
		one_kind(t, (enum wrap_left)left);
	}
}

static void every_kind_is_merged_as_the_kernel_would(void **state)
{
	int kind, versions, proto;

	(void)state;
	for (kind = 0; kind < TUNNEL_KINDS; kind++)
		for (versions = 0; versions < 4; versions++)
			for (proto = 6; proto <= 17; proto += 11)
				every_sum(first_of((enum tunnel_kind)kind,
						   versions & 1 ? 6 : 4,
						   versions & 2 ? 6 : 4,
						   proto));
}

static int pair(unsigned flags, const struct tunnelled *a,
		const struct tunnelled *b)
{
	int count;

	batch_begin(flags);
	prepare(a);
	add(a);
	prepare(b);
	add(b);
	count = batch_next();
	while (batch_next())
		;
	return count;
}

static void only_what_the_flags_say(void **state)
{
	const struct tunnelled vxlan = first_of(VXLAN, 4, 4, 6);
	const struct tunnelled gre = first_of(GRE_IP, 4, 4, 6);
	struct tunnelled v2 = following(&vxlan), g2 = following(&gre);

	(void)state;
	assert_int_equal(pair(ALL & ~FDL_COALESCE_IP_TUNNEL, &vxlan, &v2), 2);
	assert_int_equal(pair(ALL & ~FDL_COALESCE_IP_TUNNEL, &gre, &g2), 1);
	assert_int_equal(pair(ALL & ~FDL_COALESCE_UDP_TUNNEL, &gre, &g2), 2);
	assert_int_equal(pair(FDL_COALESCE_TCP, &vxlan, &v2), 1);
	assert_int_equal(pair(FDL_COALESCE_UDP | TUNNELS, &vxlan, &v2), 1);
}

/* A datagram without a sum, or of another kind, among three of one flow: the
 * third does not overtake it. */
static void amid(const struct tunnelled *first, const struct tunnelled *second,
		 enum wrap_left of_second, enum wrap_left of_others)
{
	struct tunnelled third = following(second);

	third.w.sum = first->w.sum;
	batch_begin(COALESCE_ALL | FDL_COALESCE_UDP_TUNNEL_SUM);
	prepare(first);
	add_left(first, of_others);
	prepare(second);
	add_left(second, of_second);
	prepare(&third);
	add_left(&third, of_others);
	assert_int_equal(batch_next(), 1);
	assert_int_equal(batch_next(), 1);
	assert_int_equal(batch_next(), 1);
}

/* IPv6, whose packets have no ids that would not fit. */
static void none_overtakes(void **state)
{
	const struct tunnelled a = first_of(VXLAN, 6, 6, 17);
	struct tunnelled b = following(&a);

	(void)state;
	amid(&a, &b, LEFT_NONE, LEFT_INSIDE);
	amid(&a, &b, LEFT_INSIDE, LEFT_NONE);
	b.w.sum = false;
	amid(&a, &b, LEFT_INSIDE, LEFT_INSIDE);
	amid(&a, &b, LEFT_NONE, LEFT_NONE);
}

static int two(unsigned flags, const struct tunnelled *a,
	       const struct tunnelled *b, enum wrap_left left)
{
	int count;

	batch_begin(flags);
	prepare(a);
	add_left(a, left);
	prepare(b);
	add_left(b, left);
	count = batch_next();
	while (batch_next())
		;
	return count;
}

static void only_with_a_sum(void **state)
{
	const unsigned flags = COALESCE_ALL | FDL_COALESCE_UDP_TUNNEL_SUM;
	struct tunnelled a = first_of(VXLAN, 4, 4, 17), b = following(&a);
	const struct tunnelled gre = first_of(GRE_IP, 4, 4, 6);
	const struct tunnelled gre2 = following(&gre);

	(void)state;
	assert_int_equal(two(flags, &a, &b, LEFT_INSIDE), 2);
	assert_int_equal(fdl_offload_tunnel(&batch.out.off), 34);
	/* What is complete is merged as any datagrams are. */
	assert_int_equal(two(flags, &a, &b, LEFT_NONE), 2);
	assert_int_equal(fdl_offload_tunnel(&batch.out.off), 0);
	assert_int_equal(two(flags, &a, &b, LEFT_OUTSIDE), 2);
	assert_int_equal(fdl_offload_tunnel(&batch.out.off), 0);
	assert_int_equal(two(flags, &gre, &gre2, LEFT_NONE), 1);
	b.w.sum = false;
	a.w.sum = false;
	assert_int_equal(two(flags, &a, &b, LEFT_INSIDE), 1);
	assert_int_equal(
		two(flags | FDL_COALESCE_UDP_TUNNEL, &a, &b, LEFT_INSIDE), 2);
	assert_int_equal(
		two(ALL | FDL_COALESCE_UDP_TUNNEL_SUM, &gre, &gre2, LEFT_NONE),
		2);
}

static void apart_from_other_datagrams(void **state)
{
	const unsigned flags = COALESCE_ALL | COALESCE_TUNNELS_APART;
	const struct tunnelled a = first_of(VXLAN, 4, 4, 17), b = following(&a);

	(void)state;
	assert_int_equal(two(COALESCE_ALL, &a, &b, LEFT_OUTSIDE), 2);
	assert_int_equal(two(flags, &a, &b, LEFT_OUTSIDE), 1);
	assert_int_equal(
		two(flags | FDL_COALESCE_UDP_TUNNEL, &a, &b, LEFT_INSIDE), 2);
}

static void other_outer_headers(void **state)
{
	const struct tunnelled a = first_of(VXLAN, 4, 4, 6);
	const struct tunnelled next_ = following(&a);
	struct tunnelled b = next_, df = a;

	(void)state;
	assert_int_equal(pair(ALL, &a, &b), 2);
	b.w.id++;
	assert_int_equal(pair(ALL, &a, &b), 1);
	b = next_;
	b.w.tos++;
	assert_int_equal(pair(ALL, &a, &b), 1);
	b = next_;
	b.w.sum = false;
	assert_int_equal(pair(ALL, &a, &b), 1);
	b = next_;
	b.w.id = a.w.id;		/* fixed, without DF */
	assert_int_equal(pair(ALL, &a, &b), 1);
	df.w.df = b.w.df = true;
	assert_int_equal(pair(ALL, &df, &b), 2);
	b.w.id = 7;
	assert_int_equal(pair(ALL, &df, &b), 1);
	assert_int_equal(pair(ALL | FDL_COALESCE_ANY_ID, &df, &b), 2);
	b = next_;
	b.in.id++;
	assert_int_equal(pair(ALL, &a, &b), 1);
}

enum { SECOND, BOTH };

/* Returns how many of two packets are merged if bits of the second one, or of
 * both, are changed. at counts from what is behind the outer IP header. sum:
 * UDP has a checksum. */
static int damaged_in(int which, enum tunnel_kind kind, int at, uint8_t bits,
		      bool sum)
{
	struct tunnelled a = first_of(kind, 4, 4, 6), b;
	int count;

	a.w.sum = sum;
	b = following(&a);
	batch_begin(ALL);
	prepare(&a)[(int)wrap_l4(&a.w) + at] ^= which == BOTH ? bits : 0;
	add(&a);
	prepare(&b)[(int)wrap_l4(&b.w) + at] ^= bits;
	add(&b);
	count = batch_next();
	while (batch_next())
		;
	return count;
}

static int damaged(enum tunnel_kind kind, int at, uint8_t bits, bool sum)
{
	return damaged_in(SECOND, kind, at, bits, sum);
}

static void another_tunnel_or_a_wrong_sum(void **state)
{
	(void)state;
	assert_int_equal(damaged(VXLAN, 0, 0, true), 2);
	assert_int_equal(damaged(VXLAN, 6, 1, true), 1);	/* the sum */
	assert_int_equal(damaged(VXLAN, 8 + 6, 1, false), 1);	/* VNI */
	assert_int_equal(damaged(GENEVE, 8 + 4, 1, false), 1);
	assert_int_equal(damaged(GENEVE, 8 + 19, 1, false), 1);	/* option */
	assert_int_equal(damaged(GRE_KEY, 7, 1, false), 1);
	assert_int_equal(damaged(GRE_KEY, 0, 0x10, false), 1);	/* sequence */
	assert_int_equal(damaged(GRE_CSUM, 5, 1, false), 1);
	assert_int_equal(damaged(GRE_CSUM, 7, 1, false), 1);	/* reserved */
	assert_int_equal(damaged(VXLAN, 5, 1, false), 1);	/* length */
	assert_int_equal(damaged(VXLAN, -9, 1, false), 1);	/* IP's sum */
	/* Without a sum outside, a wrong byte is for the inner one to find. */
	assert_int_equal(damaged(IP_IN_IP, 60, 1, false), 1);
}

static void headers_that_the_kernel_does_not_merge(void **state)
{
	(void)state;
	assert_int_equal(damaged_in(BOTH, GENEVE, 8 + 1, 1, false), 2);
	assert_int_equal(damaged_in(BOTH, GENEVE, 8 + 1, 0x80, false), 1);
	assert_int_equal(damaged_in(BOTH, VXLAN, -9, 1, false), 1);
	assert_int_equal(damaged_in(BOTH, VXLAN, 5, 1, false), 1);
	assert_int_equal(damaged_in(BOTH, GRE_KEY, 0, 0x10, false), 1);
}

/* It would be 0 once the packet is cut again. */
static void gre_keeps_what_is_reserved(void **state)
{
	struct tunnelled t = first_of(GRE_CSUM, 4, 4, 6);
	int i;

	(void)state;
	batch_begin(ALL);
	for (i = 0; i < 2; i++) {
		uint8_t *gre = prepare(&t) + wrap_l4(&t.w);

		put16(gre + 6, 0x0100);
		put16(gre + 4, get16(gre + 4) - 0x0100);
		add(&t);
		t = following(&t);
	}
	assert_int_equal(batch_next(), 1);
}

/* A program might read it from a socket, and the port does not say
 * otherwise. */
static void another_port_is_no_tunnel(void **state)
{
	struct tunnelled t = first_of(VXLAN, 4, 4, 6);
	int i;

	(void)state;
	t.w.sum = false;
	batch_begin(ALL);
	for (i = 0; i < 2; i++) {
		put16(prepare(&t) + PORT, 4788);
		add(&t);
		t = following(&t);
	}
	assert_int_equal(batch_next(), 1);
}

/* What cannot be looked into may be of any flow in a tunnel, and of no
 * other. */
static void nothing_overtakes(void **state)
{
	struct tunnelled t = first_of(GRE_KEY, 4, 4, 17);
	const struct shape plain = { .link_len = 14,
				     .version = 4,
				     .proto = 17,
				     .flow = 5,
				     .payload = 100,
				     .df = true,
				     .ttl = 64 };

	(void)state;
	batch_begin(ALL);
	batch_add(&plain);
	prepare(&t);
	add(&t);
	prepare(&t)[wrap_l4(&t.w)] ^= 0x10;	/* a sequence number */
	add(&t);
	t = following(&t);
	prepare(&t);
	add(&t);
	batch_add(&plain);
	assert_int_equal(batch_next(), 2);
	assert_int_equal(batch_next(), 1);
	assert_int_equal(batch_next(), 1);
	assert_int_equal(batch_next(), 1);
	assert_int_equal(batch_next(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_merged_as_the_kernel_would),
		cmocka_unit_test(only_what_the_flags_say),
		cmocka_unit_test(only_with_a_sum),
		cmocka_unit_test(apart_from_other_datagrams),
		cmocka_unit_test(none_overtakes),
		cmocka_unit_test(other_outer_headers),
		cmocka_unit_test(another_tunnel_or_a_wrong_sum),
		cmocka_unit_test(headers_that_the_kernel_does_not_merge),
		cmocka_unit_test(gre_keeps_what_is_reserved),
		cmocka_unit_test(another_port_is_no_tunnel),
		cmocka_unit_test(nothing_overtakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
