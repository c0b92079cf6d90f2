/* SPDX-License-Identifier: Apache-2.0 */
/* BIG TCP: super-packets whose length fits no length field, as kernels make
 * them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "offload/segment.h"
#include "packets.h"

enum {
	MAX_LEN = 540000,
	JUMBO_LEN = 8,
};

static uint8_t big[MAX_LEN], want[MAX_LEN], got[MAX_LEN];

/* Returns the length. jumbo: with the hop-by-hop header that tells it. */
static size_t build_big(const struct shape *s, bool jumbo,
			struct fdl_offload *off)
{
	const unsigned l3 = s->link_len;
	size_t len = build(big, s);
	uint8_t *ext = big + l3 + 40;

	if (s->version == 4) {
		put16(big + l3 + 2, 0);
		put16(big + l3 + 10, 0);
		put16(big + l3 + 10,
		      (uint16_t)~ref_sum(big + l3, shape_l3_len(s), 0));
		return len;
	}
	put16(big + l3 + 4, 0);
	if (!jumbo)
		return len;
	memmove(ext + JUMBO_LEN, ext, len - l3 - 40);
	ext[0] = big[l3 + 6];
	ext[1] = 0;
	ext[2] = 0xc2;
	ext[3] = 4;
	put32(ext + 4, (uint32_t)(len - l3 - 40 + JUMBO_LEN));
	big[l3 + 6] = 0;
	off->csum_start = (uint16_t)(off->csum_start + JUMBO_LEN);
	return len + JUMBO_LEN;
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
			expect(&s, jumbo ? JUMBO_LEN : 0, at, n, i, run > 1));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(big_packets_are_cut),
		cmocka_unit_test(lengths_that_lie_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
