/* SPDX-License-Identifier: Apache-2.0 */
/* BIG TCP: super-packets whose length fits no length field, as kernels make
 * them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "big.h"
#include "offload/segment.h"
#include "tunnels.h"

enum { MAX_LEN = 540000 };

static uint8_t big[MAX_LEN], want[MAX_LEN], got[MAX_LEN];

/* Returns the length. jumbo: with the hop-by-hop header that tells it. */
static size_t build_big(const struct shape *s, bool jumbo,
			struct fdl_offload *off)
{
	if (jumbo && s->version == 6)
		off->csum_start = (uint16_t)(off->csum_start + BIG_JUMBO_LEN);
	return big_build(big, s, jumbo);
}

static struct shape shape_of(struct rng *r, int version)
{
	struct shape s = random_shape(r);

	s.version = version;
	s.proto = 6;
	s.ip_opts = 0;
	s.link_len = rnd(r, 2) ? 14 : 18;
	s.payload = 66000 + rnd(r, 450000);
	s.flags = 0x18;
	return s;
}

/* Piece at of n bytes, alone. */
static size_t expect(const struct shape *s, unsigned jumbo, unsigned at,
		     unsigned n, unsigned i, bool partial)
{
	struct shape piece = *s;
	const unsigned l4 = s->link_len + shape_l3_len(s);
	size_t len;
	uint16_t sum;

	piece.payload = n;
	piece.seq += at;
	piece.id += i;
	piece.partial = true;
	if (at + n < s->payload)
		piece.flags &= 0xf6;
	len = build(want, &piece);
	memcpy(want + len - n, big + shape_hdr_len(s) + jumbo + at, n);
	if (partial)
		return len;
	sum = (uint16_t)~ref_sum(want + l4, len - l4, 0);
	put16(want + l4 + 16, sum);
	return len;
}

static void cut(struct rng *r, int version, bool jumbo, unsigned run)
{
	const struct shape s = shape_of(r, version);
	const unsigned mss = 500 + rnd(r, 900);
	struct fdl_offload off = shape_offload(&s, mss), left;
	const size_t len = build_big(&s, jumbo, &off);
	const size_t slot = 65600;
	const struct iovec iov[2] = { { big, slot },
				      { big + slot, len - slot } };
	struct fdl_segmenter seg;
	unsigned at, n, i = 0;

	assert_int_equal(fdl_segment_start(&seg, iov, 2, s.link_len, &off,
					   run > 1 ? FDL_SEGMENT_PARTIAL : 0),
			 FDL_REFUSE_NONE);
	if (run > 1)
		segment_in_runs(&seg, mss, run);
	for (at = 0; at < s.payload; at += n) {
		n = s.payload - at < mss * run ? s.payload - at : mss * run;
		assert_int_equal(
			fdl_segment_next(&seg, got, sizeof(got), &left),
			expect(&s, jumbo ? BIG_JUMBO_LEN : 0, at, n, i,
			       run > 1));
		assert_memory_equal(got, want, shape_hdr_len(&s) + n);
		assert_int_equal(left.gso, n <= mss	? FDL_GSO_NONE :
					   version == 4 ? FDL_GSO_TCPV4 :
							  FDL_GSO_TCPV6);
		i += (n + mss - 1) / mss;
	}
	assert_int_equal(fdl_segment_len(&seg), 0);
}

static void big_packets_are_cut(void **state)
{
	struct rng r = seeded("big");
	int i;

	(void)state;
	for (i = 0; i < 12; i++) {
		cut(&r, 4, false, 1);
		cut(&r, 6, false, 1);
		cut(&r, 6, true, 1);
		cut(&r, 4, false, 30);
		cut(&r, 6, true, 30);
	}
}

static void assert_refused(const struct iovec *iov, unsigned link_len,
			   const struct fdl_offload *off)
{
	struct fdl_offload o = *off;
	struct fdl_segmenter seg;

	assert_int_equal(fdl_offload_check(iov->iov_base, FDL_HEADERS_MAX,
					   iov->iov_len, link_len, &o),
			 FDL_REFUSE_IP);
	assert_int_equal(fdl_segment_start(&seg, iov, 1, link_len, off, 0),
			 FDL_REFUSE_IP);
}

static void lengths_that_lie_are_refused(void **state)
{
	struct rng r = seeded("lies");
	struct shape s = shape_of(&r, 6);
	struct fdl_offload off = shape_offload(&s, 1000);
	struct iovec iov = { big, 0 };

	(void)state;
	iov.iov_len = build_big(&s, true, &off);
	big[s.link_len + 47] ^= 1;		/* the jumbo length */
	assert_refused(&iov, s.link_len, &off);
	/* A length of 0 in a packet that could tell it. */
	s.payload = 5000;
	s.version = 4;
	off = shape_offload(&s, 1000);
	iov.iov_len = build_big(&s, false, &off);
	assert_refused(&iov, s.link_len, &off);
	/* Longer than any kernel makes them. */
	s.payload = 526000;
	off = shape_offload(&s, 1000);
	iov.iov_len = build_big(&s, false, &off);
	assert_refused(&iov, s.link_len, &off);
}

/* No segment says a length that wraps. */
static void segments_are_no_longer_than_can_be_told(void **state)
{
	struct rng r = seeded("long segments");
	struct fdl_segmenter seg;
	struct fdl_offload off;
	struct iovec iov = { big, 0 };
	struct shape s;
	unsigned most;
	int version;

	(void)state;
	for (version = 4; version <= 6; version += 2) {
		s = shape_of(&r, version);
		most = 65535 - shape_hdr_len(&s) + s.link_len +
		       (version == 6 ? 40 : 0);
		most = most < 65534 ? most : 65534;
		s.payload = 70000;
		off = shape_offload(&s, most);
		iov.iov_len = build_big(&s, false, &off);
		assert_int_equal(
			fdl_segment_start(&seg, &iov, 1, s.link_len, &off, 0),
			FDL_REFUSE_NONE);
		if (most == 65534)
			continue;
		off.gso_size++;
		assert_int_equal(
			fdl_segment_start(&seg, &iov, 1, s.link_len, &off, 0),
			FDL_REFUSE_GSO_SIZE);
	}
}

/* Outside of a tunnel, no kernel makes that hop-by-hop header, and none of the
 * segments may have it. */
static void a_jumbo_header_outside_is_refused(void **state)
{
	const struct wrap w = {
		.kind = VXLAN, .link_len = 14, .version = 6, .ip_opts = 8
	};
	const struct shape in = { .link_len = 14,
				  .version = 4,
				  .proto = 6,
				  .flags = 0x10,
				  .partial = true };
	struct shape s = in;
	struct fdl_offload off;
	unsigned i;
	size_t len;

	(void)state;
	for (i = 0; i < 2; i++) {
		s.payload = i ? 70000 : 60000;
		len = i ? big_build(big + wrap_len(&w), &s, false) :
			  build(big + wrap_len(&w), &s);
		len = wrap(big, &w, &s, len, true);
		if (i)
			put16(big + 14 + 4, 0);
		big[14 + 6] = 0;	/* a hop-by-hop header */
		off = wrap_offload(&w, &s, 1000);
		assert_int_equal(
			fdl_offload_check(big, FDL_HEADERS_MAX, len, 14, &off),
			i ? FDL_REFUSE_TUNNEL : FDL_REFUSE_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(big_packets_are_cut),
		cmocka_unit_test(lengths_that_lie_are_refused),
		cmocka_unit_test(segments_are_no_longer_than_can_be_told),
		cmocka_unit_test(a_jumbo_header_outside_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
