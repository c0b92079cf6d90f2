/* SPDX-License-Identifier: Apache-2.0 */
/* Super-packets inside tunnels: each segment is what its sender would have
 * sent. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tunnels.h"

enum { MAX_FRAME = 70000 };

/* Segment i: the packet inside complete, and the headers around it. */
static size_t expect(uint8_t *f, const struct wrap *w, const struct shape *in,
		     const uint8_t *payload, unsigned mss, unsigned i, bool ecn)
{
	const unsigned at = i * mss, hdr_len = shape_hdr_len(in);
	struct shape s = *in;
	struct wrap out = *w;
	uint8_t *inner = f + wrap_len(w);
	uint8_t *tp = inner + s.link_len + shape_l3_len(&s);
	uint16_t sum;
	size_t len;

	s.payload = in->payload - at < mss ? in->payload - at : mss;
	s.seq += at;
	s.id += i;
	out.id += i;
	if (i && ecn)
		s.flags &= 0x7f;
	if (at + s.payload < in->payload)
		s.flags &= 0xf6;
	s.partial = true;
	len = build(inner, &s);
	memcpy(inner + hdr_len, payload + at, s.payload);
	sum = (uint16_t)~ref_sum(tp, (size_t)(inner + len - tp), 0);
	if (!sum && s.proto == 17)
		sum = 0xffff;
	put16(tp + (s.proto == 6 ? 16 : 6), sum);
	return wrap(f, &out, &s, len, false);
}

static void cut_one(struct rng *r, enum tunnel_kind kind, int version)
{
	static uint8_t super[MAX_FRAME], want[MAX_FRAME], got[MAX_FRAME];
	unsigned mss, i;
	struct wrap w = random_wrap(r, kind, version);
	struct shape in = random_inside(r, kind, &mss);
	struct fdl_offload off = wrap_offload(&w, &in, mss), left;
	const unsigned at = wrap_len(&w);
	struct fdl_segmenter seg;
	struct iovec iov = { super, 0 };
	size_t n;

	if (w.sum && rnd(r, 4) == 0)
		w.sum = false;
	n = build(super + at, &in);
	iov.iov_len = wrap(super, &w, &in, n, true);
	off.ecn = in.proto == 6 && rnd(r, 2);
	assert_int_equal(fdl_offload_check(super, iov.iov_len, iov.iov_len,
					   w.link_len, &off),
			 FDL_REFUSE_NONE);
	assert_int_equal(fdl_offload_tunnel(&off), wrap_l4(&w));
	assert_int_equal(off.hdr_len, at + shape_hdr_len(&in));
	assert_int_equal(fdl_segment_start(&seg, &iov, 1, w.link_len, &off, 0),
			 FDL_REFUSE_NONE);
	for (i = 0; i * mss < in.payload; i++) {
		n = expect(want, &w, &in, super + at + shape_hdr_len(&in), mss,
			   i, off.ecn);
		assert_int_equal(fdl_segment_len(&seg), n);
		assert_int_equal(
			fdl_segment_next(&seg, got, sizeof(got), &left), n);
		assert_memory_equal(got, want, n);
		assert_int_equal(left.csum, FDL_CSUM_VALID);
		assert_int_equal(left.gso, FDL_GSO_NONE);
	}
	assert_int_equal(fdl_segment_len(&seg), 0);
}

static void every_tunnel_is_cut(void **state)
{
	struct rng r = seeded("tunnel");
	int kind, i;

	(void)state;
	for (kind = 0; kind < TUNNEL_KINDS; kind++)
		for (i = 0; i < 40; i++)
			cut_one(&r, (enum tunnel_kind)kind, i & 1 ? 4 : 6);
}

/* A segment of which only the checksum is left: the outer sum is right as soon
 * as the inner one is. */
static void outer_sums_do_not_wait(void **state)
{
	static uint8_t super[MAX_FRAME], got[MAX_FRAME], want[MAX_FRAME];
	struct rng r = seeded("outer sums");
	struct fdl_segmenter a, b;
	struct fdl_offload off, left;
	struct iovec iov;
	unsigned mss;
	int i, n;

	(void)state;
	for (i = 0; i < 60; i++) {
		enum tunnel_kind kind = (enum tunnel_kind)(i % TUNNEL_KINDS);
		struct wrap w = random_wrap(&r, kind, i & 1 ? 4 : 6);
		struct shape in = random_inside(&r, kind, &mss);

		w.sum = true;
		n = (int)build(super + wrap_len(&w), &in);
		iov = (struct iovec){ super,
				      wrap(super, &w, &in, (size_t)n, true) };
		off = wrap_offload(&w, &in, mss);
		assert_int_equal(fdl_segment_start(&a, &iov, 1, w.link_len,
						   &off, FDL_SEGMENT_PARTIAL),
				 0);
		assert_int_equal(
			fdl_segment_start(&b, &iov, 1, w.link_len, &off, 0), 0);
		while ((n = fdl_segment_next(&a, got, sizeof(got), &left)) >
		       0) {
			assert_int_equal(left.csum, FDL_CSUM_PARTIAL);
			assert_int_equal(
				fdl_segment_next(&b, want, sizeof(want), NULL),
				n);
			assert_int_equal(fdl_checksum_complete(got, (size_t)n,
							       w.link_len,
							       &left),
					 0);
			if (!get16(want + off.csum_start + off.csum_offset))
				put16(want + off.csum_start + off.csum_offset,
				      0xffff);
			assert_memory_equal(got, want, (size_t)n);
		}
	}
}

struct refused {
	struct wrap w;
	struct shape in;
	uint8_t f[MAX_FRAME];
	size_t len;
	struct fdl_offload off;
};

static void make(struct refused *x, enum tunnel_kind kind)
{
	*x = (struct refused){
		.w = { .kind = kind,
		       .link_len = 14,
		       .version = 4,
		       .sum = true },
		.in = { .link_len = wrap_has_eth(kind) ? 14 : 0,
			.version = 4,
			.proto = 6,
			.payload = 5000,
			.ttl = 64,
			.flags = 0x10,
			.partial = true },
	};
	x->len = build(x->f + wrap_len(&x->w), &x->in);
	x->len = wrap(x->f, &x->w, &x->in, x->len, true);
	x->off = wrap_offload(&x->w, &x->in, 1000);
}

static enum fdl_refusal check(struct refused *x)
{
	struct fdl_offload off = x->off;
	uint8_t *exact = malloc(x->len);
	enum fdl_refusal why;

	assert_non_null(exact);
	memcpy(exact, x->f, x->len);
	why = fdl_offload_check(exact, x->len, x->len, 14, &off);
	free(exact);
	return why;
}

static void what_lies_is_refused(void **state)
{
	static struct refused x;

	(void)state;
	make(&x, VXLAN);
	assert_int_equal(check(&x), FDL_REFUSE_NONE);
	put16(x.f + 34 + 4, 1000);		/* UDP is shorter than IP */
	assert_int_equal(check(&x), FDL_REFUSE_TUNNEL);
	make(&x, VXLAN);
	x.f[42] = 0;				/* no VXLAN without I */
	assert_int_equal(check(&x), FDL_REFUSE_TUNNEL);
	make(&x, VXLAN);
	x.f[43] = 0x20;				/* remote checksum */
	assert_int_equal(check(&x), FDL_REFUSE_TUNNEL);
	make(&x, VXLAN);
	put16(x.f + 64 + 2, 5041);		/* inner IP ends beyond */
	assert_int_equal(check(&x), FDL_REFUSE_TUNNEL);
	put16(x.f + 64 + 2, 5039);		/* or before */
	assert_int_equal(check(&x), FDL_REFUSE_TUNNEL);
	make(&x, GENEVE);
	x.f[42] = 0x3f;				/* options past the headers */
	assert_int_equal(check(&x), FDL_REFUSE_TUNNEL);
	make(&x, GRE_KEY);
	x.f[34] |= 0x10;			/* a sequence number */
	assert_int_equal(check(&x), FDL_REFUSE_TUNNEL);
	make(&x, IP_IN_IP);
	x.f[23] = 50;				/* a cipher */
	assert_int_equal(check(&x), FDL_REFUSE_TUNNEL);
	make(&x, VXLAN);
	x.off.csum_start = (uint16_t)(x.off.csum_start + 2);
	assert_int_equal(check(&x), FDL_REFUSE_TUNNEL);
	make(&x, VXLAN);
	x.off.gso = FDL_GSO_TCPV6;
	assert_int_equal(check(&x), FDL_REFUSE_GSO_TYPE);
	make(&x, VXLAN);
	x.off.gso = FDL_GSO_UDP;
	assert_int_equal(check(&x), FDL_REFUSE_GSO_TYPE);
}

/* Two tunnels are cut, a third one is not. */
static void nesting_is_bounded(void **state)
{
	static struct refused x;
	static uint8_t f[MAX_FRAME], got[MAX_FRAME];
	struct wrap outer = { .kind = IP_IN_IP, .link_len = 0, .version = 6 };
	struct shape in = { .version = 4 };
	struct fdl_offload off;
	struct fdl_segmenter seg;
	struct iovec iov = { f, 0 };
	size_t len;
	int depth, n;

	(void)state;
	make(&x, VXLAN);
	len = x.len - 14;
	memcpy(f, x.f + 14, len);
	off = x.off;
	off.csum_start = (uint16_t)(off.csum_start - 14);
	for (depth = 1; depth <= 3; depth++) {
		struct fdl_offload o = off;

		assert_int_equal(fdl_offload_check(f, len, len, 0, &o),
				 depth <= 2 ? FDL_REFUSE_NONE :
					      FDL_REFUSE_TUNNEL);
		iov.iov_len = len;
		if (depth == 2) {
			assert_int_equal(
				fdl_segment_start(&seg, &iov, 1, 0, &o, 0), 0);
			while ((n = fdl_segment_next(&seg, got, sizeof(got),
						     NULL)) > 0) {
				assert_int_equal(get16(got + 4), n - 40);
				assert_int_equal(get16(got + 42), n - 40);
				assert_int_equal(ref_sum(got + 40, 20, 0),
						 0xffff);
				assert_int_equal(
					ref_sum(got + 60, (size_t)n - 60,
						ref_pseudo(got + 40, 4, 17,
							   (unsigned)n - 60)),
					0xffff);
			}
		}
		memmove(f + wrap_len(&outer), f, len);
		len = wrap(f, &outer, &in, len, true);
		off.csum_start = (uint16_t)(off.csum_start + wrap_len(&outer));
		in.version = 6;
	}
}

/* However it is cut off or its bytes are changed, nothing is read past it. */
static void garbage_is_survived(void **state)
{
	struct rng r = seeded("garbage");
	static struct refused x;
	static uint8_t got[MAX_FRAME];
	struct fdl_segmenter seg;
	struct iovec iov;
	int i, k;

	(void)state;
	for (i = 0; i < 3000; i++) {
		make(&x, (enum tunnel_kind)(i % TUNNEL_KINDS));
		for (k = (int)rnd(&r, 4); k > 0; k--)
			x.f[12 + rnd(&r, 100)] = (uint8_t)rnd(&r, 256);
		if (rnd(&r, 2))
			x.len = rnd(&r, 200);
		check(&x);
		iov.iov_base = malloc(x.len);
		iov.iov_len = x.len;
		memcpy(iov.iov_base, x.f, x.len);
		fdl_segment_start(&seg, &iov, 1, 14, &x.off, 0);
		while (fdl_segment_next(&seg, got, sizeof(got), NULL) > 0)
			;
		free(iov.iov_base);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tunnel_is_cut),
		cmocka_unit_test(outer_sums_do_not_wait),
		cmocka_unit_test(what_lies_is_refused),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(garbage_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
