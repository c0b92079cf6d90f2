/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that begin and do not go on, and ports that come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <lwip/memp.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/timeouts.h>

#include "lwip_knock.h"

enum {
	OVERHEAD = 512,
};

/* Pcbs that are still to be had; < 0: any number. */
static int pcbs_left = -1;

void *__real_memp_malloc(memp_t type);
void *__wrap_memp_malloc(memp_t type);
void __real_memp_free(memp_t type, void *mem);
void __wrap_memp_free(memp_t type, void *mem);

void *__wrap_memp_malloc(memp_t type)
{
	if (type == MEMP_TCP_PCB && !pcbs_left)
		return NULL;
	if (type == MEMP_TCP_PCB && pcbs_left > 0)
		pcbs_left--;
	return __real_memp_malloc(type);
}

void __wrap_memp_free(memp_t type, void *mem)
{
	if (type == MEMP_TCP_PCB && mem && pcbs_left >= 0)
		pcbs_left++;
	__real_memp_free(type, mem);
}

static void the_oldest_half_open_one_gives_way(void **state)
{
	struct bed *b = *state;
	const unsigned first = b->flow + FLOWS;
	const unsigned n = BACKLOG + 50;
	uint32_t isn[BACKLOG + 50];
	unsigned i;

	for (i = 0; i < n; i++)
		isn[i] = knock(b, first + i * FLOWS);
	assert_int_equal(count(tcp_active_pcbs), BACKLOG);
	/* Those of the start have gone without a word, the others can go on. */
	say(b, first + 49 * FLOWS, ACK, 1001, isn[49] + 1, 0);
	expect(b, first + 49 * FLOWS, RST | ACK);
	b->pcb = NULL;
	say(b, first + 50 * FLOWS, ACK, 1001, isn[50] + 1, 0);
	assert_non_null(b->pcb);
	assert_int_equal(b->pcb->remote_port, 1000 + first + 50 * FLOWS);
	b->flow = first + n * FLOWS;
	forget_all(b);
}

/* A SYN that comes again is heard from. */
static void who_knocks_again_is_not_the_oldest(void **state)
{
	struct bed *b = *state;
	const unsigned first = b->flow + FLOWS;
	const uint32_t isn = knock(b, first);
	unsigned i;

	for (i = 1; i < BACKLOG; i++)
		knock(b, first + i * FLOWS);
	assert_int_equal(knock(b, first), isn);
	knock(b, first + i * FLOWS);
	b->pcb = NULL;
	say(b, first, ACK, 1001, isn + 1, 0);
	assert_non_null(b->pcb);
	b->flow = first + i * FLOWS;
	forget_all(b);
}

static void what_is_open_stays(void **state)
{
	struct bed *b = bed_connect(state, WIDE);
	struct tcp_pcb *open = b->pcb;
	unsigned i;

	for (i = 1; i <= 3 * BACKLOG; i++)
		knock(b, b->flow + i * FLOWS);
	b->flow += i * FLOWS;
	assert_int_equal(open->state, ESTABLISHED);
	assert_int_equal(count(tcp_active_pcbs), 1 + BACKLOG);
	forget_all(b);
}

/* What is not a SYN takes nobody's place. */
static void rubbish_moves_nobody(void **state)
{
	struct bed *b = *state;
	const unsigned first = b->flow + FLOWS;
	const uint32_t isn = knock(b, first);
	unsigned i;

	for (i = 1; i < BACKLOG; i++)
		knock(b, first + i * FLOWS);
	for (i = 0; i < BACKLOG; i++) {
		say(b, first + (BACKLOG + i) * FLOWS, ACK, 1, 1, 0);
		say(b, first + (BACKLOG + i) * FLOWS, SYN | RST, 1, 1, 0);
		say(b, first + (BACKLOG + i) * FLOWS, SYN | ACK, 1, 1, 0);
	}
	hear_all(b);
	b->pcb = NULL;
	say(b, first, ACK, 1001, isn + 1, 0);
	assert_non_null(b->pcb);
	b->flow = first + 2 * BACKLOG * FLOWS;
	forget_all(b);
}

static void pcbs_that_run_out_come_from_the_half_open(void **state)
{
	struct bed *b = bed_connect(state, WIDE);
	struct tcp_pcb *open = b->pcb;
	unsigned i;

	pcbs_left = 4;
	for (i = 1; i <= 20; i++)
		knock(b, b->flow + i * FLOWS);
	assert_int_equal(pcbs_left, 0);
	b->flow += i * FLOWS;
	bed_connect(state, WIDE);
	assert_int_equal(open->state, ESTABLISHED);
	pcbs_left = -1;
	forget_all(b);
}

/* When it answers, all that there is room for is open. It is not told that it
 * has no connection, and has one as soon as there is room. */
static void who_gave_way_waits_for_room(void **state)
{
	struct bed *b = *state;
	const unsigned first = b->flow + FLOWS;
	struct tcp_pcb *open;
	uint32_t isn[3];
	unsigned i;

	pcbs_left = 1;
	for (i = 0; i < 3; i++)
		isn[i] = knock(b, first + i * FLOWS);
	b->pcb = NULL;
	say(b, first + 2 * FLOWS, ACK, 1001, isn[2] + 1, 0);
	open = b->pcb;
	assert_non_null(open);
	say(b, first + FLOWS, ACK, 1001, isn[1] + 1, 5);
	assert_int_equal(hear(b).flags, 0);
	assert_int_equal(count(tcp_active_pcbs), 1);
	tcp_abort(open);
	hear_all(b);
	say(b, first + FLOWS, ACK, 1001, isn[1] + 1, 5);
	assert_non_null(b->pcb);
	assert_int_equal(b->pcb->remote_port, 1000 + first + FLOWS);
	assert_int_equal(b->pcb->rcv_nxt, 1006);
	pcbs_left = -1;
	b->flow = first + 3 * FLOWS;
	forget_all(b);
}

/* The application has closed them, and their peers are silent. */
static void then_from_those_that_only_wait_for_a_fin(void **state)
{
	struct bed *b = bed_connect(state, WIDE);
	struct tcp_pcb *open = b->pcb;
	uint32_t isn;
	unsigned i;

	pcbs_left = 4;
	for (i = 0; i < 8; i++) {
		b->flow += FLOWS;
		say(b, b->flow, SYN, 1000, 0, 0);
		if (i >= 4)
			expect(b, b->flow - 4 * FLOWS, RST | ACK);
		isn = expect(b, b->flow, SYN | ACK).seq;
		b->pcb = NULL;
		say(b, b->flow, ACK, 1001, isn + 1, 0);
		assert_non_null(b->pcb);
		assert_int_equal(tcp_close(b->pcb), ERR_OK);
		bed_turn(b);
		expect(b, b->flow, FIN | ACK);
	}
	assert_int_equal(pcbs_left, 0);
	assert_int_equal(open->state, ESTABLISHED);
	pcbs_left = -1;
	forget_all(b);
}

/* lwIP closes first: its side is in TIME-WAIT. */
static struct tcp_pcb *wait_out(void **state)
{
	struct bed *b = bed_connect(state, WIDE);
	struct tcp_pcb *pcb = b->pcb;

	assert_int_equal(tcp_close(pcb), ERR_OK);
	bed_look(b);
	say(b, b->flow, FIN | ACK, b->seq++, b->start + 1, 0);
	expect(b, b->flow, ACK);
	assert_ptr_equal(tcp_tw_pcbs, pcb);
	return pcb;
}

static void a_later_syn_reopens_in_time_wait(void **state)
{
	const struct tcp_pcb *pcb = wait_out(state);
	struct bed *b = *state;
	uint32_t used, isn;
	unsigned i;

	for (i = 0; i < 50; i++) {
		used = pcb->snd_nxt;
		b->seq += i;
		say(b, b->flow, SYN, b->seq++, 0, 0);
		isn = expect(b, b->flow, SYN | ACK).seq;
		assert_null(tcp_tw_pcbs);
		assert_true(TCP_SEQ_GT(isn, used));
		b->pcb = NULL;
		say(b, b->flow, ACK, b->seq, isn + 1, 0);
		assert_non_null(b->pcb);
		pcb = b->pcb;
		say(b, b->flow, ACK, b->seq, isn + 1, 100);
		b->seq += 100;
		assert_int_equal(pcb->rcv_nxt, b->seq);
		assert_int_equal(tcp_close(b->pcb), ERR_OK);
		hear_all(b);
		say(b, b->flow, FIN | ACK, b->seq++, isn + 2, 0);
		hear_all(b);
		assert_ptr_equal(tcp_tw_pcbs, pcb);
	}
	forget_all(b);
}

/* It may be a duplicate that was late. */
static void an_earlier_syn_does_not(void **state)
{
	const struct tcp_pcb *pcb = wait_out(state);
	struct bed *b = *state;

	say(b, b->flow, SYN, pcb->rcv_nxt - 1, 0, 0);
	assert_int_equal(expect(b, b->flow, ACK).ack, pcb->rcv_nxt);
	say(b, b->flow, SYN | FIN, pcb->rcv_nxt + 1, 0, 0);
	say(b, b->flow, SYN | ACK, pcb->rcv_nxt + 1, 0, 0);
	say(b, b->flow, SYN | RST, pcb->rcv_nxt + 1, 0, 0);
	hear_all(b);
	assert_ptr_equal(tcp_tw_pcbs, pcb);
	assert_null(tcp_active_pcbs);
	forget_all(b);
}

static void nor_one_where_nobody_listens_any_more(void **state)
{
	struct tcp_pcb *pcb = wait_out(state);
	struct bed *b = *state;
	const u16_t port = tcp_listen_pcbs.listen_pcbs->local_port;

	tcp_listen_pcbs.listen_pcbs->local_port = 81;
	say(b, b->flow, SYN, pcb->rcv_nxt + 1, 0, 0);
	hear_all(b);
	assert_ptr_equal(tcp_tw_pcbs, pcb);
	tcp_listen_pcbs.listen_pcbs->local_port = port;
	forget_all(b);
}

/* A reopened port has its backlog as others have. */
static void a_port_comes_back_beside_strangers(void **state)
{
	const struct tcp_pcb *pcb = wait_out(state);
	struct bed *b = *state;
	const unsigned flow = b->flow;
	unsigned i;

	for (i = 1; i <= 2 * BACKLOG; i++)
		knock(b, flow + i * FLOWS);
	b->flow += i * FLOWS;
	say(b, flow, SYN, pcb->rcv_nxt + 1, 0, 0);
	expect(b, flow, SYN | ACK);
	assert_int_equal(count(tcp_active_pcbs), BACKLOG);
	forget_all(b);
}

static unsigned kept(const struct tcp_pcb *pcb)
{
	const struct tcp_seg *seg;
	unsigned n = 0;

	for (seg = pcb->ooseq; seg; seg = seg->next)
		n++;
	return n;
}

static err_t take(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	(void)arg;
	(void)err;
	if (!p)
		return ERR_OK;
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static void a_connection_keeps_so_many_segments(void **state)
{
	struct bed *b = bed_connect(state, WIDE);
	unsigned i;

	tcp_recv(b->pcb, take);
	for (i = 1; i <= 3 * TCP_OOSEQ_MAX_PBUFS; i++) {
		say(b, b->flow, ACK, b->seq + 2 * i, b->start, 1);
		hear_all(b);
		assert_in_range(kept(b->pcb), 0, TCP_OOSEQ_MAX_PBUFS);
	}
	/* Those that are needed first. */
	assert_int_equal(kept(b->pcb), TCP_OOSEQ_MAX_PBUFS);
	say(b, b->flow, ACK, b->seq, b->start, 2);
	assert_int_equal(b->pcb->rcv_nxt, b->seq + 3);
	forget_all(b);
}

/* The one that keeps most loses it, and has it again. */
static void all_together_keep_no_more(void **state)
{
	enum { CONNECTIONS = 5, EACH = 80, MAX = 200, LEN = 100 };
	struct bed end[CONNECTIONS], *b = *state;
	unsigned i, k, total;

	b->link.ooseq_max = MAX * (LEN + OVERHEAD);
	for (i = 0; i < CONNECTIONS; i++) {
		end[i] = *bed_connect(state, WIDE);
		tcp_recv(end[i].pcb, take);
	}
	for (k = 1; k <= CONNECTIONS * EACH; k++) {
		b = &end[k % CONNECTIONS];
		say(*state, b->flow, ACK, b->seq + 2 * k * LEN / CONNECTIONS,
		    b->start, LEN);
		hear_all(b);
		for (total = 0, i = 0; i < CONNECTIONS; i++)
			total += kept(end[i].pcb);
		assert_in_range(total, 0, MAX);
	}
	for (k = 0; k < CONNECTIONS * 2 * EACH; k++) {
		b = &end[k % CONNECTIONS];
		say(*state, b->flow, ACK, b->seq + k / CONNECTIONS * LEN,
		    b->start, LEN);
		hear_all(b);
	}
	for (i = 0; i < CONNECTIONS; i++)
		assert_true(TCP_SEQ_GEQ(end[i].pcb->rcv_nxt,
					end[i].seq + 2 * EACH * LEN));
	b = *state;
	b->link.ooseq_max = 0;
	forget_all(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_half_open_one_gives_way),
		cmocka_unit_test(who_knocks_again_is_not_the_oldest),
		cmocka_unit_test(what_is_open_stays),
		cmocka_unit_test(rubbish_moves_nobody),
		cmocka_unit_test(pcbs_that_run_out_come_from_the_half_open),
		cmocka_unit_test(who_gave_way_waits_for_room),
		cmocka_unit_test(then_from_those_that_only_wait_for_a_fin),
		cmocka_unit_test(a_later_syn_reopens_in_time_wait),
		cmocka_unit_test(an_earlier_syn_does_not),
		cmocka_unit_test(nor_one_where_nobody_listens_any_more),
		cmocka_unit_test(a_port_comes_back_beside_strangers),
		cmocka_unit_test(a_connection_keeps_so_many_segments),
		cmocka_unit_test(all_together_keep_no_more),
	};

	return cmocka_run_group_tests_name("lwip strangers", tests, bed_set_up,
					   bed_tear_down);
}
