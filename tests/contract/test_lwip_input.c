/* SPDX-License-Identifier: Apache-2.0 */
/* What the lwIP adaptor receives, and how lwIP answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <lwip/priv/tcp_priv.h>

#include <fdlink/fdlink.h>

#include "../unit/packets.h"
#include "lwip_bed.h"

enum {
	FED = 100,
	MANY = 600,			/* more than the pool has packets */
	TRAIN = 4,			/* segments that become one */
	PSH = 8,
};

/* A connection, as its peer knows it. */
struct stream {
	struct bed *b;
	struct tcp_pcb *pcb;
	unsigned flow;
	uint32_t seq, start;
	uint32_t acked;
	unsigned acks;
};

static void feed_bytes(struct bed *b, bool right)
{
	const struct shape s = {
		.version = 4,
		.proto = 6,
		.payload = FED,
		.flow = b->flow,
		.ttl = 64,
		.flags = ACK,
		.seq = b->seq,
		.ack = b->start,
	};
	uint8_t frame[40 + FED];
	const size_t len = build(frame, &s);

	frame[len - 1] ^= !right;
	assert_int_equal(send(b->peer, frame, len, 0), len);
	bed_look(b);
}

/* lwIP is told not to check what is right, and only that. */
static void wrong_checksums_are_found(void **state)
{
	struct bed *b = bed_connect(state, WIDE);
	int i;

	for (i = 0; i < 2; i++) {
		feed_bytes(b, false);
		assert_int_equal(b->pcb->rcv_nxt, b->seq);
		feed_bytes(b, true);
		b->seq += FED;
		assert_int_equal(b->pcb->rcv_nxt, b->seq);
	}
	bed_hang_up(b);
}

/* lwIP keeps what comes out of order. */
static void a_gap_makes_no_link_deaf(void **state)
{
	struct bed *b = bed_connect(state, WIDE);
	const uint32_t first = b->seq;
	unsigned i;

	for (i = 1; i < MANY; i++) {
		b->seq = first + i * FED;
		feed_bytes(b, true);
	}
	assert_int_equal(b->pcb->rcv_nxt, first);
	b->seq = first;
	feed_bytes(b, true);
	assert_int_equal(b->pcb->rcv_nxt, first + MANY * FED);
	bed_hang_up(b);
}

static struct stream begin(void **state)
{
	struct bed *b = bed_connect(state, WIDE);

	return (struct stream){ b, b->pcb, b->flow, b->seq, b->start, 0, 0 };
}

/* Segments that are received as one, for the last has PSH. */
static void feed_train(struct stream *st)
{
	struct shape s = {
		.version = 4,
		.proto = 6,
		.payload = MSS,
		.flow = st->flow,
		.df = true,
		.ttl = 64,
		.ack = st->start,
	};
	uint8_t frame[MTU];
	unsigned i;

	for (i = 1; i <= TRAIN; i++) {
		s.flags = i < TRAIN ? ACK : ACK | PSH;
		s.seq = st->seq;
		assert_int_equal(build(frame, &s), MTU);
		assert_int_equal(send(st->b->peer, frame, MTU, 0), MTU);
		st->seq += MSS;
	}
}

static struct stream *stream_of(struct stream st[], unsigned n,
				const uint8_t *tcp)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (get16(tcp + 2) == 1000 + st[i].flow)
			return st + i;
	fail_msg("an answer to port %u", get16(tcp + 2));
	return NULL;
}

/* One turn, in which no time passes. */
static void count_acks(struct stream st[], unsigned n)
{
	const int peer = st->b->peer;
	uint8_t frame[MTU];
	struct stream *to;

	bed_turn(st->b);
	while (recv(peer, frame, sizeof(frame), MSG_DONTWAIT) > 0) {
		to = stream_of(st, n, frame + 20);
		to->acked = get32(frame + 20 + 8);
		to->acks++;
	}
}

/* Every second by lwIP's own rule, and a last one does not wait. */
static void super_packets_are_acknowledged_in_the_turn(void **state)
{
	struct stream st = begin(state);
	unsigned i, n;

	for (n = 1; n <= 6; n++) {
		st.acks = 0;
		for (i = 0; i < n; i++)
			feed_train(&st);
		count_acks(&st, 1);
		assert_int_equal(st.acks, (n + 1) / 2);
		assert_int_equal(st.acked, st.seq);
	}
	bed_hang_up(st.b);
}

static void so_are_those_of_several_connections(void **state)
{
	struct stream st[] = { begin(state), begin(state) };
	unsigned i;

	feed_train(&st[0]);
	feed_train(&st[1]);
	feed_train(&st[0]);
	count_acks(st, 2);
	for (i = 0; i < 2; i++)
		assert_int_equal(st[i].acked, st[i].seq);
	tcp_abort(st[0].pcb);
	bed_turn(st->b);
	assert_true(recv(st->b->peer, &i, sizeof(i), MSG_DONTWAIT) > 0);
	bed_hang_up(st->b);
}

static err_t abort_it(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	bool *done = arg;

	assert_int_equal(err, ERR_OK);
	*done = true;
	pbuf_free(p);
	tcp_abort(pcb);
	return ERR_ABRT;
}

/* What is acknowledged at the end must be looked for. */
static void a_connection_may_end_in_between(void **state)
{
	struct stream st = begin(state);
	bool done = false;

	tcp_arg(st.pcb, &done);
	tcp_recv(st.pcb, abort_it);
	feed_train(&st);
	bed_turn(st.b);
	assert_true(done);
	assert_null(tcp_active_pcbs);
	assert_true(recv(st.b->peer, &st.acks, sizeof(st.acks), MSG_DONTWAIT) >
		    0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_checksums_are_found),
		cmocka_unit_test(a_gap_makes_no_link_deaf),
		cmocka_unit_test(super_packets_are_acknowledged_in_the_turn),
		cmocka_unit_test(so_are_those_of_several_connections),
		cmocka_unit_test(a_connection_may_end_in_between),
	};

	return cmocka_run_group_tests_name("lwip input", tests, bed_set_up,
					   bed_tear_down);
}
