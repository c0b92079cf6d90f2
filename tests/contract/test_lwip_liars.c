/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lwIP's TCP sends to a peer that takes its window back, that reports what
 * it does not have, and that does whatever: in the end, all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <lwip/priv/tcp_priv.h>

#include "lwip_bed.h"

#include "../unit/packets.h"

enum {
	FLIGHT = 20,		/* segments */
	SEQ = 1001,		/* the peer's, behind its SYN */
};

/* Returns up to where the peer has all, of which it has had that before. */
static unsigned take(const struct bed *b, unsigned to)
{
	unsigned i;

	for (i = 0; i < b->n; i++) {
		if (b->cut[i].at <= to && b->cut[i].at + b->cut[i].len > to)
			to = b->cut[i].at + b->cut[i].len;
	}
	return to;
}

/* The peer takes back the window in which segments are in flight, and gives it
 * again: lwIP probes meanwhile, with nothing in flight, and sends them then. */
static void take_window_back(void **state, bool sack, unsigned segments,
			     unsigned window)
{
	struct bed *b = bed_start(state, sack);
	const unsigned at = bed_fly(b, FLIGHT) + FLIGHT * MSS;
	const unsigned end = at + segments * MSS;
	unsigned to = at, i;

	bed_acknowledge(b, at - MSS);
	bed_write(b, end - at);
	bed_expect(b, at, end - at);
	b->window = window;
	for (i = 0; i < 5; i++)
		bed_acknowledge(b, at);
	for (i = 0; i < 3; i++) {
		bed_await_timeout(b);
		bed_acknowledge(b, at);
	}
	b->window = WIDE;
	bed_acknowledge(b, at);
	for (i = 0; i < 20 && to != end; i++) {
		if (!b->n)
			bed_await_timeout(b);
		to = take(b, to);
		bed_acknowledge(b, to);
	}
	assert_int_equal(to, end);
	assert_null(b->pcb->unacked);
	assert_null(b->pcb->unsent);
	bed_hang_up(b);
}

static void a_window_may_be_taken_back(void **state)
{
	unsigned i, segments;

	for (segments = 1; segments <= 3; segments++) {
		for (i = 0; i < 4; i++) {
			take_window_back(state, true, segments, i * MSS / 2);
			take_window_back(state, false, segments, i * MSS / 2);
		}
	}
}

static struct cut lie(struct rng *r, uint32_t at)
{
	return (struct cut){
		.at = at + rnd(r, 3 * FLIGHT * MSS) - FLIGHT * MSS,
		.len = rnd(r, 8) ? rnd(r, 3000) : rnd(r, 1U << 31),
	};
}

/* Whatever it reports, lwIP sends it all that it lacks, and ends. */
static void a_liar_gets_all_the_same(void **state)
{
	struct bed *b = bed_start(state, true);
	const unsigned at = bed_fly(b, FLIGHT);
	struct rng r = seeded("lwip_liars");
	unsigned i, j, total = 0;

	for (i = 0; i < 5000; i++) {
		b->reports = 1 + rnd(&r, 4);
		for (j = 0; j < b->reports; j++)
			b->report[j] = lie(&r, at);
		bed_acknowledge(b, at);
		total += b->n;
		/* No smaller pieces than were sent. */
		for (j = 0; j < b->n; j++)
			assert_int_equal(b->cut[j].len, MSS);
	}
	assert_in_range(total, 0, 5000);
	b->reports = 0;
	for (i = 0; i < 20 && !b->n; i++)
		bed_await_timeout(b);
	assert_true(b->n);
	bed_acknowledge(b, at + FLIGHT * MSS);
	assert_null(b->pcb->unacked);
	bed_hang_up(b);
}

/* It may acknowledge what it never got, though not what was never sent. */
static unsigned whatever(struct bed *b, struct rng *r, unsigned to)
{
	static const unsigned windows[] = { 0,	     100,     MSS / 2, MSS,
					    MSS + 1, 3 * MSS, WIDE,    WIDE };
	const unsigned sent = b->pcb->snd_nxt - b->start;
	unsigned i;

	b->reports = rnd(r, 5);
	for (i = 0; i < b->reports; i++)
		b->report[i] = lie(r, to);
	if (!rnd(r, 3))
		to += rnd(r, sent - to + 1);
	if (!rnd(r, 5))
		b->window = windows[rnd(r, 8)];
	b->seq = rnd(r, 8) ? SEQ : SEQ - 1;
	bed_acknowledge(b, to);
	if (!rnd(r, 4))
		bed_pass(b, rnd(r, 2) ? rnd(r, 20) : rnd(r, 1000));
	return to;
}

static void be_honest(struct bed *b, unsigned to)
{
	unsigned i;

	b->reports = 0;
	b->window = WIDE;
	b->seq = SEQ;
	bed_acknowledge(b, to);
	for (i = 0; i < 300 && to != b->written; i++) {
		if (!b->n)
			bed_await_timeout(b);
		to = take(b, to);
		bed_acknowledge(b, to);
	}
	assert_int_equal(to, b->written);
	assert_null(b->pcb->unacked);
	assert_null(b->pcb->unsent);
}

/* It begins with a closed window, opens it a little, and then wide. */
static void a_window_may_open_late(void **state)
{
	struct bed *b;
	unsigned i;

	for (i = 1; i < 2 * MSS; i *= 3) {
		b = bed_connect(state, 0);
		bed_write(b, 2 * MSS);
		assert_int_equal(b->n, 0);
		b->window = i;
		bed_acknowledge(b, 0);
		bed_write(b, MSS);
		be_honest(b, take(b, 0));
		bed_hang_up(b);
	}
}

/* lwIP keeps its own rules, which it asserts, and an honest peer gets all. */
static void whatever_a_peer_does(void **state)
{
	struct rng r = seeded("lwip_liars");
	unsigned round, i, to;
	struct bed *b;

	for (round = 0; round < 200; round++) {
		b = bed_start(state, rnd(&r, 2));
		b->link.tso = round % 2;
		to = 0;
		for (i = 0; i < 100; i++) {
			if (b->written - to < WIDE)
				bed_write(b, 1 + rnd(&r, 5 * MSS));
			to = whatever(b, &r, to);
		}
		be_honest(b, to);
		bed_hang_up(b);
	}
	b->link.tso = 1;
}

/* Numbers that are before and behind what is expected, as lwIP compares. */
static void numbers_half_the_world_away(void **state)
{
	static const uint32_t far[] = { 0x7fffffff, 0x80000000, 0x80000001 };
	struct bed *b = bed_start(state, true);
	const unsigned at = bed_fly(b, 1) + MSS;
	const u32_t expected = b->pcb->rcv_nxt;
	unsigned i, closed;

	bed_acknowledge(b, at);
	for (i = 0; i < 6; i++) {
		closed = i % 2;
		if (closed)
			b->pcb->rcv_wnd = 0;
		b->seq = expected + far[i / 2];
		bed_say(b, ACK | FIN, b->start + at, 0);
		bed_look(b);
		b->seq = expected;
		bed_acknowledge(b, at + far[i / 2]);
		b->pcb->rcv_wnd = TCP_WND;
		assert_null(b->pcb->ooseq);
		assert_int_equal(b->pcb->rcv_nxt, expected);
		assert_int_equal(b->pcb->lastack, b->start + at);
	}
	bed_write(b, MSS);
	bed_expect(b, at, MSS);
	be_honest(b, at);
	bed_hang_up(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_may_be_taken_back),
		cmocka_unit_test(a_liar_gets_all_the_same),
		cmocka_unit_test(a_window_may_open_late),
		cmocka_unit_test(whatever_a_peer_does),
		cmocka_unit_test(numbers_half_the_world_away),
	};

	return cmocka_run_group_tests_name("lwip liars", tests, bed_set_up,
					   bed_tear_down);
}
