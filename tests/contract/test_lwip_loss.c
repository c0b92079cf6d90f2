/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lwIP's TCP sends when segments are lost, with a peer that reports what
 * it has, and with one that does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <lwip/priv/tcp_priv.h>

#include "lwip_bed.h"

enum { FLIGHT = 20 };	/* segments */

/* The peer has all up to at, and of the segments from there on some. */
static void report(struct bed *b, uint32_t at, unsigned first, unsigned n)
{
	b->report[0] = (struct cut){ at + first * MSS, n * MSS };
	b->reports = 1;
	bed_acknowledge(b, at);
	b->reports = 0;
}

/* Linux enlarges its window while it reports. */
static void a_duplicate_is_one_whatever_its_window_is(void **state)
{
	struct bed *b = bed_start(state, true);
	const unsigned at = bed_fly(b, FLIGHT);
	unsigned i;

	for (i = 1; i <= 3; i++) {
		b->window = WIDE - 1000 + 100 * i;
		report(b, at, 1, i);
		bed_expect(b, at, i == 3 ? MSS : 0);
	}
	report(b, at, 1, 4);
	bed_expect(b, 0, 0);
	bed_acknowledge(b, at + FLIGHT * MSS);
	assert_null(b->pcb->unacked);
	assert_in_range(b->pcb->cwnd, FLIGHT / 2 * MSS, (FLIGHT / 2 + 1) * MSS);
	bed_hang_up(b);
}

/* Every third of a window is lost; each is sent again once, in the one round
 * trip in which the reports come, and nothing else is. */
static void all_holes_are_filled_in_a_round_trip(void **state)
{
	struct bed *b = bed_start(state, true);
	const unsigned at = bed_fly(b, FLIGHT);
	unsigned again[FLIGHT] = { 0 }, i, j;

	for (i = 1; i < FLIGHT; i++) {
		if (i % 3 == 0)
			continue;
		report(b, at, i, 1);
		for (j = 0; j < b->n; j++) {
			assert_int_equal(b->cut[j].len, MSS);
			again[(b->cut[j].at - at) / MSS]++;
		}
	}
	for (i = 0; i < FLIGHT - 3; i++)
		assert_int_equal(again[i], i % 3 == 0);
	bed_acknowledge(b, at + FLIGHT * MSS);
	bed_expect(b, 0, 0);
	bed_hang_up(b);
}

/* What was sent after it arrived. */
static void what_is_sent_again_may_be_lost_again(void **state)
{
	struct bed *b = bed_start(state, true);
	const unsigned at = bed_fly(b, FLIGHT);
	unsigned i, found = 0;

	report(b, at, 1, FLIGHT - 1);
	bed_expect(b, at, MSS);
	bed_write(b, 10 * MSS);
	assert_true(b->n);
	for (i = 1; i <= 8 && !found; i++) {
		report(b, at, 1, FLIGHT - 1 + i);
		found = b->n && b->cut[0].at == at;
	}
	assert_in_range(found ? i : 0, 4, 6);
	bed_acknowledge(b, bed_end_of_last(b));
	bed_hang_up(b);
}

/* No third report will come. */
static void few_reports_are_enough_when_time_has_passed(void **state)
{
	struct bed *b = bed_start(state, true);
	const unsigned at = bed_fly(b, 3);

	report(b, at, 1, 1);
	bed_expect(b, 0, 0);
	bed_pass(b, RTT);
	bed_expect(b, at, MSS);
	bed_hang_up(b);
}

/* The last segments are gone: the last is sent again two round trips later, for
 * the peer to tell of them. */
static void the_end_is_probed(void **state)
{
	struct bed *b = bed_start(state, true);
	const unsigned at = bed_fly(b, FLIGHT);
	unsigned ms;

	bed_acknowledge(b, at + (FLIGHT - 2) * MSS);
	for (ms = 0; ms < 100 && !b->n; ms++)
		bed_pass(b, 1);
	bed_expect(b, at + (FLIGHT - 1) * MSS, MSS);
	assert_in_range(ms, RTT, 4 * RTT);
	report(b, at + (FLIGHT - 2) * MSS, 1, 1);
	bed_pass(b, RTT);
	bed_expect(b, at + (FLIGHT - 2) * MSS, MSS);
	bed_hang_up(b);
}

/* Of a round trip's scale, and longer each time; what was reported before is
 * not sent again. */
static void silence_is_a_timeout(void **state)
{
	struct bed *b = bed_start(state, true);
	const unsigned at = bed_fly(b, FLIGHT);
	unsigned ms;

	report(b, at, 1, FLIGHT - 2);
	bed_expect(b, at, MSS);
	for (ms = 0; ms < 2000 && b->n != 1; ms++)
		bed_pass(b, 1);
	for (ms = 0; ms < 2000; ms++) {
		bed_pass(b, 1);
		if (b->n)
			break;
	}
	bed_expect(b, at, MSS);
	assert_in_range(ms, 190, 400);
	bed_acknowledge(b, at + (FLIGHT - 1) * MSS);
	bed_expect(b, at + (FLIGHT - 1) * MSS, MSS);
	bed_acknowledge(b, at + FLIGHT * MSS);
	assert_null(b->pcb->unacked);
	bed_hang_up(b);
}

/* A peer that waits for to acknowledges it when it comes, and what follows it
 * so far, until it has all of a flight that began at at. */
static void expect_the_flight(struct bed *b, unsigned at, uint32_t to)
{
	unsigned i;

	for (i = 0; i < 20000 && to < at + FLIGHT * MSS; i++) {
		bed_pass(b, 1);
		if (b->n && b->cut[0].at == to) {
			to = bed_end_of_last(b);
			bed_acknowledge(b, to);
		}
	}
	assert_int_equal(to, at + FLIGHT * MSS);
	bed_hang_up(b);
}

/* It lacks what it had before, and gets it: the timer does not run for ever. */
static void a_report_may_be_taken_back(void **state)
{
	struct bed *b = bed_start(state, true);
	const unsigned at = bed_fly(b, FLIGHT);

	report(b, at, 1, 2);
	bed_acknowledge(b, at + MSS);
	expect_the_flight(b, at, at + MSS);
}

/* A peer that forgot what it reported gets it at last. */
static void a_peer_may_forget(void **state)
{
	struct bed *b = bed_start(state, true);
	const unsigned at = bed_fly(b, FLIGHT);

	report(b, at, 1, FLIGHT - 1);
	expect_the_flight(b, at, at);
}

/* The peer has twice what was sent again: the packet was late, the window is
 * what it was, and the next one that is as late is waited for. */
static void a_late_packet_is_no_loss(void **state)
{
	struct bed *b = bed_start(state, true);
	unsigned at = bed_fly(b, FLIGHT), i, again = 0;
	tcpwnd_size_t cwnd;

	for (i = 0; i < 5; i++) {
		cwnd = b->pcb->cwnd;
		report(b, at, 1, 10);
		again += b->n != 0;
		bed_pass(b, 5);
		again += b->n != 0;
		bed_acknowledge(b, at + FLIGHT * MSS);
		b->report[0] = (struct cut){ at, MSS };
		b->reports = 1;
		bed_acknowledge(b, at + FLIGHT * MSS);
		b->reports = 0;
		assert_true(b->pcb->cwnd >= cwnd);
		at += FLIGHT * MSS;
		bed_write(b, FLIGHT * MSS);
		bed_expect(b, at, FLIGHT * MSS);
		bed_pass(b, RTT);
	}
	assert_in_range(again, 1, 3);
	bed_hang_up(b);
}

/* RFC 6582: what lies behind the first hole is sent when that is filled. */
static void without_reports_each_round_trip_fills_a_hole(void **state)
{
	struct bed *b = bed_start(state, false);
	const unsigned at = bed_fly(b, FLIGHT);
	unsigned i;

	for (i = 1; i <= 3; i++) {
		bed_acknowledge(b, at);
		bed_expect(b, at, i == 3 ? MSS : 0);
	}
	bed_acknowledge(b, at + 5 * MSS);
	bed_expect(b, at + 5 * MSS, MSS);
	bed_acknowledge(b, at + 9 * MSS);
	bed_expect(b, at + 9 * MSS, MSS);
	bed_acknowledge(b, at + FLIGHT * MSS);
	bed_expect(b, 0, 0);
	bed_hang_up(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_duplicate_is_one_whatever_its_window_is),
		cmocka_unit_test(all_holes_are_filled_in_a_round_trip),
		cmocka_unit_test(what_is_sent_again_may_be_lost_again),
		cmocka_unit_test(few_reports_are_enough_when_time_has_passed),
		cmocka_unit_test(the_end_is_probed),
		cmocka_unit_test(silence_is_a_timeout),
		cmocka_unit_test(a_report_may_be_taken_back),
		cmocka_unit_test(a_peer_may_forget),
		cmocka_unit_test(a_late_packet_is_no_loss),
		cmocka_unit_test(without_reports_each_round_trip_fills_a_hole),
	};

	return cmocka_run_group_tests_name("lwip loss", tests, bed_set_up,
					   bed_tear_down);
}
