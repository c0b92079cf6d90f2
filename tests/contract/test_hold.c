/* SPDX-License-Identifier: Apache-2.0 */
/* Packets in the caller's hands: order of release, exhaustion, lifetime. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "contract.h"

enum { POOL = 8 };

static void feed_many(struct link *l, unsigned from, unsigned n)
{
	unsigned seq;

	for (seq = from; seq < from + n; seq++)
		link_feed(l, 100, seq);
}

static void packets_come_back_in_any_order(struct link *l)
{
	static const int orders[][POOL] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7 },
		{ 7, 6, 5, 4, 3, 2, 1, 0 },
		{ 3, 0, 6, 1, 7, 5, 2, 4 },
		{ 4, 7, 0, 5, 2, 6, 1, 3 },
	};
	struct fdl_packet *v[POOL];
	unsigned seq = 0, i, j;

	for (i = 0; i < 3 * COUNT_OF(orders); i++) {
		feed_many(l, seq, POOL);
		expect_packets(l, v, POOL);
		for (j = 0; j < POOL; j++)
			expect_frame(l, v[j], 100, seq++);
		for (j = 0; j < POOL; j++)
			fdl_release(&v[orders[i % 4][j]], 1);
	}
	expect_quiet(l);
}

static void a_release_may_have_gaps(struct link *l)
{
	struct fdl_packet *v[POOL], *kept[2];

	feed_many(l, 0, POOL);
	expect_packets(l, v, POOL);
	fdl_release(&v[2], 1);
	kept[0] = v[5];
	kept[1] = v[6];
	v[2] = NULL;
	v[5] = NULL;
	v[6] = NULL;
	fdl_release(v, POOL);
	fdl_release(NULL, 0);
	feed_many(l, POOL, POOL - 2);
	expect_packets(l, v, POOL - 2);
	fdl_release(v, POOL - 2);
	expect_frame(l, kept[0], 100, 5);
	expect_frame(l, kept[1], 100, 6);
	fdl_release(kept, 2);
}

/* -ENOBUFS is told once; then silence, till a packet comes back. */
static void an_empty_pool_is_quiet_until_a_release(struct link *l)
{
	struct fdl_packet *v[POOL], *more;
	struct fdl_stats st;
	unsigned i;

	feed_many(l, 0, POOL + 4);
	expect_packets(l, v, POOL);
	assert_int_equal(fdl_recv(l->q, &more, 1), -ENOBUFS);
	assert_false(fd_readable(fdl_queue_fd(l->q), QUIET_MS));
	assert_false(fd_readable(fdl_fd(l->ep), 0));
	assert_int_equal(fdl_queue_poll(l->q, QUIET_MS), 0);
	for (i = 0; i < 4; i++) {
		fdl_release(&v[i], 1);
		assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
		assert_true(fd_readable(fdl_fd(l->ep), WAIT_MS));
		expect_packets(l, &v[i], 1);
		expect_frame(l, v[i], 100, POOL + i);
		assert_int_equal(fdl_recv(l->q, &more, 1), -ENOBUFS);
		assert_false(fd_readable(fdl_queue_fd(l->q), 0));
	}
	link_stats(l, &st);
	assert_true(st.rx_pool_empty >= 1);
	assert_int_equal(st.rx_packets, POOL + 4);
	fdl_release(v, POOL);
	fdl_queue_poll(l->q, WAIT_MS);
	expect_quiet(l);
}

/* The same when nothing waits: the fd may wake once, no more. */
static void a_release_with_nothing_waiting_is_no_lasting_noise(struct link *l)
{
	struct fdl_packet *v[POOL], *more;

	feed_many(l, 0, POOL);
	expect_packets(l, v, POOL);
	assert_int_equal(fdl_recv(l->q, &more, 1), -ENOBUFS);
	fdl_release(v, POOL);
	assert_int_equal(fdl_recv(l->q, &more, 1), 0);
	expect_quiet(l);
	feed_many(l, 1, 1);
	expect_received(l, 100, 1);
}

/* Packets to receive into are at hand, though the pool is empty. */
static void a_release_that_nothing_waits_for_does_not_wake(struct link *l)
{
	struct fdl_packet *v[3], *more[2];

	feed_many(l, 0, 3);
	expect_packets(l, v, 3);
	assert_int_equal(fdl_recv(l->q, more, 2), 0);
	fdl_release(v, 3);
	assert_false(fd_readable(fdl_queue_fd(l->q), 0));
	assert_false(fd_readable(fdl_fd(l->ep), 0));
}

/* Arrivals while the pool is empty do not wake either. */
static void arrivals_do_not_wake_an_empty_pool(struct link *l)
{
	struct fdl_packet *v[POOL], *more;

	feed_many(l, 0, POOL + 1);
	expect_packets(l, v, POOL);
	assert_int_equal(fdl_recv(l->q, &more, 1), -ENOBUFS);
	feed_many(l, POOL + 1, 3);
	assert_false(fd_readable(fdl_queue_fd(l->q), QUIET_MS));
	fdl_release(v, POOL);
	expect_packets(l, v, 4);
	expect_frame(l, v[0], 100, POOL);
	expect_frame(l, v[3], 100, POOL + 3);
	fdl_release(v, 4);
	expect_quiet(l);
}

static void *release_later(void *arg)
{
	struct fdl_packet **v = arg;

	fdl_release(v, POOL);
	return NULL;
}

static void a_release_elsewhere_wakes_a_poll(struct link *l)
{
	struct fdl_packet *v[POOL], *more;
	pthread_t thread;

	feed_many(l, 0, POOL + 1);
	expect_packets(l, v, POOL);
	assert_int_equal(fdl_recv(l->q, &more, 1), -ENOBUFS);
	assert_int_equal(pthread_create(&thread, NULL, release_later, v), 0);
	assert_int_equal(fdl_queue_poll(l->q, WAIT_MS), FDL_READABLE);
	expect_received(l, 100, POOL);
	pthread_join(thread, NULL);
}

/* Packets to send come from the same pool. */
static void an_alloc_may_take_the_whole_pool(struct link *l)
{
	struct fdl_packet *v[POOL + 1], *more;

	assert_int_equal(fdl_alloc(l->q, v, POOL + 1), POOL);
	assert_int_equal(fdl_alloc(l->q, &more, 1), -ENOBUFS);
	feed_many(l, 0, 1);
	fdl_queue_poll(l->q, WAIT_MS);
	assert_int_equal(fdl_recv(l->q, &more, 1), -ENOBUFS);
	fdl_release(v, POOL);
	expect_received(l, 100, 0);
	expect_quiet(l);
}

static void an_allocated_packet_is_empty(struct link *l)
{
	struct fdl_packet *v[POOL];
	int i;

	feed_many(l, 0, POOL);
	expect_packets(l, v, POOL);
	fdl_release(v, POOL);
	assert_int_equal(fdl_alloc(l->q, v, POOL), POOL);
	for (i = 0; i < POOL; i++) {
		assert_int_equal(v[i]->len, 0);
		assert_int_equal(v[i]->protocol, 0);
		assert_int_equal(v[i]->link_len, 0);
		assert_true(v[i]->room >= 38);
		assert_true(v[i]->tail >= 65535 + 14);
		assert_null(v[i]->user);
	}
	fdl_release(v, POOL);
}

static void packets_outlive_the_endpoint(struct link *l)
{
	struct fdl_packet *v[4];
	unsigned i;

	l->uncounted = true;
	feed_many(l, 0, 4);
	expect_packets(l, v, 4);
	fdl_endpoint_free(l->ep);
	l->ep = NULL;
	for (i = 0; i < 4; i++)
		expect_frame(l, v[i], 100, i);
	memset(v[0]->data, 1, v[0]->len + v[0]->tail);
	fdl_release(v, 2);
	expect_frame(l, v[2], 100, 2);
	fdl_release(v + 2, 2);
}

static void a_kept_packet_is_the_same(struct link *l)
{
	struct fdl_packet *v[4], *empty;
	unsigned i;

	feed_many(l, 0, 4);
	expect_packets(l, v, 4);
	assert_int_equal(fdl_keep(&v[1]), 0);
	expect_frame(l, v[1], 100, 1);
	/* It has a slot as others have. */
	assert_int_equal(fdl_alloc(l->q, &empty, 1), 1);
	assert_int_equal(v[1]->len + v[1]->tail, empty->tail);
	fdl_release(&empty, 1);
	for (i = 0; i < 4; i++)
		fdl_release(&v[i], 1);
}

static void headers_are_pulled_and_pushed(struct link *l)
{
	const uint8_t link_len = l->kind->traits & LINK_ETHERNET ? 14 : 0;
	struct fdl_packet *pkt;
	uint8_t *data;
	uint32_t room;

	feed_many(l, 0, 1);
	expect_packets(l, &pkt, 1);
	room = pkt->room;
	data = pkt->data;
	assert_ptr_equal(fdl_packet_pull(pkt, link_len), data + link_len);
	assert_ptr_equal(pkt->data, data + link_len);
	assert_int_equal(pkt->link_len, 0);
	assert_int_equal(pkt->len, 100 - link_len);
	assert_int_equal(pkt->room, room + link_len);
	assert_null(fdl_packet_pull(pkt, 101));
	assert_null(fdl_packet_push(pkt, pkt->room + 1));
	assert_ptr_equal(fdl_packet_push(pkt, link_len), data);
	assert_ptr_equal(pkt->data, data);
	assert_int_equal(pkt->link_len, link_len);
	expect_frame(l, pkt, 100, 0);
	fdl_release(&pkt, 1);
}

/* Asking for more than there can be asks the pool for what it lacks. */
static void a_batch_beyond_the_pool_leaves_no_noise(struct link *l)
{
	struct fdl_packet *v[4 * POOL];
	unsigned round, n;

	for (round = 0; round < POOL; round++) {
		feed_many(l, 0, round);
		for (n = 0; n < round;) {
			int r;

			fdl_queue_poll(l->q, WAIT_MS);
			r = fdl_recv(l->q, v + n, 4 * POOL - (int)n);
			assert_in_range(r, 0, round - n);
			n += (unsigned)r;
		}
		fdl_release(v, (int)n);
		expect_quiet(l);
	}
}

/* Its owner may have it describe other bytes. However many are, all slots, and
 * all of a ring, come back. */
static void a_packet_may_point_elsewhere(struct link *l)
{
	static uint8_t elsewhere[100];
	struct fdl_packet *v[POOL];
	unsigned seq = 0, i;

	while (seq < 100 * POOL) {
		feed_many(l, seq, POOL);
		expect_packets(l, v, POOL);
		for (i = 0; i < POOL; i++) {
			expect_frame(l, v[i], 100, seq++);
			if (i % 3 == 0)
				continue;
			v[i]->data = elsewhere;
			v[i]->room = 0;
			v[i]->len = sizeof(elsewhere);
			v[i]->tail = 0;
			if (i % 3 == 1)
				assert_int_equal(fdl_keep(&v[i]), 0);
		}
		fdl_release(v, POOL);
	}
}

enum { HEADROOM = 4096 };	/* the most that there is */

static void there_is_the_headroom_that_was_asked_for(struct link *l)
{
	struct fdl_packet *v[2];
	uint8_t *at;

	link_feed(l, 100, 1);
	expect_packets(l, v, 1);
	assert_int_equal(fdl_alloc(l->q, v + 1, 1), 1);
	assert_true(v[0]->room >= HEADROOM && v[1]->room >= HEADROOM);
	at = fdl_packet_push(v[0], HEADROOM);
	assert_non_null(at);
	memset(at, 0x5a, HEADROOM);
	fdl_packet_pull(v[0], HEADROOM);
	expect_frame(l, v[0], 100, 1);
	fdl_release(v, 2);
}

static const struct expectation table[] = {
	{ .name = "packets come back in any order",
	  .opts.pool = POOL,
	  .test = packets_come_back_in_any_order },
	{ .name = "a release may have gaps",
	  .opts.pool = POOL,
	  .test = a_release_may_have_gaps },
	{ .name = "an empty pool is quiet until a release",
	  .opts.pool = POOL,
	  .test = an_empty_pool_is_quiet_until_a_release },
	{ .name = "a release with nothing waiting is no lasting noise",
	  .test = a_release_with_nothing_waiting_is_no_lasting_noise,
	  .opts.pool = POOL },
	{ .name = "a release that nothing waits for does not wake",
	  .test = a_release_that_nothing_waits_for_does_not_wake,
	  .opts.pool = 4 },
	{ .name = "arrivals do not wake an empty pool",
	  .opts.pool = POOL,
	  .test = arrivals_do_not_wake_an_empty_pool },
	{ .name = "a release elsewhere wakes a poll",
	  .opts.pool = POOL,
	  .test = a_release_elsewhere_wakes_a_poll },
	{ .name = "an alloc may take the whole pool",
	  .opts.pool = POOL,
	  .test = an_alloc_may_take_the_whole_pool },
	{ .name = "an allocated packet is empty",
	  .opts.pool = POOL,
	  .test = an_allocated_packet_is_empty },
	{ .name = "a batch beyond the pool leaves no noise",
	  .test = a_batch_beyond_the_pool_leaves_no_noise,
	  .opts.pool = POOL },
	{ .name = "packets outlive the endpoint",
	  .test = packets_outlive_the_endpoint },
	{ .name = "a packet may point elsewhere",
	  .opts = { .pool = POOL, .ring_timeout_ms = 1 },
	  .test = a_packet_may_point_elsewhere },
	{ .name = "there is the headroom that was asked for",
	  .opts.headroom = HEADROOM,
	  .test = there_is_the_headroom_that_was_asked_for },
	{ .name = "a kept packet is the same",
	  .test = a_kept_packet_is_the_same },
	{ .name = "headers are pulled and pushed",
	  .test = headers_are_pulled_and_pushed },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("hold", argv, table, COUNT_OF(table));
}
