/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "packets.h"

static uint16_t sum_of(const uint8_t *p, size_t len)
{
	const uint16_t sum = fdl_checksum_sum(p, len, 0);

	return (uint16_t)get16((const uint8_t *)&sum);
}

static void sum_equals_reference(void **state)
{
	struct rng r = seeded("sum");
	static uint8_t buf[70000];
	size_t at, len;
	int i;

	(void)state;
	for (at = 0; at < sizeof(buf); at++)
		buf[at] = (uint8_t)rnd(&r, 256);
	for (i = 0; i < 20000; i++) {
		at = rnd(&r, 64);
		len = rnd(&r, i % 100 ? 300 : 66000);
		assert_int_equal(sum_of(buf + at, len),
				 ref_sum(buf + at, len, 0));
	}
}

static void sum_of_extremes(void **state)
{
	static uint8_t ones[65536];
	uint16_t sum;

	(void)state;
	assert_int_equal(fdl_checksum_sum(ones, sizeof(ones), 0), 0);
	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(fdl_checksum_sum(ones, sizeof(ones), 0), 0xffff);
	sum = fdl_checksum_sum(ones, 65535, 0xffff);
	assert_int_equal(get16((uint8_t *)&sum), 0xff00);
	assert_int_equal(fdl_checksum_sum(NULL, 0, 7), 7);
}

static void pieces_sum_as_one(void **state)
{
	struct rng r = seeded("pieces");
	struct iovec iov[8];
	uint8_t buf[600];
	size_t skip, len;
	unsigned i, j, at;

	(void)state;
	for (i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)rnd(&r, 256);
	for (i = 0; i < 20000; i++) {
		for (j = at = 0; j < 8; j++) {
			iov[j].iov_base = buf + at;
			iov[j].iov_len = rnd(&r, 70);
			at += (unsigned)iov[j].iov_len;
		}
		skip = rnd(&r, at + 1);
		len = rnd(&r, at - (unsigned)skip + 1);
		assert_int_equal(fdl_checksum_iov(iov, 8, skip, len, 0x1234),
				 fdl_checksum_sum(buf + skip, len, 0x1234));
		assert_int_equal(fdl_checksum_iov(iov, 8, skip, 1000, 0),
				 fdl_checksum_sum(buf + skip, at - skip, 0));
	}
}

static void update_equals_recomputation(void **state)
{
	struct rng r = seeded("update");
	uint8_t p[40], old[8];
	uint16_t sum;
	int i, j;

	(void)state;
	for (i = 0; i < 20000; i++) {
		const size_t at = 2 + 2 * rnd(&r, 10), n = 2 * rnd(&r, 5);

		for (j = 0; j < 40; j++)
			p[j] = (uint8_t)rnd(&r, i % 2 ? 256 : 2);
		put16(p, 0);
		put16(p, (uint16_t)~ref_sum(p, 40, 0));
		memcpy(old, p + at, n);
		for (j = 0; j < (int)n; j++)
			p[at + (size_t)j] = (uint8_t)rnd(&r, 256);
		sum = (uint16_t)get16(p);
		fdl_checksum_update(p, old, p + at, n);
		assert_true(ref_sum(p, 40, 0) == 0xffff ||
			    (n == 0 && get16(p) == sum));
	}
}

static void complete_and_verify(void **state)
{
	struct rng r = seeded("complete");
	uint8_t f[2200], want[2200];
	int i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		struct shape s = random_shape(&r);
		struct fdl_offload off;
		size_t len;

		s.payload = rnd(&r, 1800);
		if (s.version == 4)
			s.ip_opts = 4 * rnd(&r, 11);
		len = build(f, &s);
		off = shape_offload(&s, 0);
		s.partial = false;
		build(want, &s);
		no_zero(want, &s);
		assert_int_equal(fdl_checksum_verify(want, len, s.link_len), 1);
		memset(f + len, 0xaa, 6);	/* padding is not summed */
		assert_int_equal(
			fdl_checksum_complete(f, len + 6, s.link_len, &off), 0);
		assert_memory_equal(f, want, len);
		assert_int_equal(off.csum, FDL_CSUM_VALID);
		assert_int_equal(fdl_checksum_verify(f, len + 6, s.link_len),
				 1);
		f[s.link_len + 9] ^= 1;
		assert_int_equal(fdl_checksum_verify(f, len, s.link_len) == 1,
				 false);
	}
}

static uint32_t ref_crc32c(const uint8_t *p, size_t len)
{
	uint32_t crc = UINT32_MAX;
	int bit;

	for (; len; len--, p++)
		for (crc ^= *p, bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	return ~crc;
}

/* A packet of len bytes behind its IP header, from its first byte on. */
static size_t build_sctp(uint8_t *f, struct rng *r, int version, size_t len)
{
	struct shape s = { .version = version,
			   .proto = 17,
			   .ttl = 64,
			   .payload = (unsigned)len - 8,
			   .link_len = 14 + 4 * rnd(r, 3) };
	const unsigned l4 = s.link_len + shape_l3_len(&s);
	size_t i;

	build(f, &s);
	f[s.link_len + (version == 4 ? 9 : 6)] = 132;
	for (i = 0; i < len; i++)
		f[l4 + i] = (uint8_t)rnd(r, 256);
	return l4;
}

static void sctp_has_a_crc(void **state)
{
	struct rng r = seeded("sctp");
	uint8_t f[400], want[400], digits[] = "123456789";
	struct fdl_segmenter cut;
	int i;

	(void)state;
	assert_int_equal(ref_crc32c(digits, 9), 0xe3069283);
	for (i = 0; i < 5000; i++) {
		const size_t n = 12 + rnd(&r, 200);
		const size_t l4 = build_sctp(f, &r, i % 2 ? 4 : 6, n);
		const unsigned link_len = (unsigned)l4 - (i % 2 ? 20 : 40);
		struct iovec iov = { f, l4 + n };
		struct fdl_offload off = { .csum = FDL_CSUM_PARTIAL,
					   .csum_start = (uint16_t)l4,
					   .csum_offset = 8 };
		uint32_t crc;

		memcpy(want, f, l4 + n);
		put32(want + l4 + 8, 0);
		crc = ref_crc32c(want + l4, n);
		put32(want + l4 + 8, __builtin_bswap32(crc));
		assert_int_equal(
			fdl_segment_start(&cut, &iov, 1, link_len, &off, 0),
			FDL_REFUSE_TRANSPORT);
		assert_int_equal(
			fdl_checksum_complete(f, l4 + n + 4, link_len, &off),
			0);
		assert_memory_equal(f, want, l4 + n);
		assert_int_equal(off.csum, FDL_CSUM_VALID);
	}
}

static void sctp_too_short_for_its_header(void **state)
{
	struct rng r = seeded("short sctp");
	struct fdl_offload off = { .csum = FDL_CSUM_PARTIAL, .csum_offset = 8 };
	uint8_t f[100];

	(void)state;
	off.csum_start = (uint16_t)build_sctp(f, &r, 4, 11);
	assert_int_equal(fdl_checksum_complete(f, off.csum_start + 40,
					       off.csum_start - 20u, &off),
			 -EINVAL);
	assert_int_equal(off.csum, FDL_CSUM_PARTIAL);
}

static void udp_zero(void **state)
{
	struct shape s = { .version = 4,
			   .proto = 17,
			   .payload = 2,
			   .ttl = 1,
			   .partial = true };
	struct fdl_offload off = shape_offload(&s, 0);
	uint8_t f[64];
	size_t len;

	(void)state;
	len = build(f, &s);
	/* A payload that makes the sum 0xffff, and the checksum 0. */
	put16(f + 28, 0);
	put16(f + 28, (uint16_t)~ref_sum(f + 20, 10, 0));
	assert_int_equal(fdl_checksum_complete(f, len, 0, &off), 0);
	assert_int_equal(get16(f + 26), 0xffff);
	assert_int_equal(fdl_checksum_verify(f, len, 0), 1);
	put16(f + 26, 0);
	assert_int_equal(fdl_checksum_verify(f, len, 0), 1);
	s.version = 6;
	len = build(f, &s);
	put16(f + 46, 0);
	assert_int_equal(fdl_checksum_verify(f, len, 0), 0);
}

/* A checksum inside a tunnel ends where the packet does, padded or not. */
static void padding_is_not_summed(void **state)
{
	struct shape s = {
		.link_len = 14, .version = 4, .proto = 17, .ttl = 1
	};
	struct rng r = seeded("padding");
	struct fdl_offload off = { .csum = FDL_CSUM_PARTIAL };
	uint8_t f[400];
	unsigned inner;
	size_t len;
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		s.payload = 60 + rnd(&r, 100);
		len = build(f, &s);
		memset(f + len, 0xa5, 40);
		inner = 42 + 2 * rnd(&r, 10);
		put16(f + inner + 6, 7);
		off = (struct fdl_offload){
			.csum = FDL_CSUM_PARTIAL,
			.csum_start = (uint16_t)inner,
			.csum_offset = 6,
		};
		assert_int_equal(
			fdl_checksum_complete(f, len + rnd(&r, 40), 14, &off),
			0);
		assert_int_equal(ref_sum(f + inner, len - inner, 7), 0xffff);
	}
}

static void refusals(void **state)
{
	struct fdl_offload off = { .csum = FDL_CSUM_PARTIAL };
	struct shape s = { .version = 4, .proto = 6, .payload = 9, .ttl = 1 };
	uint8_t f[128];
	size_t len;

	(void)state;
	len = build(f, &s);
	off.csum_start = 20;
	off.csum_offset = (uint16_t)(len - 21);
	assert_int_equal(fdl_checksum_complete(f, len, 0, &off), -EINVAL);
	assert_int_equal(off.csum, FDL_CSUM_PARTIAL);
	off.csum_start = 0xffff;
	off.csum_offset = 0xffff;
	assert_int_equal(fdl_checksum_complete(f, len, 0, &off), -EINVAL);
	assert_int_equal(fdl_checksum_verify(f, 10, 0), -EOPNOTSUPP);
	f[9] = 1;
	assert_int_equal(fdl_checksum_verify(f, len, 0), -EOPNOTSUPP);
	put16(f + 6, 0x2000);
	assert_int_equal(fdl_checksum_verify(f, len, 0), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sum_equals_reference),
		cmocka_unit_test(sum_of_extremes),
		cmocka_unit_test(pieces_sum_as_one),
		cmocka_unit_test(update_equals_recomputation),
		cmocka_unit_test(complete_and_verify),
		cmocka_unit_test(sctp_has_a_crc),
		cmocka_unit_test(sctp_too_short_for_its_header),
		cmocka_unit_test(udp_zero),
		cmocka_unit_test(padding_is_not_summed),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
