/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "packets.h"

/* The segment that number i of n of a super-packet must be. */
static size_t expect(uint8_t *f, const struct shape *super, const uint8_t *all,
		     unsigned mss, unsigned i, bool partial, bool ecn)
{
	struct shape s = *super;
	const unsigned at = i * mss;
	size_t len;

	s.payload = super->payload - at < mss ? super->payload - at : mss;
	s.seq += at;
	s.id += i;
	if (i && ecn)
		s.flags &= 0x7f;
	if (at + s.payload < super->payload)
		s.flags &= 0xf6;
	s.partial = true;
	len = build(f, &s);
	memcpy(f + len - s.payload, all + shape_hdr_len(super) + at, s.payload);
	if (!partial) {
		const unsigned l4 = s.link_len + shape_l3_len(&s);
		uint16_t sum = (uint16_t)~ref_sum(f + l4, len - l4, 0);

		if (!sum && s.proto == 17)
			sum = 0xffff;
		put16(f + l4 + (s.proto == 6 ? 16 : 6), sum);
	}
	return len;
}

static int split(struct rng *r, uint8_t *f, size_t len, struct iovec *iov,
		 int max)
{
	int cnt;

	for (cnt = 0; len; cnt++) {
		const size_t n =
			cnt == max - 1 ?
				len :
				rnd(r, (uint32_t)(len < 900 ? len : 900) + 1);

		iov[cnt].iov_base = f;
		iov[cnt].iov_len = n;
		f += n;
		len -= n;
	}
	return cnt;
}

static size_t join(uint8_t *to, const struct iovec *iov, int cnt)
{
	size_t len = 0;
	int i;

	for (i = 0; i < cnt; i++) {
		memcpy(to + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

static struct shape random_super(struct rng *r, unsigned *mss)
{
	struct shape s = random_shape(r);
	unsigned max = 65535 - 22 - 256;

	*mss = 8 + rnd(r, rnd(r, 4) ? 1500 : 9000);
	if (s.proto == 17 && max > *mss * 128)
		max = *mss * 128;
	s.payload = *mss + 1 + rnd(r, max - *mss);
	if (rnd(r, 2))
		s.payload = s.payload / *mss * *mss + (s.payload < 2 * *mss);
	s.flags = (uint8_t)(0x10 | (rnd(r, 256) & 0xe9));
	if (s.proto == 6)
		s.partial = rnd(r, 5);
	if (s.version == 4 && !rnd(r, 3))
		s.ip_opts = 4 * rnd(r, 11);
	return s;
}

static void cut_one(struct rng *r, bool partial, bool gather)
{
	static uint8_t super[70000], want[10000], got[10000];
	unsigned mss, i, flags = partial ? FDL_SEGMENT_PARTIAL : 0;
	struct iovec in[100], out[100];
	uint8_t hdr[FDL_HEADERS_MAX];
	struct shape s = random_super(r, &mss);
	struct fdl_offload off = shape_offload(&s, mss), left;
	struct fdl_segmenter seg;
	size_t len = build(super, &s), n;
	int cnt = split(r, super, len, in, 100), got_len;

	off.hdr_len = (uint16_t)rnd(r, 65536);		/* never believed */
	off.ecn = s.proto == 6 && rnd(r, 2);
	assert_int_equal(
		fdl_segment_start(&seg, in, cnt, s.link_len, &off, flags),
		FDL_REFUSE_NONE);
	for (i = 0; i * mss < s.payload; i++) {
		n = expect(want, &s, super, mss, i, partial, off.ecn);
		assert_int_equal(fdl_segment_len(&seg), n);
		assert_int_equal(fdl_segment_next(&seg, got, n - 1, NULL),
				 -EMSGSIZE);
		if (gather) {
			assert_int_equal(
				fdl_segment_gather(&seg, hdr, out, 1, NULL),
				-EMSGSIZE);
			got_len = fdl_segment_gather(&seg, hdr, out, 100,
						     &left);
			assert_true(got_len > 0);
			got_len = (int)join(got, out, got_len);
		} else {
			got_len = fdl_segment_next(&seg, got, sizeof(got),
						   &left);
		}
		assert_int_equal(got_len, n);
		assert_memory_equal(got, want, n);
		assert_int_equal(left.csum,
				 partial ? FDL_CSUM_PARTIAL : FDL_CSUM_VALID);
		assert_int_equal(left.gso, FDL_GSO_NONE);
		if (!partial)
			assert_true(checksums_right(got, n, &s));
	}
	assert_int_equal(fdl_segment_len(&seg), 0);
	assert_int_equal(fdl_segment_next(&seg, got, sizeof(got), NULL), 0);
	assert_int_equal(fdl_segment_gather(&seg, hdr, out, 100, NULL), 0);
}

static void super_packets(void **state)
{
	struct rng r = seeded("segment");
	int i;

	(void)state;
	for (i = 0; i < 400; i++)
		cut_one(&r, i & 1, i & 2);
}

static void singles(void **state)
{
	struct rng r = seeded("single");
	uint8_t f[2000], want[2000], got[2000], hdr[FDL_HEADERS_MAX];
	struct iovec in[10], out[12];
	struct fdl_segmenter seg;
	struct fdl_offload off;
	size_t len;
	int i, cnt;

	(void)state;
	for (i = 0; i < 4000; i++) {
		struct shape s = random_shape(&r);

		s.payload = rnd(&r, 3) ? rnd(&r, 1500) : 0;
		s.partial = i & 1;
		len = build(f, &s);
		off = shape_offload(&s, i & 1 && i & 2 ? 2000 : 0);
		s.partial = false;
		build(want, &s);
		if (i & 1)
			no_zero(want, &s);
		/* padding goes through as it is */
		memcpy(want + len, "padding", 7);
		memcpy(f + len, "padding", 7);
		cnt = split(&r, f, len + 7, in, 10);
		assert_int_equal(
			fdl_segment_start(&seg, in, cnt, s.link_len, &off, 0),
			0);
		if (i & 4) {
			cnt = fdl_segment_gather(&seg, hdr, out, 12, &off);
			assert_int_equal(join(got, out, cnt), len + 7);
		} else {
			assert_int_equal(
				fdl_segment_next(&seg, got, 2000, &off),
				len + 7);
		}
		assert_memory_equal(got, want, len + 7);
		assert_int_equal(off.csum,
				 i & 1 ? FDL_CSUM_VALID : FDL_CSUM_NONE);
		assert_int_equal(fdl_segment_len(&seg), 0);
	}
}

/*
 * Frag-list GRO leaves the length of the first packet in the partial checksum,
 * and a checksum that was whole as it is.
 */
static void chained_packets(void **state)
{
	struct rng r = seeded("chained packets");
	uint8_t f[66000], want[11000], got[11000];
	struct fdl_segmenter seg;
	struct fdl_offload off;
	struct iovec iov;
	unsigned mss, i, n;
	size_t len;
	int round;

	(void)state;
	for (round = 0; round < 400; round++) {
		struct shape s = random_super(&r, &mss);
		const unsigned l4 = s.link_len + shape_l3_len(&s);
		const unsigned hdr_len = shape_hdr_len(&s);
		uint8_t *sum = f + l4 + (s.proto == 6 ? 16 : 6);

		s.partial = true;
		len = build(f, &s);
		off = shape_offload(&s, mss);
		off.ecn = s.proto == 6 && rnd(&r, 2);
		put16(sum, ref_pseudo(f + s.link_len, s.version, s.proto,
				      hdr_len - l4 + mss));
		if (round & 1) {
			off.csum = FDL_CSUM_VALID;
			off.csum_start = off.csum_offset = 0;
			put16(sum, 0x1234);
		}
		iov = (struct iovec){ f, len };
		assert_int_equal(
			fdl_segment_start(&seg, &iov, 1, s.link_len, &off, 0),
			0);
		n = (s.payload + mss - 1) / mss;
		for (i = 0; i < n; i++) {
			const size_t want_len = expect(want, &s, f, mss, i,
						       false, off.ecn);

			assert_int_equal(
				fdl_segment_next(&seg, got, sizeof(got), NULL),
				want_len);
			assert_memory_equal(got, want, want_len);
		}
		assert_int_equal(fdl_segment_len(&seg), 0);
	}
}

static void refused(void **state)
{
	struct shape s = { .link_len = 14,
			   .version = 4,
			   .proto = 6,
			   .ttl = 1,
			   .payload = 3000,
			   .partial = true };
	struct fdl_offload off = shape_offload(&s, 1000);
	struct fdl_segmenter seg;
	uint8_t f[4000];
	struct iovec iov = { f, build(f, &s) };

	(void)state;
	off.gso = FDL_GSO_TCPV6;
	assert_int_equal(fdl_segment_start(&seg, &iov, 1, 14, &off, 0),
			 FDL_REFUSE_GSO_TYPE);
	assert_int_equal(fdl_segment_len(&seg), 0);
	off = shape_offload(&s, 1000);
	iov.iov_len--;
	assert_int_equal(fdl_segment_start(&seg, &iov, 1, 14, &off, 0),
			 FDL_REFUSE_IP);
	off = (struct fdl_offload){ .csum = FDL_CSUM_PARTIAL,
				    .csum_start = 300,
				    .csum_offset = 16 };
	iov.iov_len++;
	assert_int_equal(fdl_segment_start(&seg, &iov, 1, 14, &off, 0),
			 FDL_REFUSE_HEADERS);
	assert_int_equal(fdl_segment_start(&seg, NULL, 0, 0,
					   &(struct fdl_offload){ 0 }, 0),
			 0);
	assert_int_equal(fdl_segment_len(&seg), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(super_packets),
		cmocka_unit_test(singles),
		cmocka_unit_test(chained_packets),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
