/* SPDX-License-Identifier: Apache-2.0 */
/* Frames from the caller's memory, and links that have no room. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <fdlink/offload.h>

#include "contract.h"

enum { FORWARDED = 5, FRAMES = 8, MANY = 2000 };

/* One frame in the given number of pieces, empty ones between them. */
static int write_pieces(struct link *l, size_t len, int cnt, unsigned seq)
{
	struct iovec *iov = calloc((size_t)cnt, sizeof(*iov));
	uint8_t frame[FRAME_MAX];
	size_t at = 0;
	int i, err;

	assert_non_null(iov);
	frame_make(l, true, frame, len, seq);
	for (i = 0; i < cnt; i++) {
		size_t part = (len - at) / (size_t)(cnt - i);

		if (i % 3 == 1)
			part = 0;
		if (i == cnt - 1)
			part = len - at;
		iov[i] = (struct iovec){ part ? frame + at : NULL, part };
		at += part;
	}
	err = fdl_write(l->q, iov, cnt, NULL);
	l->tx_offered++;
	free(iov);
	return err;
}

static void a_write_joins_the_pieces(struct link *l)
{
	static const int counts[] = { 1, 2, 3, 7, 64, 1023, 1024, 1025, 3000 };
	unsigned i;

	for (i = 0; i < COUNT_OF(counts); i++) {
		assert_int_equal(write_pieces(l, 1400, counts[i], i), 0);
		link_expect(l, 1400, i);
	}
	assert_int_equal(fdl_flush(l->q), 0);
}

static void frames_go_in_order_and_an_empty_one_is_counted(struct link *l)
{
	static uint8_t bytes[FRAMES][200];
	struct iovec iov[FRAMES];
	struct fdl_stats st;
	unsigned i;

	for (i = 0; i < FRAMES; i++) {
		frame_make(l, true, bytes[i], sizeof(bytes[i]), i);
		iov[i] = (struct iovec){ bytes[i], sizeof(bytes[i]) };
	}
	iov[FRAMES / 2].iov_len = 0;
	assert_int_equal(fdl_write_frames(l->q, iov, FRAMES), FRAMES - 1);
	for (i = 0; i < FRAMES; i++)
		if (i != FRAMES / 2)
			link_expect(l, sizeof(bytes[i]), i);
	assert_int_equal(fdl_write_frames(l->q, iov, 0), 0);
	assert_int_equal(fdl_write_frames(l->q, iov, -1), -EINVAL);
	assert_int_equal(fdl_write_frames(l->q, &iov[FRAMES / 2], 1), -EINVAL);
	fdl_get_stats(l->ep, &st, sizeof(st));
	assert_int_equal(st.tx_drop_empty, 2);
	l->tx_offered += FRAMES + 1;
}

/* With a header before it: of its own, or before a copy. */
static void a_write_changes_no_byte_of_the_caller(struct link *l)
{
	static const size_t lens[] = { 60, 2048, 2049, 5000 };
	static const uint8_t none[FDL_VNET_HDR_LEN];
	uint8_t bytes[5064], was[5064], got[6000];
	unsigned i;

	l->uncounted = true;
	for (i = 0; i < COUNT_OF(lens); i++) {
		const struct iovec iov = { bytes + 32, lens[i] };

		memset(bytes, 0x11, sizeof(bytes));
		frame_make(l, true, bytes + 32, lens[i], i);
		memcpy(was, bytes, sizeof(bytes));
		assert_int_equal(fdl_write(l->q, &iov, 1, NULL), 0);
		assert_memory_equal(bytes, was, sizeof(bytes));
		assert_int_equal(link_collect(l, got, sizeof(got), WAIT_MS),
				 FDL_VNET_HDR_LEN + lens[i]);
		assert_memory_equal(got, none, FDL_VNET_HDR_LEN);
		assert_memory_equal(got + FDL_VNET_HDR_LEN, bytes + 32,
				    lens[i]);
	}
}

static void count_done(void *arg)
{
	++*(unsigned *)arg;
}

static void done_is_called_once_if_it_went(struct link *l)
{
	uint8_t frame[200];
	struct iovec iov[2] = { { frame, 50 }, { frame + 50, 150 } };
	unsigned done = 0;

	frame_make(l, true, frame, sizeof(frame), 5);
	assert_int_equal(fdl_write_ref(l->q, iov, 2, NULL, count_done, &done),
			 0);
	assert_int_equal(fdl_flush(l->q), 0);
	assert_int_equal(done, 1);
	link_expect(l, 200, 5);
	assert_int_equal(fdl_write_ref(l->q, iov, 2, NULL, NULL, NULL), 0);
	fdl_flush(l->q);
	link_expect(l, 200, 5);
	assert_int_equal(fdl_write_ref(l->q, iov, 0, NULL, count_done, &done),
			 -EINVAL);
	fdl_flush(l->q);
	assert_int_equal(done, 1);
	l->tx_offered += 3;
}

/* Returns how many went; those behind are given back. */
static unsigned fill_up(struct link *l)
{
	struct fdl_packet *v[4];
	unsigned seq = 0;
	int k;

	for (;;) {
		for (k = 0; k < 4; k++)
			v[k] = frame_packet(l, 1000, seq + (unsigned)k);
		k = fdl_send(l->q, v, 4);
		assert_in_range(k, 0, 4);
		seq += (unsigned)k;
		assert_true(seq < MANY);
		if (k < 4)
			break;
	}
	fdl_release(v + k, 4 - k);
	l->tx_offered += seq;
	return seq;
}

static void no_room_gives_a_short_count(struct link *l)
{
	const unsigned went = fill_up(l);
	struct fdl_packet *v[2];
	struct fdl_stats st;
	unsigned seq;

	v[0] = frame_packet(l, 1000, went);
	v[1] = frame_packet(l, 1000, went + 1);
	assert_int_equal(fdl_send(l->q, v, 2), 0);
	assert_int_equal(fdl_want_write(l->q, true), 0);
	assert_int_equal(fdl_queue_poll(l->q, QUIET_MS), 0);
	assert_false(fd_readable(fdl_fd(l->ep), 0));
	for (seq = 0; seq < went; seq++)
		link_expect(l, 1000, seq);
	assert_int_equal(fdl_queue_poll(l->q, WAIT_MS), FDL_WRITABLE);
	expect_sent(l, v, 2);
	link_expect(l, 1000, went);
	link_expect(l, 1000, went + 1);
	assert_int_equal(fdl_want_write(l->q, false), 0);
	expect_quiet(l);
	link_stats(l, &st);
	assert_int_equal(st.tx_packets, went + 2);
	assert_int_equal(stats_tx_drops(&st), 0);
}

struct forward {
	struct fdl_queue *here, *there;
	struct iovec iov;
	int result;
};

/* Amid a flush of this queue. */
static void send_there(void *arg)
{
	struct forward *f = arg;
	struct fdl_packet *pkt;

	f->result = fdl_write(f->there, &f->iov, 1, NULL);
	if (!f->result)
		f->result = fdl_flush(f->there);
	if (fdl_alloc(f->here, &pkt, 1) == 1)
		fdl_release(&pkt, 1);
}

static void done_may_write_elsewhere(struct link *l)
{
	const struct fdl_options opts = { .flags = FDL_COALESCE };
	uint8_t frame[FORWARDED][100];
	struct forward f[FORWARDED];
	struct link other;
	unsigned i;

	assert_int_equal(link_make(&other, l->kind, 1), 0);
	assert_int_equal(link_endpoint(&other, fdl_get_mode(l->ep), &opts), 0);
	for (i = 0; i < FORWARDED; i++) {
		frame_make(l, true, frame[i], sizeof(frame[i]), i);
		f[i] = (struct forward){
			.here = l->q,
			.there = other.q,
			.iov = { frame[i], sizeof(frame[i]) },
			.result = -1,
		};
		assert_int_equal(fdl_write_ref(l->q, &f[i].iov, 1, NULL,
					       send_there, &f[i]),
				 0);
	}
	assert_int_equal(fdl_flush(l->q), 0);
	for (i = 0; i < FORWARDED; i++) {
		assert_int_equal(f[i].result, 0);
		link_expect(l, sizeof(frame[i]), i);
		link_expect(&other, sizeof(frame[i]), i);
	}
	l->tx_offered += FORWARDED;
	link_free(&other);
}

static void a_write_without_room_is_dropped_and_counted(struct link *l)
{
	uint8_t frame[1000];
	struct iovec iov = { frame, sizeof(frame) };
	struct fdl_stats st;
	unsigned done = 0;

	fill_up(l);
	frame_make(l, true, frame, sizeof(frame), 0);
	assert_int_equal(fdl_write(l->q, &iov, 1, NULL), -EAGAIN);
	assert_int_equal(fdl_write_ref(l->q, &iov, 1, NULL, count_done, &done),
			 -EAGAIN);
	assert_int_equal(done, 0);
	l->tx_offered += 2;
	link_stats(l, &st);
	assert_int_equal(st.tx_drop_no_room, 2);
}

static void receiving_goes_on_without_room_to_send(struct link *l)
{
	unsigned seq;

	fill_up(l);
	fdl_want_write(l->q, true);
	for (seq = 0; seq < 10; seq++) {
		link_feed(l, 100, seq);
		expect_received(l, 100, seq);
	}
	expect_quiet(l);
}

static const struct expectation table[] = {
	{ .name = "a write joins the pieces",
	  .test = a_write_joins_the_pieces },
	{ .name = "frames go in order and an empty one is counted",
	  .test = frames_go_in_order_and_an_empty_one_is_counted },
	{ .name = "frames go by a flush",
	  .opts.flags = FDL_COALESCE,
	  .test = frames_go_in_order_and_an_empty_one_is_counted },
	{ .name = "done is called once if it went",
	  .test = done_is_called_once_if_it_went },
	{ .name = "done may write elsewhere",
	  .opts.flags = FDL_COALESCE,
	  .test = done_may_write_elsewhere },
	/* A device drops what it has no room for: only a socket fills up. */
	{ .name = "no room gives a short count",
	  .test = no_room_gives_a_short_count,
	  .not_on = LINK_LOSSY | LINK_NAMED,
	  .needs = LINK_UNIX },
	{ .name = "a write without room is dropped and counted",
	  .test = a_write_without_room_is_dropped_and_counted,
	  .not_on = LINK_LOSSY | LINK_NAMED,
	  .needs = LINK_UNIX },
	{ .name = "receiving goes on without room to send",
	  .test = receiving_goes_on_without_room_to_send,
	  .not_on = LINK_LOSSY | LINK_NAMED,
	  .needs = LINK_UNIX },
	{ .name = "a write changes no byte of the caller",
	  .test = a_write_changes_no_byte_of_the_caller,
	  .needs = LINK_UNIX | LINK_ETHERNET,
	  .opts.flags = FDL_VNET_HDR },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("write", argv, table, COUNT_OF(table));
}
