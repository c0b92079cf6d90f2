/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What TCP sends without a copy is its application's again by each way that
 * lwIP has to say so. The application writes over it at once: what leaves must
 * be what it sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <lwip/priv/tcp_priv.h>
#include <lwip/timeouts.h>

#include <fdlink/fdlink.h>

#include "../unit/packets.h"
#include "lwip_bed.h"

enum {
	RST = 4,
	PSH = 8,
	ASKED = 4,
	SENT = 700,
	BEFORE = 'b',
	AFTER = 'a',
};

static uint8_t memory[SENT];
static bool told;
static unsigned flushes;

int __real_fdl_flush(struct fdl_queue *q);
int __wrap_fdl_flush(struct fdl_queue *q);

int __wrap_fdl_flush(struct fdl_queue *q)
{
	flushes++;
	return __real_fdl_flush(q);
}

static void use_again(void)
{
	memset(memory, AFTER, sizeof(memory));
	told = true;
}

static void lend(struct tcp_pcb *pcb)
{
	memset(memory, BEFORE, sizeof(memory));
	told = false;
	assert_int_equal(tcp_write(pcb, memory, sizeof(memory), 0), ERR_OK);
	assert_int_equal(tcp_output(pcb), ERR_OK);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	LWIP_UNUSED_ARG(arg);
	LWIP_UNUSED_ARG(pcb);
	LWIP_UNUSED_ARG(len);
	use_again();
	return ERR_OK;
}

static void on_error(void *arg, err_t err)
{
	LWIP_UNUSED_ARG(arg);
	LWIP_UNUSED_ARG(err);
	use_again();
}

/* The first is answered with memory that is lent. */
static err_t answer(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	LWIP_UNUSED_ARG(arg);
	LWIP_UNUSED_ARG(err);
	if (!p)
		return ERR_OK;
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	tcp_recv(pcb, NULL);
	lend(pcb);
	return ERR_OK;
}

static struct bed *begin(void **state)
{
	struct bed *b = bed_connect(state, WIDE);

	tcp_recv(b->pcb, answer);
	tcp_sent(b->pcb, on_sent);
	tcp_err(b->pcb, on_error);
	told = false;
	return b;
}

/* From the peer, a segment with so much payload. */
static void feed(struct bed *b, uint8_t flags, uint32_t ack, unsigned payload)
{
	const struct shape s = {
		.version = 4,
		.proto = 6,
		.payload = payload,
		.flow = b->flow,
		.ttl = 64,
		.flags = flags,
		.seq = b->seq,
		.ack = b->start + ack,
	};
	uint8_t frame[64];
	const size_t len = build(frame, &s);

	assert_int_equal(send(b->peer, frame, len, 0), len);
	b->seq += payload;
}

static void check_frame(const uint8_t *frame, size_t len)
{
	const uint8_t *tcp = frame + 20;
	size_t i;

	assert_int_equal(fdl_checksum_verify(frame, len, 0), 1);
	for (i = 20 + (tcp[12] >> 4) * 4U; i < len; i++)
		assert_int_equal(frame[i], BEFORE);
}

/* Returns how many frames with a payload there were. */
static unsigned check_sent(struct bed *b)
{
	uint8_t frame[MTU];
	unsigned n = 0;
	ssize_t len;

	while ((len = recv(b->peer, frame, sizeof(frame), MSG_DONTWAIT)) > 0) {
		check_frame(frame, (size_t)len);
		n += len > SENT;
	}
	return n;
}

/* What the application sent is on the wire, though its memory is not what it
 * was any more. */
static void expect_sent_and_told(struct bed *b)
{
	bed_turn(b);
	assert_true(told);
	assert_int_equal(check_sent(b), 1);
}

static void a_reset_in_the_same_batch(void **state)
{
	struct bed *b = begin(state);

	feed(b, ACK | PSH, 0, ASKED);
	feed(b, RST, 0, 0);
	expect_sent_and_told(b);
}

/* A peer may acknowledge what it cannot have yet. */
static void an_acknowledgement_in_the_same_batch(void **state)
{
	struct bed *b = begin(state);

	feed(b, ACK | PSH, 0, ASKED);
	feed(b, ACK, SENT, 0);
	expect_sent_and_told(b);
	tcp_err(b->pcb, NULL);
	bed_hang_up(b);
}

/* A copy that is sent again waits for the flush when the first one's
 * acknowledgement comes. */
static void an_acknowledgement_behind_a_timeout(void **state)
{
	struct bed *b = begin(state);

	feed(b, ACK | PSH, 0, ASKED);
	bed_turn(b);
	assert_int_equal(check_sent(b), 1);
	assert_false(told);
	tcp_rexmit_rto(b->pcb);
	assert_int_equal(check_sent(b), 0);
	feed(b, ACK, SENT, 0);
	expect_sent_and_told(b);
	tcp_err(b->pcb, NULL);
	bed_hang_up(b);
}

static void an_abort(void **state)
{
	struct bed *b = begin(state);

	lend(b->pcb);
	assert_int_equal(check_sent(b), 0);
	tcp_abort(b->pcb);
	assert_true(told);
	expect_sent_and_told(b);
}

/* Data that was not taken makes of a close a reset, and no callback tells. */
static void a_close_with_bytes_unread(void **state)
{
	struct bed *b = begin(state);

	tcp_recv(b->pcb, NULL);
	b->pcb->rcv_wnd--;
	lend(b->pcb);
	assert_int_equal(tcp_close(b->pcb), ERR_OK);
	use_again();
	expect_sent_and_told(b);
}

/* So it is in a callback, in which lwIP frees the connection later. */
static err_t close_unread(void *arg, struct tcp_pcb *pcb, struct pbuf *p,
			  err_t err)
{
	LWIP_UNUSED_ARG(arg);
	LWIP_UNUSED_ARG(err);
	assert_non_null(p);
	pbuf_free(p);
	assert_int_equal(tcp_close(pcb), ERR_OK);
	use_again();
	return ERR_OK;
}

static void a_close_in_the_callback(void **state)
{
	struct bed *b = begin(state);

	lend(b->pcb);
	tcp_recv(b->pcb, close_unread);
	feed(b, ACK | PSH, 0, ASKED);
	expect_sent_and_told(b);
}

static err_t close_at_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	LWIP_UNUSED_ARG(arg);
	LWIP_UNUSED_ARG(len);
	assert_int_equal(tcp_close(pcb), ERR_OK);
	use_again();
	return ERR_OK;
}

static err_t keep_unread(void *arg, struct tcp_pcb *pcb, struct pbuf *p,
			 err_t err)
{
	LWIP_UNUSED_ARG(arg);
	LWIP_UNUSED_ARG(pcb);
	LWIP_UNUSED_ARG(err);
	pbuf_free(p);
	return ERR_OK;
}

/* The acknowledgement is of something else, which is on the wire. */
static void a_close_at_an_older_acknowledgement(void **state)
{
	static const uint8_t first;
	struct bed *b = begin(state);

	tcp_recv(b->pcb, keep_unread);
	assert_int_equal(tcp_write(b->pcb, &first, 1, TCP_WRITE_FLAG_COPY),
			 ERR_OK);
	tcp_output(b->pcb);
	feed(b, ACK | PSH, 0, ASKED);
	bed_turn(b);
	while (recv(b->peer, memory, sizeof(memory), MSG_DONTWAIT) > 0)
		;
	tcp_nagle_disable(b->pcb);
	lend(b->pcb);
	tcp_sent(b->pcb, close_at_sent);
	feed(b, ACK, 1, 0);
	expect_sent_and_told(b);
}

/* lwIP's timer, which resets nothing. */
static void a_timer_that_gives_up(void **state)
{
	struct bed *b = begin(state);

	lend(b->pcb);
	b->pcb->nrtx = TCP_MAXRTX;
	tcp_slowtmr();
	assert_true(told);
	expect_sent_and_told(b);
}

/* Another connection's, in the batch. */
static err_t abort_other(void *arg, struct tcp_pcb *pcb, struct pbuf *p,
			 err_t err)
{
	LWIP_UNUSED_ARG(err);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	tcp_abort(arg);
	return ERR_OK;
}

static void an_end_that_another_connection_makes(void **state)
{
	struct bed *b = begin(state);
	struct tcp_pcb *lends = b->pcb;

	b = bed_connect(state, WIDE);
	lend(lends);
	tcp_arg(b->pcb, lends);
	tcp_recv(b->pcb, abort_other);
	feed(b, ACK | PSH, 0, ASKED);
	expect_sent_and_told(b);
	bed_hang_up(b);
}

/* What was refused is offered again before a segment is taken, which then
 * resets what this made the application send. */
static err_t refuse(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	LWIP_UNUSED_ARG(arg);
	LWIP_UNUSED_ARG(p);
	LWIP_UNUSED_ARG(err);
	tcp_recv(pcb, answer);
	return ERR_MEM;
}

static void a_reset_behind_what_was_refused(void **state)
{
	struct bed *b = begin(state);

	tcp_recv(b->pcb, refuse);
	feed(b, ACK | PSH, 0, ASKED);
	feed(b, RST, 0, 0);
	expect_sent_and_told(b);
}

/* A loan costs nothing as long as nobody can learn of its end: what a turn
 * sends is merged. */
static void other_acknowledgements_flush_nothing(void **state)
{
	struct bed *b = begin(state);

	feed(b, ACK | PSH, 0, ASKED);
	feed(b, ACK, 0, 0);
	flushes = 0;
	bed_turn(b);
	assert_int_equal(flushes, 1);
	assert_false(told);
	assert_int_equal(check_sent(b), 1);
	tcp_err(b->pcb, NULL);
	bed_hang_up(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reset_in_the_same_batch),
		cmocka_unit_test(an_acknowledgement_in_the_same_batch),
		cmocka_unit_test(an_acknowledgement_behind_a_timeout),
		cmocka_unit_test(an_abort),
		cmocka_unit_test(a_close_with_bytes_unread),
		cmocka_unit_test(a_close_in_the_callback),
		cmocka_unit_test(a_close_at_an_older_acknowledgement),
		cmocka_unit_test(a_timer_that_gives_up),
		cmocka_unit_test(an_end_that_another_connection_makes),
		cmocka_unit_test(a_reset_behind_what_was_refused),
		cmocka_unit_test(other_acknowledgements_flush_nothing),
	};

	return cmocka_run_group_tests_name("lwip loan", tests, bed_set_up,
					   bed_tear_down);
}
