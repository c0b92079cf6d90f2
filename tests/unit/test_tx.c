/* SPDX-License-Identifier: Apache-2.0 */
/* The send side alone: frames in, messages on the wire, and what is counted. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tx_bed.h"

enum { HDR = FDL_VNET_HDR_LEN, FRAMES = 10, LEN = 100 };

static struct bed bed;
static uint8_t bytes[FRAMES][LEN];
static struct iovec piece[FRAMES];
static struct frame frame[FRAMES];
static const struct frames all = { .f = frame };

static const struct shape segment = { .link_len = 14,
				      .version = 4,
				      .proto = 6,
				      .payload = 1000,
				      .df = true,
				      .ttl = 9,
				      .flags = 0x10,
				      .partial = true };

/* Frame i begins with i. */
static void set_up(enum fdl_kind kind, unsigned vnet_hdr_len,
		   struct fdl_options opts)
{
	unsigned i;

	for (i = 0; i < FRAMES; i++) {
		memset(bytes[i], (int)i, LEN);
		piece[i] = (struct iovec){ bytes[i], LEN };
		frame[i] = (struct frame){ .iov = &piece[i],
					   .cnt = 1,
					   .weight = 1 };
	}
	opts.flags |= FDL_ETHERNET;
	bed.shared.opts = opts;
	bed_open(&bed, kind, vnet_hdr_len);
}

static void expect_took(unsigned i, unsigned number, size_t hdr_len)
{
	assert_int_equal(wire.took[i].len, hdr_len + LEN);
	assert_memory_equal(wire.took[i].bytes + hdr_len, bytes[number], LEN);
	/* A link header tells it. */
	assert_int_equal(wire.took[i].protocol, 0);
}

static void frames_go_in_order(void **state)
{
	static const enum fdl_kind kinds[] = { FDL_KIND_TAP, FDL_KIND_PACKET,
					       FDL_KIND_DGRAM };
	const struct verdict *why;
	unsigned k, i, hdr_len;

	(void)state;
	for (k = 0; k < 6; k++) {
		hdr_len = k % 2 ? HDR : 0;
		set_up(kinds[k / 2], hdr_len, (struct fdl_options){ 0 });
		assert_int_equal(tx_put(&bed.tx, all, FRAMES, &why), FRAMES);
		assert_null(why);
		assert_int_equal(wire.n, FRAMES);
		for (i = 0; i < FRAMES; i++)
			expect_took(i, i, hdr_len);
		assert_int_equal(bed_count(&bed, TX_PACKETS), FRAMES);
		assert_int_equal(bed_count(&bed, TX_BYTES), FRAMES * LEN);
		bed_close(&bed);
	}
}

/* Where no link header tells it: of the packet behind the virtio-net header, in
 * one piece or more, alone or with others, in one system call or one each. */
static void each_packet_tells_its_protocol(void **state)
{
	struct iovec pieces[FRAMES][2];
	const struct verdict *why;
	unsigned i, k, n;

	(void)state;
	for (k = 0; k < 6; k++) {
		set_up(FDL_KIND_PACKET, k % 2 ? HDR : 0,
		       (struct fdl_options){ 0 });
		bed.shared.opts.flags = 0;
		bed.io.to[0].sll_protocol = htons(0x0800);
		bed.io.to[1].sll_protocol = htons(0x86dd);
		bed.io.to[0].sll_family = bed.io.to[1].sll_family = AF_PACKET;
		if (k >= 4)
			bed.io.max_pieces = 1;
		for (i = 0; i < FRAMES; i++) {
			bytes[i][0] = i % 3 ? 0x60 : 0x45;
			pieces[i][0] = (struct iovec){ bytes[i], 0 };
			pieces[i][1] = piece[i];
			frame[i].iov = pieces[i];
			frame[i].cnt = 2;
		}
		n = k / 2 == 1 ? 1 : FRAMES;
		assert_int_equal(tx_put(&bed.tx, all, (int)n, &why), n);
		assert_int_equal(wire.n, n);
		for (i = 0; i < n; i++)
			assert_int_equal(wire.took[i].protocol,
					 i % 3 ? 0x86dd : 0x0800);
		bed_close(&bed);
	}
}

static int refuse_third(const uint8_t *f, size_t len)
{
	(void)len;
	return f[0] == 3 ? EMSGSIZE : 0;
}

static void a_frame_that_cannot_go_costs_itself(void **state)
{
	const struct verdict *why;

	(void)state;
	set_up(FDL_KIND_PACKET, 0, (struct fdl_options){ 0 });
	wire.refuses = refuse_third;
	assert_int_equal(tx_put(&bed.tx, all, FRAMES, &why), FRAMES);
	assert_null(why);
	assert_int_equal(wire.n, FRAMES - 1);
	expect_took(2, 2, 0);
	expect_took(3, 4, 0);
	assert_int_equal(bed_count(&bed, TX_DROP_TOO_LONG), 1);
	assert_int_equal(bed.tx.refused, -EMSGSIZE);
	bed_close(&bed);
}

static void a_full_wire_stops_all(void **state)
{
	const struct verdict *why;

	(void)state;
	set_up(FDL_KIND_PACKET, 0, (struct fdl_options){ 0 });
	wire.slots = 4;
	assert_int_equal(tx_put(&bed.tx, all, FRAMES, &why), 4);
	assert_int_equal(why->action, LATER);
	wire.slots = 0;
	assert_int_equal(
		tx_put(&bed.tx, (struct frames){ .f = frame + 4 }, 6, &why), 6);
	assert_null(why);
	expect_took(9, 9, 0);
	bed_close(&bed);
}

static void a_policy_waits_and_then_drops(void **state)
{
	const struct verdict *why;

	(void)state;
	set_up(FDL_KIND_PACKET, 0, (struct fdl_options){ .tx_wait_ms = 500 });
	wire.slots = 4;
	assert_int_equal(tx_put_all(&bed.tx, all, FRAMES, &why), FRAMES);
	assert_null(why);
	assert_true(wire.now_ms >= 500);
	assert_int_equal(wire.n, 4);
	assert_int_equal(bed_count(&bed, TX_DROP_NO_ROOM), 6);
	bed_close(&bed);
}

static struct frame super_frame(unsigned segments, uint8_t *buf,
				struct iovec *iov, struct fdl_offload *off)
{
	struct shape s = segment;

	s.payload = segments * segment.payload;
	*iov = (struct iovec){ buf, build(buf, &s) };
	*off = shape_offload(&s, segment.payload);
	return (struct frame){ .iov = iov, .cnt = 1, .weight = 1, .off = off };
}

static void a_super_packet_is_cut_where_the_wire_takes_none(void **state)
{
	static uint8_t buf[16000];
	const struct verdict *why;
	struct fdl_offload off;
	struct iovec iov;
	struct frame f = super_frame(8, buf, &iov, &off);
	struct shape s = segment;
	unsigned i;

	(void)state;
	s.partial = false;
	set_up(FDL_KIND_DGRAM, 0, (struct fdl_options){ 0 });
	wire.slots = 3;
	assert_int_equal(tx_put(&bed.tx, (struct frames){ .f = &f }, 1, &why),
			 1);
	assert_int_equal(why->action, LATER);
	/* It is kept, and goes before what comes after. */
	memset(buf, 0xee, sizeof(buf));
	wire.slots = 0;
	assert_int_equal(tx_put(&bed.tx, all, 1, &why), 1);
	assert_null(why);
	assert_int_equal(wire.n, 9);
	for (i = 0; i < 8; i++) {
		assert_int_equal(wire.took[i].len, 54 + segment.payload);
		assert_true(checksums_right(wire.took[i].bytes,
					    wire.took[i].len, &s));
		assert_int_equal(get32(wire.took[i].bytes + 38),
				 i * segment.payload);
	}
	expect_took(8, 0, 0);
	assert_int_equal(bed_count(&bed, TX_SEGMENTS), 8);
	assert_int_equal(bed_count(&bed, TX_GSO_CUT), 1);
	assert_int_equal(bed_count(&bed, TX_PACKETS), 9);
	bed_close(&bed);
}

static void a_super_packet_goes_whole_where_it_is_taken(void **state)
{
	static uint8_t buf[16000];
	const struct verdict *why;
	struct fdl_offload off, said = { 0 };
	struct iovec iov;
	struct frame f = super_frame(8, buf, &iov, &off);

	(void)state;
	set_up(FDL_KIND_PACKET, HDR, (struct fdl_options){ 0 });
	assert_int_equal(tx_put(&bed.tx, (struct frames){ .f = &f }, 1, &why),
			 1);
	assert_int_equal(wire.n, 1);
	assert_int_equal(wire.took[0].len, HDR + iov.iov_len);
	assert_memory_equal(wire.took[0].bytes + HDR, buf, iov.iov_len);
	assert_int_equal(fdl_vnet_hdr_decode(wire.took[0].bytes, HDR,
					     FDL_ORDER_NATIVE, &said),
			 0);
	assert_true(same_offload(&said, &off));
	assert_int_equal(bed_count(&bed, TX_GSO), 1);
	bed_close(&bed);
}

static unsigned done;

static void count_done(void *arg)
{
	assert_ptr_equal(arg, &done);
	done++;
}

static void what_is_put_off_is_merged_and_told(void **state)
{
	static uint8_t buf[FRAMES][1100];
	const struct fdl_options opts = { .flags = FDL_COALESCE };
	struct fdl_offload off = shape_offload(&segment, 0);
	struct shape s = segment;
	struct iovec iov;
	struct frame f;
	unsigned i;

	(void)state;
	set_up(FDL_KIND_PACKET, HDR, opts);
	done = 0;
	for (i = 0; i < FRAMES; i++, s.seq += s.payload) {
		iov = (struct iovec){ buf[i], build(buf[i], &s) };
		f = (struct frame){
			.iov = &iov, .cnt = 1, .weight = 1, .off = &off
		};
		assert_int_equal(
			defer_frame(&bed.tx, &f, true, count_done, &done),
			DEFER_TAKEN);
	}
	assert_int_equal(wire.n, 0);
	assert_int_equal(defer_flush(&bed.tx), 0);
	assert_int_equal(wire.n, 1);
	assert_int_equal(wire.took[0].len, HDR + 54 + FRAMES * s.payload);
	assert_int_equal(done, FRAMES);
	assert_int_equal(bed_count(&bed, TX_PACKETS), FRAMES);
	assert_int_equal(bed_count(&bed, TX_COALESCED), FRAMES);
	bed_close(&bed);
}

static size_t longest;

static int longer_than_the_link(const uint8_t *f, size_t len)
{
	struct fdl_offload off = { 0 };

	assert_int_equal(fdl_vnet_hdr_decode(f, HDR, FDL_ORDER_NATIVE, &off),
			 0);
	return !off.gso && len - HDR > longest ? EMSGSIZE : 0;
}

/* As the kernel does with a super-packet, whose segments its device loses. */
static struct frame coalesced_frame(struct shape *s, uint8_t *buf,
				    struct iovec *iov, struct fdl_offload *off)
{
	*iov = (struct iovec){ buf, build(buf, s) };
	*off = shape_offload(s, 0);
	s->seq += s->payload;
	return (struct frame){ .iov = iov, .cnt = 1, .weight = 1, .off = off };
}

/* Its link header is longer than that of the one before it. */
static void a_tag_is_not_part_of_the_mtu(void **state)
{
	static uint8_t buf[2000];
	const struct fdl_options opts = { .flags = FDL_COALESCE, .mtu = 1000 };
	struct shape s = segment, tagged = segment;
	struct fdl_offload off;
	struct iovec iov;
	struct frame f;
	unsigned i;

	(void)state;
	set_up(FDL_KIND_PACKET, HDR, opts);
	s.payload = tagged.payload = 960;
	tagged.link_len = 18;
	tagged.flow = 1;
	for (i = 0; i < 8; i++) {
		f = coalesced_frame(i % 4 < 2 ? &s : &tagged, buf, &iov, &off);
		assert_int_equal(defer_frame(&bed.tx, &f, false, NULL, NULL),
				 DEFER_TAKEN);
	}
	defer_flush(&bed.tx);
	assert_int_equal(wire.n, 2);
	assert_int_equal(wire.took[0].len, HDR + 54 + 4 * 960);
	assert_int_equal(wire.took[1].len, HDR + 58 + 4 * 960);
	bed_close(&bed);
}

static void what_is_longer_than_the_mtu_is_not_merged(void **state)
{
	static uint8_t buf[2000];
	const struct fdl_options opts = { .flags = FDL_COALESCE, .mtu = 1000 };
	const struct verdict *why;
	struct shape s = segment;
	struct fdl_offload off;
	struct iovec iov;
	struct frame f;
	unsigned i;

	(void)state;
	set_up(FDL_KIND_PACKET, HDR, opts);
	longest = 1000 + 14;
	wire.refuses = longer_than_the_link;
	for (i = 0; i < 12; i++) {
		s.payload = i % 6 < 2 ? 960 : 961;
		f = coalesced_frame(&s, buf, &iov, &off);
		if (defer_frame(&bed.tx, &f, false, NULL, NULL) == DEFER_TAKEN)
			continue;
		assert_int_equal(s.payload, 961);
		tx_put_all(&bed.tx, (struct frames){ .f = &f }, 1, &why);
	}
	defer_flush(&bed.tx);
	assert_int_equal(bed_count(&bed, TX_PACKETS), 4);
	assert_int_equal(bed_count(&bed, TX_GSO), 2);
	assert_int_equal(bed_count(&bed, TX_DROP_TOO_LONG), 8);
	bed_close(&bed);
}

static void expect_stream(const uint8_t *want, size_t len)
{
	size_t at = 0;
	unsigned i;

	for (i = 0; i < wire.n; i++) {
		assert_true(at + wire.took[i].len <= len);
		assert_memory_equal(want + at, wire.took[i].bytes,
				    wire.took[i].len);
		at += wire.took[i].len;
	}
	assert_int_equal(at, len);
}

/* Wherever it stops, what is left of a frame goes before the next one, though
 * its bytes are the caller's again. */
static void a_stream_may_take_a_part(void **state)
{
	const struct verdict *why;
	uint8_t want[FRAMES * LEN];
	size_t room;
	int k, gone;

	(void)state;
	for (room = 1; room < FRAMES * LEN; room += 7) {
		set_up(FDL_KIND_SEQPACKET, 0, (struct fdl_options){ 0 });
		memcpy(want, bytes, sizeof(want));
		wire.stream = true;
		for (k = 0; k < FRAMES; k += gone) {
			wire.bytes = room;
			gone = tx_put_keeping(&bed.tx,
					      (struct frames){ .f = frame + k },
					      FRAMES - k, &why);
			memset(bytes[k], 0xee, (size_t)gone * LEN);
			assert_true(!why || why->action == LATER);
		}
		while (tx_has_rest(&bed.tx)) {
			wire.bytes = room;
			tx_put_keeping(&bed.tx, (struct frames){ .f = frame },
				       0, &why);
		}
		expect_stream(want, sizeof(want));
		assert_int_equal(bed_count(&bed, TX_PACKETS), FRAMES);
		assert_int_equal(bed_count(&bed, TX_BYTES), FRAMES * LEN);
		bed_close(&bed);
	}
}

/* Who drops for lack of room drops no part. */
static void a_part_is_not_dropped(void **state)
{
	const struct verdict *why;

	(void)state;
	set_up(FDL_KIND_SEQPACKET, 0, (struct fdl_options){ .tx_wait_ms = 20 });
	wire.stream = true;
	wire.bytes = LEN + 30;
	assert_int_equal(tx_put_all(&bed.tx, all, FRAMES, &why), FRAMES);
	assert_int_equal(bed_count(&bed, TX_PACKETS), 2);
	assert_int_equal(bed_count(&bed, TX_DROP_NO_ROOM), FRAMES - 2);
	wire.bytes = 1000;
	assert_int_equal(tx_put(&bed.tx, all, 1, &why), 1);
	assert_int_equal(wire.took[2].len, LEN - 30);
	assert_memory_equal(wire.took[2].bytes, bytes[1] + 30, LEN - 30);
	expect_took(3, 0, 0);
	bed_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_go_in_order),
		cmocka_unit_test(each_packet_tells_its_protocol),
		cmocka_unit_test(a_frame_that_cannot_go_costs_itself),
		cmocka_unit_test(a_full_wire_stops_all),
		cmocka_unit_test(a_policy_waits_and_then_drops),
		cmocka_unit_test(
			a_super_packet_is_cut_where_the_wire_takes_none),
		cmocka_unit_test(a_super_packet_goes_whole_where_it_is_taken),
		cmocka_unit_test(what_is_put_off_is_merged_and_told),
		cmocka_unit_test(what_is_longer_than_the_mtu_is_not_merged),
		cmocka_unit_test(a_tag_is_not_part_of_the_mtu),
		cmocka_unit_test(a_stream_may_take_a_part),
		cmocka_unit_test(a_part_is_not_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
