/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for a flush, alone or in company. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <fdlink/attach.h>

#include "netns.h"
#include "work_bed.h"

static void count_done(void *arg)
{
	++*(unsigned *)arg;
}

/* The segments of a super-packet, written one by one. */
static void put_off(struct bed *f, bool ref, unsigned *done)
{
	static uint8_t frame[MAX], bytes[SEGMENTS][MSS + 100];
	const struct shape s = bed_tcp4(BIG);
	struct fdl_offload off = shape_offload(&s, MSS);
	size_t len = build(frame, &s);
	struct fdl_segmenter cut;
	struct iovec iov, two[2];
	int i, n;

	bed_start_cut(&cut, &iov, frame, len, &off);
	for (i = 0; i < SEGMENTS; i++) {
		n = fdl_segment_next(&cut, bytes[i], sizeof(bytes[i]), NULL);
		assert_in_range(n, 1, sizeof(bytes[i]));
		two[0] = (struct iovec){ bytes[i], 300 };
		two[1] = (struct iovec){ bytes[i] + 300, (size_t)n - 300 };
		if (ref)
			assert_int_equal(fdl_write_ref(f->q, two, 2, NULL,
						       count_done, done),
					 0);
		else
			assert_int_equal(fdl_write(f->q, two, 2, NULL), 0);
		memset(two, 0, sizeof(two));
	}
}

static void segments_become_a_super_packet(void **state)
{
	static uint8_t want[MAX], got[MAX];
	const struct shape s = bed_tcp4(BIG);
	struct fdl_offload super = shape_offload(&s, MSS);
	const size_t len = build(want, &s);
	unsigned done = 0, round;
	struct fdl_stats st;
	struct bed f;

	(void)state;
	bed_make(&f, FDL_VNET_HDR | FDL_COALESCE);
	for (round = 0; round < 2; round++) {
		put_off(&f, round, &done);
		assert_int_equal(bed_collect(f.peer, got), -1);
		assert_int_equal(done, 0);
		assert_int_equal(fdl_flush(f.q), 0);
		assert_int_equal(bed_collect(f.peer, got),
				 len + FDL_VNET_HDR_LEN);
		bed_expect_header(got, &super);
		assert_memory_equal(got + FDL_VNET_HDR_LEN, want, len);
		assert_int_equal(bed_collect(f.peer, got), -1);
	}
	assert_int_equal(done, SEGMENTS);
	fdl_get_stats(f.ep, &st, sizeof(st));
	assert_int_equal(st.tx_packets, 2 * SEGMENTS);
	assert_int_equal(st.tx_coalesced, 2 * SEGMENTS);
	assert_int_equal(st.tx_gso, 2);
	/* What is put off goes before what is sent, and when all is freed. */
	put_off(&f, true, &done);
	assert_int_equal(fdl_send(f.q, NULL, 0), 0);
	assert_int_equal(bed_collect(f.peer, got), len + FDL_VNET_HDR_LEN);
	put_off(&f, true, &done);
	fdl_endpoint_free(f.ep);
	f.ep = NULL;
	assert_int_equal(done, 3 * SEGMENTS);
	assert_int_equal(bed_collect(f.peer, got), len + FDL_VNET_HDR_LEN);
	bed_discard(&f);
}

/* Whatever else sends on the queue goes behind what was put off. */
static void nothing_overtakes_what_was_put_off(void **state)
{
	static const uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static uint8_t got[MAX];
	const struct shape s = bed_tcp4(BIG);
	struct fdl_packet *pkt;
	unsigned done = 0;
	struct bed f;

	(void)state;
	bed_make(&f, FDL_COALESCE | FDL_VNET_HDR);
	put_off(&f, false, &done);
	assert_int_equal(fdl_inject_outbound(f.ep, frame, sizeof(frame)), 0);
	assert_true(bed_collect(f.peer, got) > (ssize_t)s.payload);
	assert_int_equal(bed_collect(f.peer, got),
			 sizeof(frame) + FDL_VNET_HDR_LEN);
	put_off(&f, false, &done);
	assert_int_equal(fdl_alloc(f.q, &pkt, 1), 1);
	memcpy(pkt->data, frame, sizeof(frame));
	pkt->len = sizeof(frame);
	assert_int_equal(fdl_write_packets(f.ep, &pkt, 1), 1);
	assert_true(bed_collect(f.peer, got) > (ssize_t)s.payload);
	assert_int_equal(bed_collect(f.peer, got),
			 sizeof(frame) + FDL_VNET_HDR_LEN);
	bed_discard(&f);
}

static void without_a_header_they_go_together(void **state)
{
	static uint8_t frame[MAX];
	const struct shape s = bed_tcp4(BIG);
	struct fdl_offload off = shape_offload(&s, MSS);
	const size_t len = build(frame, &s);
	struct fdl_segmenter cut;
	unsigned done = 0;
	struct bed f;
	struct iovec iov;

	(void)state;
	bed_make(&f, FDL_COALESCE);
	put_off(&f, true, &done);
	assert_int_equal(fdl_flush(f.q), 0);
	assert_int_equal(done, SEGMENTS);
	bed_start_cut(&cut, &iov, frame, len, &off);
	assert_int_equal(bed_expect_segments(&f, &cut), SEGMENTS);
	bed_discard(&f);
}

static void more_than_fits_goes_by_itself(void **state)
{
	struct bed f;
	uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };
	struct iovec iov = { frame, sizeof(frame) };
	const int size = 1 << 20;
	uint8_t *got = malloc(MAX);
	unsigned done = 0, i;

	(void)state;
	bed_make(&f, FDL_COALESCE);
	if (setsockopt(f.fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size))) {
		print_message("lacks: SO_SNDBUFFORCE: %s\n", strerror(errno));
		bed_discard(&f);
		free(got);
		skip();
	}
	for (i = 0; i < 300; i++) {
		frame[20] = (uint8_t)i;
		if (i % 2)
			assert_int_equal(fdl_write(f.q, &iov, 1, NULL), 0);
		else
			assert_int_equal(fdl_write_ref(f.q, &iov, 1, NULL,
						       count_done, &done),
					 0);
	}
	assert_int_equal(done, 128);
	assert_int_equal(fdl_flush(f.q), 0);
	assert_int_equal(done, 150);
	/* Those put off by reference share one buffer, which has changed. */
	for (i = 0; bed_collect(f.peer, got) > 0; i++)
		if (i % 2)
			assert_int_equal(got[20], (uint8_t)i);
	assert_int_equal(i, 300);
	free(got);
	bed_discard(&f);
}

/* In one call, with FDL_COALESCE and without. */
static void many_frames_go_in_order(void **state)
{
	static const uint32_t flags[] = { 0, FDL_COALESCE };
	static uint8_t bytes[300][60], got[MAX];
	const int size = 1 << 20;
	struct iovec iov[300];
	unsigned i, k;
	struct bed f;

	(void)state;
	for (i = 0; i < 300; i++) {
		memcpy(bytes[i], "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5", 14);
		memcpy(bytes[i] + 14, &i, sizeof(i));
		iov[i] = (struct iovec){ bytes[i], sizeof(bytes[i]) };
	}
	for (k = 0; k < 2; k++) {
		bed_make(&f, flags[k]);
		if (setsockopt(f.fd, SOL_SOCKET, SO_SNDBUFFORCE, &size,
			       sizeof(size))) {
			bed_discard(&f);
			skip();
		}
		assert_int_equal(fdl_write_frames(f.q, iov, 300), 300);
		for (i = 0; i < 300; i++) {
			assert_int_equal(bed_collect(f.peer, got), 60);
			assert_memory_equal(got, bytes[i], 60);
		}
		assert_int_equal(bed_collect(f.peer, got), -1);
		bed_discard(&f);
	}
}

/* The peer reads nothing: what fits goes, and the rest is counted. */
static void frames_without_room_are_counted(void **state)
{
	static const uint32_t flags[] = { 0, FDL_COALESCE };
	static uint8_t bytes[1500], got[MAX];
	static struct iovec iov[1000];
	struct fdl_stats st;
	struct bed f;
	unsigned i, k;
	int went, more;

	(void)state;
	for (i = 0; i < 1000; i++)
		iov[i] = (struct iovec){ bytes, sizeof(bytes) };
	memset(bytes, 2, sizeof(bytes));
	for (k = 0; k < 2; k++) {
		bed_make(&f, flags[k]);
		went = fdl_write_frames(f.q, iov, 1000);
		assert_in_range(went, 1, 999);
		assert_int_equal(fdl_write_frames(f.q, iov, 10), -EAGAIN);
		fdl_get_stats(f.ep, &st, sizeof(st));
		assert_int_equal(st.tx_packets, went);
		assert_int_equal(st.tx_drop_no_room, 1010 - went);
		for (more = 0; bed_collect(f.peer, got) > 0; more++)
			;
		assert_int_equal(more, went);
		bed_discard(&f);
	}
}

/* Of segments in one call a super-packet. */
static void frames_of_one_flow_are_merged(void **state)
{
	static uint8_t frame[MAX], got[MAX], bytes[SEGMENTS][MSS + 100];
	const struct shape s = bed_tcp4(BIG);
	struct fdl_offload off = shape_offload(&s, MSS);
	const size_t len = build(frame, &s);
	struct iovec iov[SEGMENTS], whole;
	struct fdl_segmenter cut;
	struct bed f;
	int i, n;

	(void)state;
	bed_make(&f, FDL_VNET_HDR | FDL_COALESCE);
	bed_start_cut(&cut, &whole, frame, len, &off);
	for (i = 0; i < SEGMENTS; i++) {
		n = fdl_segment_next(&cut, bytes[i], sizeof(bytes[i]), NULL);
		assert_in_range(n, 1, sizeof(bytes[i]));
		iov[i] = (struct iovec){ bytes[i], (size_t)n };
	}
	assert_int_equal(fdl_write_frames(f.q, iov, SEGMENTS), SEGMENTS);
	assert_int_equal(bed_collect(f.peer, got), len + FDL_VNET_HDR_LEN);
	build(frame, &s);
	assert_memory_equal(got + FDL_VNET_HDR_LEN, frame, len);
	bed_discard(&f);
}

/* Partial or whole, with a header for that or without, by reference or not. */
static void expect_alone(bool partial, uint32_t flags, bool ref)
{
	static uint8_t frame[MAX], want[MAX], got[MAX];
	struct shape s = bed_tcp4(700);
	struct fdl_offload off = { 0 };
	const size_t room = flags ? FDL_VNET_HDR_LEN : 0;
	struct iovec two[2];
	unsigned done = 0;
	struct bed f;
	size_t len;

	s.partial = partial;
	if (partial)
		off = shape_offload(&s, 0);
	bed_make(&f, FDL_COALESCE | flags);
	len = build(frame, &s);
	two[0] = (struct iovec){ frame, 25 };
	two[1] = (struct iovec){ frame + 25, len - 25 };
	if (ref)
		assert_int_equal(
			fdl_write_ref(f.q, two, 2, &off, count_done, &done), 0);
	else
		assert_int_equal(fdl_write(f.q, two, 2, &off), 0);
	assert_int_equal(bed_collect(f.peer, got), -1);
	assert_int_equal(done, 0);
	assert_int_equal(fdl_flush(f.q), 0);
	assert_int_equal(done, ref);
	s.partial = partial && flags;
	build(want, &s);
	if (!s.partial)
		no_zero(want, &s);
	assert_int_equal(bed_collect(f.peer, got), len + room);
	assert_memory_equal(got + room, want, len);
	if (flags)
		bed_expect_header(got, &off);
	assert_int_equal(fdl_flush(f.q), 0);
	assert_int_equal(bed_collect(f.peer, got), -1);
	assert_int_equal(done, ref);
	bed_discard(&f);
}

static void one_alone_goes_as_it_is(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 8; i++)
		expect_alone(i & 1, i & 2 ? FDL_VNET_HDR : 0, i & 4);
}

/* What contradicts itself is refused at once, first or not, and stands between
 * no others. */
static void the_others_go_together(void **state)
{
	static uint8_t frame[MAX], bytes[2][MSS + 100], got[MAX];
	const struct shape s = bed_tcp4(BIG);
	struct fdl_offload off = shape_offload(&s, MSS), bad = off;
	const size_t len = build(frame, &s);
	struct fdl_segmenter cut;
	struct iovec iov;
	struct fdl_stats st;
	struct bed f;
	int i, n;

	(void)state;
	bed_make(&f, FDL_VNET_HDR | FDL_COALESCE);
	bad.gso = FDL_GSO_NONE;
	bad.csum_start = 0xffff;
	bed_start_cut(&cut, &iov, frame, len, &off);
	for (i = 0; i < 2; i++) {
		iov = (struct iovec){ frame, len };
		assert_int_equal(fdl_write(f.q, &iov, 1, &bad), -EINVAL);
		n = fdl_segment_next(&cut, bytes[i], sizeof(bytes[i]), NULL);
		iov = (struct iovec){ bytes[i], (size_t)n };
		assert_int_equal(fdl_write(f.q, &iov, 1, NULL), 0);
		iov = (struct iovec){ frame, len };
	}
	assert_int_equal(fdl_write(f.q, &iov, 1, &bad), -EINVAL);
	assert_int_equal(fdl_flush(f.q), 0);
	assert_int_equal(bed_collect(f.peer, got),
			 FDL_VNET_HDR_LEN + shape_hdr_len(&s) + 2 * MSS);
	assert_int_equal(bed_collect(f.peer, got), -1);
	fdl_get_stats(f.ep, &st, sizeof(st));
	assert_int_equal(st.tx_drop_offload, 3);
	assert_int_equal(st.tx_coalesced, 2);
	bed_discard(&f);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_alone_goes_as_it_is),
		cmocka_unit_test(the_others_go_together),
		cmocka_unit_test(segments_become_a_super_packet),
		cmocka_unit_test(nothing_overtakes_what_was_put_off),
		cmocka_unit_test(without_a_header_they_go_together),
		cmocka_unit_test(more_than_fits_goes_by_itself),
		cmocka_unit_test(many_frames_go_in_order),
		cmocka_unit_test(frames_without_room_are_counted),
		cmocka_unit_test(frames_of_one_flow_are_merged),
	};

	(void)argc;
	netns_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
