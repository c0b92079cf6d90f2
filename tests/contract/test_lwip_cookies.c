/* SPDX-License-Identifier: Apache-2.0 */
/* A peer whose half-open connection had to give way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <lwip/ip.h>
#include <lwip/sys.h>

#include "fdl_lwip_cookie.h"
#include "lwip_knock.h"

static void flood(struct bed *b, unsigned first, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		knock(b, first + i * FLOWS);
}

/* A flow among strangers, whose half-open connection has gone when its answer
 * comes. Returns the flow behind the last. */
static unsigned crowd_out(struct bed *b, unsigned mss, bool sack)
{
	const unsigned before = BACKLOG / 2, first = b->flow + FLOWS;
	const unsigned flow = first + before * FLOWS;

	flood(b, first, before);
	b->flow = flow;
	b->sack = sack;
	b->seq = 1000;
	bed_say(b, SYN, 0, mss);
	bed_turn(b);
	b->start = expect(b, flow, SYN | ACK).seq + 1;
	flood(b, flow + FLOWS, 2 * BACKLOG);
	b->pcb = NULL;
	return flow + (2 * BACKLOG + 1) * FLOWS;
}

/* It has what its SYN said, and its answer may carry data. */
static void a_good_client_is_served_all_the_same(void **state)
{
	struct bed *b = *state;
	unsigned last, i;

	for (i = 0; i < 4; i++) {
		const unsigned mss = i & 1 ? 1000 : 1450;

		last = crowd_out(b, mss, i & 2);
		say(b, b->flow, ACK, b->seq, b->start, 5);
		assert_non_null(b->pcb);
		assert_int_equal(b->pcb->state, ESTABLISHED);
		assert_int_equal(b->pcb->remote_port, 1000 + b->flow);
		assert_int_equal(b->pcb->mss, i & 1 ? 536 : 1440);
		assert_int_equal(!!(b->pcb->flags & TF_SACK), i >> 1);
		assert_int_equal(b->pcb->flags & TF_WND_SCALE, 0);
		assert_int_equal(b->pcb->rcv_nxt, b->seq + 5);
		assert_int_equal(count(tcp_active_pcbs), BACKLOG);
		hear_all(b);
		b->seq += 5;
		b->window = WIDE;
		b->written = 0;
		bed_acknowledge(b, 0);
		bed_write(b, 100);
		bed_expect(b, 0, 100);
		b->flow = last;
		forget_all(b);
	}
	b->sack = false;
}

static void a_window_scale_is_remembered(void **state)
{
	static const uint8_t options[] = { 1, 3, 3, 7, 2, 4, 5, 0xb4, 4, 2 };
	struct bed *b = *state;
	struct fdl_lwip *link = &b->link;
	struct {
		struct tcp_hdr hdr;
		uint8_t options[12];
	} syn = { 0 };

	memcpy(syn.options, options, sizeof(options));
	ip_data.current_netif = &b->netif;
	fdl_lwip_cookie_give(link, &syn.hdr, sizeof(syn.options));
	assert_true(link->has_isn);
	/* 7, SACK, and the fifth of the sizes. */
	assert_int_equal(link->isn & 0xff, 5 << 5 | 1 << 4 | 7);
	/* What is cut off is not read. */
	fdl_lwip_cookie_give(link, &syn.hdr, 7);
	assert_int_equal(link->isn & 0xff, 1 << 5 | 7);
	link->has_isn = 0;
	ip_data.current_netif = NULL;
}

/* Every bit of it counts, and what was acknowledged. */
static void a_made_up_answer_is_refused(void **state)
{
	struct bed *b = *state;
	const unsigned last = crowd_out(b, 1460, false), flow = b->flow;
	unsigned i;

	for (i = 0; i < 32; i++) {
		say(b, flow, ACK, b->seq, b->start ^ UINT32_C(1) << i, 0);
		expect(b, flow, RST | ACK);
	}
	say(b, flow, ACK, b->seq + 1, b->start, 0);
	expect(b, flow, RST | ACK);
	say(b, flow + FLOWS, ACK, b->seq, b->start, 0);
	hear_all(b);
	assert_null(b->pcb);
	say(b, flow, ACK, b->seq, b->start, 0);
	assert_non_null(b->pcb);
	b->flow = last;
	forget_all(b);
}

static void so_is_one_that_is_late(void **state)
{
	struct bed *b = *state;
	unsigned last = crowd_out(b, 1460, false);

	bed_late(40000);
	say(b, b->flow, ACK, b->seq, b->start, 0);
	expect(b, b->flow, RST | ACK);
	/* Others are given cookies meanwhile. */
	b->flow = last;
	last = crowd_out(b, 1460, false);
	bed_late(33000);
	flood(b, last, BACKLOG);
	say(b, b->flow, ACK, b->seq, b->start, 0);
	expect(b, b->flow, RST | ACK);
	assert_null(b->pcb);
	b->flow = last + BACKLOG * FLOWS;
	forget_all(b);
}

/* After 49 days the clock begins anew. */
static void the_clock_may_begin_anew(void **state)
{
	struct bed *b = *state;
	unsigned last;

	bed_late(UINT32_MAX - sys_now() - 1000);
	last = crowd_out(b, 1460, false);
	bed_late(2000);
	say(b, b->flow, ACK, b->seq, b->start, 0);
	assert_non_null(b->pcb);
	b->flow = last;
	forget_all(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_client_is_served_all_the_same),
		cmocka_unit_test(a_window_scale_is_remembered),
		cmocka_unit_test(a_made_up_answer_is_refused),
		cmocka_unit_test(so_is_one_that_is_late),
		cmocka_unit_test(the_clock_may_begin_anew),
	};

	return cmocka_run_group_tests_name("lwip cookies", tests, bed_set_up,
					   bed_tear_down);
}
