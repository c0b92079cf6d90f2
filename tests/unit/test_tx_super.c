/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Super-packets that the wire does not take whole: what arrives is what a
 * complete cut would have made of them, and the wire is asked once.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "super_bed.h"

enum { MAX = 70000, MSS = 1000, SMALL = 100 };

static struct bed bed;
static uint8_t buf[MAX];

static const struct shape tcp = { .link_len = 14,
				  .version = 4,
				  .proto = 6,
				  .id = 7,
				  .ttl = 9,
				  .seq = 5,
				  .flags = 0x19, /* FIN, PSH, ACK */
				  .partial = true };
static const struct shape udp = {
	.link_len = 14, .version = 6, .proto = 17, .ttl = 9, .partial = true
};

static unsigned port;			/* of put_super; 0: as built */

static void set_up(void)
{
	port = 0;
	bed.shared.tunnels_apart = false;
	bed.shared.opts = (struct fdl_options){ .flags = FDL_ETHERNET };
	bed_open(&bed, FDL_KIND_SEQPACKET, HDR);
}

/* Send a super-packet of so many segments as of weight packets; what it is
 * counted as is checked. */
static void put_super(struct shape s, unsigned segments, unsigned size,
		      unsigned weight)
{
	const struct iovec iov = { buf, (s.payload = segments * size - 1,
					 build(buf, &s)) };
	const struct fdl_offload off = shape_offload(&s, size);

	if (port)
		put16(buf + off.csum_start + 2, port);
	wire.asked = 0;
	send_super(&bed, &iov, &off, weight);
}

static void what_is_too_long_goes_in_pieces(void **state)
{
	static const size_t limits[] = { 60000, 16352, 8160, 3000, 1200 };
	unsigned i, round;

	(void)state;
	for (i = 0; i < 10; i++) {
		set_up();
		limit = limits[i / 2];
		wire.refuses = too_long;
		for (round = 0; round < 3; round++) {
			put_super(i % 2 ? udp : tcp, 64, MSS, 1);
			/* It has learnt. */
			if (round > 0)
				assert_true(wire.asked <= 64);
		}
		assert_int_equal(bed_count(&bed, TX_GSO_CUT), 3);
		assert_int_equal(bed_count(&bed, TX_SEGMENTS),
				 bed_count(&bed, TX_PACKETS));
		assert_int_equal(bed_count(&bed, TX_DROP_TOO_LONG), 0);
		assert_int_equal(bed_count(&bed, TX_OFFLOAD_REVOKED), 0);
		if (limit > 3000)
			assert_true(bed_count(&bed, TX_GSO) > 0);
		bed_close(&bed);
	}
}

/* The kernel's GRO makes them, and its segmentation would not give them
 * back. */
static void short_segments_are_cut(void **state)
{
	unsigned size;

	(void)state;
	for (size = 2; size <= 8; size++) {
		set_up();
		put_super(tcp, 50, size, 1);
		assert_int_equal(wire.n, size < 8 ? 50 : 1);
		assert_int_equal(wire.asked, wire.n);
		assert_int_equal(bed_count(&bed, TX_GSO_CUT), size < 8);
		bed_close(&bed);
	}
}

static void it_is_refused_once(void **state)
{
	const struct verdict *why;
	unsigned taken;

	(void)state;
	(void)why;
	set_up();
	limit = 35000;
	wire.refuses = too_long;
	put_super(tcp, 64, MSS, 1);
	taken = wire.n;
	assert_int_equal(wire.asked, taken + 1);
	put_super(tcp, 64, MSS, 1);
	assert_int_equal(wire.asked, wire.n - taken);
	/* What is short enough still goes whole. */
	taken = wire.n;
	put_super(tcp, 30, MSS, 1);
	assert_int_equal(wire.n, taken + 1);
	bed_close(&bed);
}

/* Merging heeds what was learnt. */
static void what_is_merged_is_no_longer(void **state)
{
	struct shape s = tcp;
	struct fdl_offload off;
	struct iovec iov;
	struct frame f = { .iov = &iov, .cnt = 1, .weight = 1, .off = &off };
	unsigned round, i;

	(void)state;
	bed.shared.opts = (struct fdl_options){ .flags = FDL_ETHERNET |
							 FDL_COALESCE };
	bed_open(&bed, FDL_KIND_SEQPACKET, HDR);
	limit = 16352;
	wire.refuses = too_long;
	s.flags = 0x10;
	s.df = true;
	s.payload = MSS;
	for (round = 0; round < 3; round++) {
		wire_forget();
		for (i = 0; i < 40; i++, s.seq += MSS) {
			iov = (struct iovec){ buf, build(buf, &s) };
			off = shape_offload(&s, 0);
			assert_int_equal(
				defer_frame(&bed.tx, &f, false, NULL, NULL),
				DEFER_TAKEN);
		}
		assert_int_equal(defer_flush(&bed.tx), 0);
		assert_int_equal(bed_count(&bed, TX_PACKETS), 40 * (round + 1));
		assert_true(wire.n < 10);
	}
	assert_int_equal(wire.asked, wire.n);
	bed_close(&bed);
}

static void merged_packets_are_counted_as_such(void **state)
{
	(void)state;
	set_up();
	limit = 16352;
	wire.refuses = too_long;
	put_super(tcp, 40, MSS, 40);
	assert_int_equal(bed_count(&bed, TX_PACKETS), 40);
	assert_int_equal(bed_count(&bed, TX_SEGMENTS), 0);
	bed_close(&bed);
}

/* A segment is too long itself: all are, and are counted. */
static void no_segment_fits(void **state)
{
	const struct verdict *why;
	struct shape s = tcp;
	struct fdl_offload off;
	struct iovec iov;
	struct frame f = { .iov = &iov, .cnt = 1, .weight = 1, .off = &off };

	(void)state;
	set_up();
	limit = 500;
	wire.refuses = too_long;
	s.payload = 10 * MSS;
	iov = (struct iovec){ buf, build(buf, &s) };
	off = shape_offload(&s, MSS);
	assert_int_equal(tx_put(&bed.tx, (struct frames){ .f = &f }, 1, &why),
			 1);
	assert_int_equal(bed_count(&bed, TX_DROP_TOO_LONG), 10);
	assert_int_equal(bed_count(&bed, TX_SEGMENTS), 10);
	assert_int_equal(wire.n, 0);
	bed_close(&bed);
}

static unsigned most;

/* As a kernel of before 6.9 is with 64. */
static int too_many(const uint8_t *bytes, size_t len)
{
	struct fdl_offload off = { 0 };

	if (fdl_vnet_hdr_decode(bytes, HDR, FDL_ORDER_NATIVE, &off) ||
	    off.gso != FDL_GSO_UDP)
		return 0;
	return len - HDR - off.hdr_len > (size_t)most * off.gso_size ? EINVAL :
								       0;
}

static void many_segments_are_halved(void **state)
{
	static const unsigned segments[] = { 65, 100, 128 };
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		set_up();
		most = 64;
		wire.refuses = too_many;
		put_super(udp, 10, SMALL, 1);
		assert_int_equal(wire.n, 1);
		put_super(udp, segments[i], SMALL, 1);
		assert_int_equal(wire.n, 3);
		put_super(udp, segments[i], SMALL, 1);
		assert_int_equal(wire.n, 5);
		assert_int_equal(wire.asked, 2);
		put_super(udp, 64, SMALL, 1);
		assert_int_equal(wire.n, 6);
		assert_int_equal(bed_count(&bed, TX_OFFLOAD_REVOKED), 0);
		bed_close(&bed);
	}
}

static void what_is_refused_at_64_is_revoked(void **state)
{
	(void)state;
	set_up();
	most = 1;
	wire.refuses = too_many;
	put_super(udp, 100, SMALL, 1);
	assert_int_equal(wire.n, 100);
	assert_int_equal(bed_count(&bed, TX_OFFLOAD_REVOKED), 1);
	assert_int_equal(work_takes(&bed.tx) &
				 (FDL_OFFLOAD_USO6 | FDL_OFFLOAD_USO4),
			 FDL_OFFLOAD_USO4);
	put_super(udp, 100, SMALL, 1);
	assert_int_equal(wire.asked, 100);
	put_super(tcp, 20, MSS, 1);
	assert_int_equal(wire.asked, 1);
	bed_close(&bed);
}

static int refuse_all(const uint8_t *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	return EINVAL;
}

/* It is at fault itself. */
static void a_malformed_one_revokes_nothing(void **state)
{
	const struct verdict *why;
	struct shape s = udp;
	struct fdl_offload off;
	struct iovec iov;
	struct frame f = { .iov = &iov, .cnt = 1, .weight = 1, .off = &off };

	(void)state;
	set_up();
	wire.refuses = refuse_all;
	s.payload = 100 * SMALL;
	iov = (struct iovec){ buf, build(buf, &s) };
	off = shape_offload(&s, SMALL);
	assert_int_equal(tx_put(&bed.tx, (struct frames){ .f = &f }, 1, &why),
			 1);
	assert_int_equal(bed_count(&bed, TX_DROP_INVALID), 100);
	assert_int_equal(bed_count(&bed, TX_OFFLOAD_REVOKED), 0);
	bed_close(&bed);
}

static void more_than_any_wire_takes_is_cut(void **state)
{
	(void)state;
	set_up();
	most = 128;
	wire.refuses = too_many;
	put_super(udp, 200, SMALL, 1);
	assert_int_equal(wire.n, 2);
	assert_int_equal(wire.took[0].len + wire.took[1].len,
			 2 * (HDR + 62) + 200 * SMALL - 1);
	assert_int_equal(bed_count(&bed, TX_DROP_OFFLOAD), 0);
	bed_close(&bed);
	/* And where it takes none. */
	bed.shared.opts = (struct fdl_options){ .flags = FDL_ETHERNET };
	bed_open(&bed, FDL_KIND_SEQPACKET, HDR);
	atomic_store(&bed.shared.tx_revoked, FDL_OFFLOAD_USO6);
	put_super(udp, 200, SMALL, 1);
	assert_int_equal(wire.n, 200);
	bed_close(&bed);
}

static void datagrams_of_a_tunnel_are_not_lost(void **state)
{
	static const unsigned ports[] = { 0, 4789, 6081 };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		set_up();
		port = ports[i];
		put_super(udp, 10, SMALL, 1);
		assert_int_equal(wire.n, 1);
		bed.shared.tunnels_apart = true;
		put_super(udp, 10, SMALL, 1);
		assert_int_equal(wire.n, port ? 11 : 2);
		bed_close(&bed);
	}
	port = 0;
	bed.shared.tunnels_apart = false;
}

/* No room amid it: the rest goes in pieces, too. */
static void the_rest_goes_in_pieces(void **state)
{
	const struct verdict *why;
	struct shape s = tcp;
	struct fdl_offload off;
	struct iovec iov;
	struct frame f = { .iov = &iov, .cnt = 1, .weight = 1, .off = &off };

	(void)state;
	set_up();
	limit = 16352;
	wire.refuses = too_long;
	wire.slots = 2;
	s.payload = 60 * MSS;
	iov = (struct iovec){ buf, build(buf, &s) };
	off = shape_offload(&s, MSS);
	assert_int_equal(tx_put(&bed.tx, (struct frames){ .f = &f }, 1, &why),
			 1);
	assert_non_null(why);
	wire.slots = 0;
	assert_int_equal(tx_put(&bed.tx, (struct frames){ .f = &f }, 0, &why),
			 0);
	assert_null(why);
	expect_all(0, &iov, &off);
	assert_true(wire.n < 10);
	bed_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_too_long_goes_in_pieces),
		cmocka_unit_test(short_segments_are_cut),
		cmocka_unit_test(it_is_refused_once),
		cmocka_unit_test(what_is_merged_is_no_longer),
		cmocka_unit_test(merged_packets_are_counted_as_such),
		cmocka_unit_test(no_segment_fits),
		cmocka_unit_test(many_segments_are_halved),
		cmocka_unit_test(what_is_refused_at_64_is_revoked),
		cmocka_unit_test(a_malformed_one_revokes_nothing),
		cmocka_unit_test(more_than_any_wire_takes_is_cut),
		cmocka_unit_test(datagrams_of_a_tunnel_are_not_lost),
		cmocka_unit_test(the_rest_goes_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
