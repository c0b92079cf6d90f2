/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BIG TCP that a stack sends: whole where the device says that it takes it,
 * else in pieces of up to 64 KiB. What the kernel refuses it is asked once.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "big.h"
#include "tx_bed.h"

enum {
	HDR = FDL_VNET_HDR_LEN,
	LINK_LEN = 14,
	MSS = 1000,
	PAYLOAD = 200000,
	TAKEN = 250000,
	PIECES = 1500,
};

static struct bed bed;
static uint8_t buf[PAYLOAD + 200];
static size_t len;

static void set_up_kind(enum fdl_kind kind, uint32_t max4)
{
	bed.shared.opts = (struct fdl_options){ .flags = FDL_ETHERNET };
	bed_open(&bed, kind, HDR);
	atomic_store(&bed.shared.gso_max4, max4);
}

static void set_up(uint32_t max4)
{
	set_up_kind(FDL_KIND_PACKET, max4);
}

static void tear_down(void)
{
	assert_int_equal(bed_count(&bed, TX_OFFLOAD_REVOKED), 0);
	assert_int_equal(bed_count(&bed, TX_DROP_TOO_LONG), 0);
	assert_int_equal(bed_count(&bed, TX_DROP_OFFLOAD), 0);
	bed_close(&bed);
}

static void put_pieces(const struct shape *s, bool jumbo, int pieces)
{
	struct fdl_offload off = shape_offload(s, MSS);
	struct iovec iov[PIECES];
	const struct frame f = {
		.iov = iov, .cnt = pieces, .weight = 1, .off = &off
	};
	const struct verdict *why;
	size_t at = 0;
	int i;

	if (jumbo)
		off.csum_start += BIG_JUMBO_LEN;
	/* All headers are in the first piece. */
	for (i = 0; i < pieces; i++) {
		iov[i] = (struct iovec){ buf + at, len / (size_t)pieces };
		at += iov[i].iov_len;
	}
	iov[pieces - 1].iov_len += len - at;
	wire_forget();
	assert_int_equal(tx_put(&bed.tx, (struct frames){ .f = &f }, 1, &why),
			 1);
	assert_null(why);
}

/* IPv4, or IPv6 with the hop-by-hop header or without. */
static void put(int version, bool jumbo, unsigned payload, int pieces)
{
	const struct shape s = { .link_len = LINK_LEN,
				 .version = version,
				 .proto = 6,
				 .payload = payload,
				 .ttl = 64,
				 .flags = 0x18,
				 .seq = 5,
				 .partial = true };

	len = payload > UINT16_MAX ? big_build(buf, &s, jumbo) : build(buf, &s);
	put_pieces(&s, jumbo, pieces);
}

static void expect_whole(void)
{
	struct fdl_offload off;

	assert_int_equal(wire.n, 1);
	assert_int_equal(wire.took[0].len, HDR + len);
	assert_memory_equal(wire.took[0].bytes + HDR, buf, len);
	assert_int_equal(fdl_vnet_hdr_decode(wire.took[0].bytes, HDR,
					     FDL_ORDER_NATIVE, &off),
			 0);
	assert_int_not_equal(off.gso, FDL_GSO_NONE);
	assert_int_equal(off.gso_size, MSS);
}

/* Each is a super-packet with the length in its header, and all is there. */
static void expect_pieces(unsigned payload)
{
	struct fdl_offload off;
	size_t n, got = 0;
	unsigned i;

	assert_int_equal(wire.n, (payload + 64999) / 65000);
	for (i = 0; i < wire.n; i++) {
		n = wire.took[i].len - HDR;
		assert_true(n <= LINK_LEN + 65535);
		assert_int_equal(fdl_vnet_hdr_decode(wire.took[i].bytes, HDR,
						     FDL_ORDER_NATIVE, &off),
				 0);
		assert_int_equal(fdl_offload_check(wire.took[i].bytes + HDR, n,
						   n, LINK_LEN, &off),
				 0);
		assert_memory_equal(wire.took[i].bytes + HDR + off.hdr_len,
				    buf + len - payload + got, n - off.hdr_len);
		got += n - off.hdr_len;
	}
	assert_int_equal(got, payload);
}

static void it_goes_whole_where_the_device_takes_it(void **state)
{
	(void)state;
	set_up(TAKEN);
	put(4, false, PAYLOAD, 1);
	expect_whole();
	put(4, false, PAYLOAD, 3);
	expect_whole();
	assert_int_equal(bed_count(&bed, TX_GSO_CUT), 0);
	tear_down();
	set_up(0);
	put(4, false, PAYLOAD, 1);
	expect_pieces(PAYLOAD);
	assert_int_equal(bed_count(&bed, TX_GSO_CUT), 1);
	tear_down();
}

static void the_longest_is_shorter_than_the_device_says(void **state)
{
	(void)state;
	set_up(TAKEN);
	put(4, false, PAYLOAD, 1);
	atomic_store(&bed.shared.gso_max4, (uint32_t)len);
	put(4, false, PAYLOAD, 1);
	expect_pieces(PAYLOAD);
	atomic_store(&bed.shared.gso_max4, (uint32_t)len + 1);
	put(4, false, PAYLOAD, 1);
	expect_whole();
	tear_down();
}

static void ipv6_goes_in_pieces(void **state)
{
	(void)state;
	set_up(TAKEN);
	put(6, false, PAYLOAD, 1);
	expect_pieces(PAYLOAD);
	put(6, true, PAYLOAD, 1);
	expect_pieces(PAYLOAD);
	tear_down();
}

static void other_wires_get_pieces(void **state)
{
	(void)state;
	set_up_kind(FDL_KIND_SEQPACKET, TAKEN);
	put(4, false, PAYLOAD, 1);
	expect_pieces(PAYLOAD);
	tear_down();
}

/* In more pieces than a message may have. */
static void it_may_lie_in_many_pieces(void **state)
{
	(void)state;
	set_up(TAKEN);
	assert_true(bed.io.max_pieces < PIECES);
	put(4, false, PAYLOAD, PIECES);
	expect_pieces(PAYLOAD);
	tear_down();
}

static int refusal;

static int refuse_big(const uint8_t *bytes, size_t n)
{
	(void)bytes;
	return n > HDR + LINK_LEN + 65535 ? refusal : 0;
}

static void what_is_refused_is_asked_once(void **state)
{
	static const int refusals[] = { EINVAL, EMSGSIZE };
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		set_up(TAKEN);
		refusal = refusals[i];
		wire.refuses = refuse_big;
		put(4, false, PAYLOAD, 1);
		expect_pieces(PAYLOAD);
		assert_int_equal(wire.asked, wire.n + 1);
		put(4, false, PAYLOAD, 1);
		expect_pieces(PAYLOAD);
		assert_int_equal(wire.asked, wire.n);
		/* Nothing is learnt of others. */
		put(4, false, 60000, 1);
		expect_whole();
		put(6, false, 60000, 1);
		expect_whole();
		tear_down();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_goes_whole_where_the_device_takes_it),
		cmocka_unit_test(the_longest_is_shorter_than_the_device_says),
		cmocka_unit_test(ipv6_goes_in_pieces),
		cmocka_unit_test(other_wires_get_pieces),
		cmocka_unit_test(it_may_lie_in_many_pieces),
		cmocka_unit_test(what_is_refused_is_asked_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
