/* SPDX-License-Identifier: Apache-2.0 */
/* Frames with bytes behind their IP packet, such as a switch's trailer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tx_bed.h"

enum { HDR = FDL_VNET_HDR_LEN };

static struct bed bed;

static const struct shape segment = { .link_len = 14,
				      .version = 4,
				      .proto = 6,
				      .payload = 1000,
				      .df = true,
				      .ttl = 9,
				      .flags = 0x10,
				      .partial = true };

static void set_up(enum fdl_kind kind, unsigned vnet_hdr_len, uint32_t flags)
{
	bed.shared.opts = (struct fdl_options){ .flags = FDL_ETHERNET | flags };
	bed_open(&bed, kind, vnet_hdr_len);
}

/* A frame whose checksum is left undone, with bytes behind its IP packet. */
static struct frame trailed_frame(const struct shape *s, unsigned gso_size,
				  uint8_t *buf, struct iovec *iov,
				  struct fdl_offload *off)
{
	static const uint8_t trailer[] = { 0xde, 0xad, 0xbe, 0xef, 0x01 };
	const size_t len = build(buf, s);

	memcpy(buf + len, trailer, sizeof(trailer));
	*iov = (struct iovec){ buf, len + sizeof(trailer) };
	*off = shape_offload(s, gso_size);
	return (struct frame){ .iov = iov, .cnt = 1, .weight = 1, .off = off };
}

/* What the wire took, last[i], of frame f where it takes offloads (HDR) or
 * not. */
static unsigned put_on(enum fdl_kind kind, unsigned hdr_len,
		       const struct frame *f, uint8_t last[][6000],
		       size_t len[])
{
	const struct verdict *why;
	unsigned i, n;

	set_up(kind, hdr_len, 0);
	assert_int_equal(tx_put(&bed.tx, (struct frames){ .f = f }, 1, &why),
			 1);
	n = wire.n;
	for (i = 0; i < n; i++) {
		len[i] = wire.took[i].len - hdr_len;
		assert_true(len[i] <= 6000);
		memcpy(last[i], wire.took[i].bytes + hdr_len, len[i]);
	}
	bed_close(&bed);
	return n;
}

static void bytes_behind_the_packet_are_not_summed(void **state)
{
	static const int versions[] = { 4, 6 }, protos[] = { 6, 17 };
	static uint8_t buf[2000], plain[1][6000], by_us[1][6000];
	struct shape s = segment, whole;
	struct fdl_offload off;
	size_t len[2] = { 0 };
	struct iovec iov;
	struct frame f;
	unsigned i, odd;

	(void)state;
	for (i = 0; i < 16; i++) {
		odd = i / 4 % 2;
		s.version = versions[i % 2];
		s.proto = protos[i / 2 % 2];
		s.payload = 301 + odd;
		f = trailed_frame(&s, 0, buf, &iov, &off);
		assert_int_equal(put_on(i / 8 ? FDL_KIND_TAP : FDL_KIND_PACKET,
					0, &f, plain, len),
				 1);
		assert_int_equal(put_on(i / 8 ? FDL_KIND_TAP : FDL_KIND_PACKET,
					HDR, &f, by_us, len + 1),
				 1);
		assert_int_equal(len[0], iov.iov_len);
		assert_int_equal(len[1], iov.iov_len);
		assert_memory_equal(plain[0], by_us[0], iov.iov_len);
		whole = s;
		whole.partial = false;
		assert_true(checksums_right(by_us[0], iov.iov_len - 5, &whole));
		assert_memory_equal(by_us[0] + iov.iov_len - 5,
				    buf + iov.iov_len - 5, 5);
	}
}

static void bytes_behind_a_super_packet_are_no_payload(void **state)
{
	static uint8_t buf[6000], got[8][6000];
	struct shape s = segment;
	struct fdl_offload off;
	struct iovec iov;
	struct frame f;
	size_t len[8] = { 0 };
	unsigned i;

	(void)state;
	s.payload = 4 * segment.payload - 100;
	f = trailed_frame(&s, segment.payload, buf, &iov, &off);
	assert_int_equal(put_on(FDL_KIND_PACKET, 0, &f, got, len), 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(len[i],
				 54 + segment.payload - (i == 3 ? 100 : 0));
	/* Or it goes without them. */
	assert_int_equal(put_on(FDL_KIND_PACKET, HDR, &f, got, len), 1);
	assert_int_equal(len[0], 54 + s.payload);
	assert_memory_equal(got[0], buf, len[0]);
}

/* It is not put off, and what was goes before it. */
static void bytes_behind_a_packet_do_not_wait(void **state)
{
	static uint8_t buf[3][2000];
	struct fdl_offload off = shape_offload(&segment, 0), trailed_off;
	struct shape s = segment;
	const struct verdict *why;
	struct iovec iov;
	struct frame f;
	unsigned i, before;

	(void)state;
	for (before = 0; before < 3; before++) {
		set_up(FDL_KIND_PACKET, HDR, FDL_COALESCE);
		for (i = 0, s.seq = 0; i < before; i++, s.seq += s.payload) {
			iov = (struct iovec){ buf[i], build(buf[i], &s) };
			f = (struct frame){
				.iov = &iov, .cnt = 1, .weight = 1, .off = &off
			};
			assert_int_equal(
				defer_frame(&bed.tx, &f, false, NULL, NULL),
				DEFER_TAKEN);
		}
		f = trailed_frame(&s, 0, buf[2], &iov, &trailed_off);
		assert_int_equal(defer_frame(&bed.tx, &f, false, NULL, NULL),
				 DEFER_PASSED_BY);
		assert_int_equal(wire.n, before > 0);
		assert_int_equal(tx_put_all(&bed.tx, (struct frames){ .f = &f },
					    1, &why),
				 1);
		assert_int_equal(bed_count(&bed, TX_PACKETS), before + 1);
		bed_close(&bed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_behind_the_packet_are_not_summed),
		cmocka_unit_test(bytes_behind_a_super_packet_are_no_payload),
		cmocka_unit_test(bytes_behind_a_packet_do_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
