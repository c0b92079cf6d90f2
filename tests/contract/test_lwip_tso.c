/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lwIP adaptor, and its segmentation offload, segment by segment: the test is
 * lwIP's peer at the other end of a pair of unix sockets, and lwIP's clock is the
 * test's. What the endpoint was given uncut arrives cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <lwip/init.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>

#include <fdlink/fdlink.h>

#include "../unit/packets.h"
#include "fdl_lwip.h"

enum {
	MTU = 1500,
	MSS = MTU - 40,
	FIRST = 4380 / MSS * MSS,	/* lwIP's initial window */
	WIDE = 65535,
	TICK_MS = 250,
	TICKS = 100,			/* longer than the first timeout */
	MAX_CUTS = 64,
	FED = 100,
	MANY = 600,			/* more than the pool has packets */
	PERIOD = 251,
	FIN = 1,
	SYN = 2,
	ACK = 16,
};

/* A segment as it arrives; at is 0 for the first byte of the stream. */
struct cut {
	uint32_t at;
	unsigned len;
};

struct bed {
	struct fdl_lwip link;
	struct netif netif;
	struct tcp_pcb *pcb;
	int peer;
	unsigned flow;
	unsigned window;		/* that the peer says it has */
	uint32_t seq, start;		/* the peer's next, lwIP's first */
	struct cut cut[MAX_CUTS];
	unsigned n;
	uint32_t written, end;		/* by lwIP, and where its FIN was */
};

/* From any byte of the first period on, as much as a write takes. */
static uint8_t bytes[PERIOD + WIDE];
static u32_t clock_ms;

u32_t __wrap_sys_now(void);

u32_t __wrap_sys_now(void)
{
	return clock_ms;
}

static void say_to_host(struct bed *b, uint8_t flags, uint32_t ack,
			unsigned mss)
{
	const struct shape s = {
		.version = 4,
		.proto = 6,
		.tcp_opts = mss ? 4 : 0,
		.flow = b->flow,
		.ttl = 64,
		.flags = flags,
		.seq = b->seq,
		.ack = ack,
		.partial = true,
	};
	struct fdl_offload off = shape_offload(&s, 0);
	uint8_t frame[64];
	size_t len = build(frame, &s);

	put16(frame + 34, b->window);
	if (mss) {
		put16(frame + 40, 0x0204);
		put16(frame + 42, mss);
	}
	assert_int_equal(fdl_checksum_complete(frame, len, 0, &off), 0);
	assert_int_equal(send(b->peer, frame, len, 0), len);
	if (flags & (SYN | FIN))
		b->seq++;
}

static void turn(struct bed *b)
{
	assert_true(fdl_poll(b->link.ep, 0) >= 0);
	sys_check_timeouts();
	assert_true(fdl_lwip_poll(&b->link) >= 0);
}

static void note(struct bed *b, uint32_t at, const uint8_t *payload,
		 unsigned len)
{
	assert_in_range(at + len, at + 1, b->written);
	assert_memory_equal(payload, bytes + at % PERIOD, len);
	assert_in_range(b->n, 0, MAX_CUTS - 1);
	b->cut[b->n++] = (struct cut){ at, len };
}

/* Note the next that lwIP sent. */
static bool look(struct bed *b)
{
	uint8_t frame[MTU];
	const uint8_t *tcp = frame + 20;
	ssize_t len = recv(b->peer, frame, sizeof(frame), MSG_DONTWAIT);
	unsigned hdr_len, payload;
	uint32_t at;

	if (len < 0)
		return false;
	assert_in_range(len, 40, MTU);
	assert_int_equal(fdl_checksum_verify(frame, (size_t)len, 0), 1);
	assert_int_equal(get16(tcp + 2), 1000 + b->flow);
	hdr_len = 20 + (tcp[12] >> 4) * 4U;
	payload = (unsigned)len - hdr_len;
	if (tcp[13] & SYN)
		b->start = get32(tcp + 4) + 1;
	at = get32(tcp + 4) - b->start;
	if (tcp[13] & FIN)
		b->end = at + payload;
	if (payload)
		note(b, at, frame + hdr_len, payload);
	return true;
}

/* What lwIP sends in one turn. */
static void look_all(struct bed *b)
{
	b->n = 0;
	turn(b);
	while (look(b))
		;
}

/* The peer has all up to there. */
static void acknowledge(struct bed *b, uint32_t at)
{
	say_to_host(b, ACK, b->start + at, 0);
	look_all(b);
}

/* Let time pass till lwIP sends. */
static void await_timeout(struct bed *b)
{
	unsigned i;

	b->n = 0;
	for (i = 0; i < TICKS && !b->n; i++) {
		clock_ms += TICK_MS;
		look_all(b);
	}
}

static void expect_cuts(const struct bed *b, uint32_t at, unsigned len)
{
	unsigned i, n, left = len;

	for (i = 0; i < b->n; i++) {
		n = left < MSS ? left : MSS;
		assert_int_equal(b->cut[i].at, at);
		assert_int_equal(b->cut[i].len, n);
		at += n;
		left -= n;
	}
	assert_int_equal(left, 0);
}

static void write_bytes(struct bed *b, unsigned len)
{
	assert_int_equal(
		tcp_write(b->pcb, bytes + b->written % PERIOD, (u16_t)len, 0),
		ERR_OK);
	b->written += len;
	assert_int_equal(tcp_output(b->pcb), ERR_OK);
	look_all(b);
}

static err_t taken(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct bed *b = arg;

	assert_int_equal(err, ERR_OK);
	b->pcb = pcb;
	return ERR_OK;
}

static int set_up(void **state)
{
	static struct bed b;
	struct fdl_options options = {
		.size = sizeof(options),
		.mtu = MTU,
		.flags = FDL_LWIP_FLAGS,
		.headroom = FDL_LWIP_HEADROOM,
	};
	ip4_addr_t address, mask;
	struct tcp_pcb *pcb;
	int fds[2];
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i % PERIOD);
	lwip_init();
	IP4_ADDR(&address, 10, 1, 0, 2);
	IP4_ADDR(&mask, 255, 0, 0, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(fdl_endpoint_new(&b.link.ep, fds, 1, &options), 0);
	close(fds[0]);
	b.peer = fds[1];
	b.link.tso = 1;
	assert_non_null(netif_add(&b.netif, &address, &mask, NULL, &b.link,
				  fdl_lwip_init, netif_input));
	assert_int_equal(b.link.tso, 1);
	netif_set_default(&b.netif);
	netif_set_up(&b.netif);
	pcb = tcp_new();
	assert_int_equal(tcp_bind(pcb, IP_ANY_TYPE, 80), ERR_OK);
	pcb = tcp_listen(pcb);
	tcp_arg(pcb, &b);
	tcp_accept(pcb, taken);
	*state = &b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	netif_remove(&b->netif);
	assert_int_equal(fdl_endpoint_free(b->link.ep), 0);
	close(b->peer);
	return 0;
}

/* Each from a port of its own. */
static struct bed *connect_to(void **state, unsigned window)
{
	struct bed *b = *state;

	b->flow += 7;
	b->window = window;
	b->seq = 1000;
	b->pcb = NULL;
	b->written = 0;
	b->end = 0;
	say_to_host(b, SYN, 0, MSS);
	look_all(b);
	acknowledge(b, 0);
	assert_non_null(b->pcb);
	return b;
}

static void hang_up(struct bed *b)
{
	tcp_abort(b->pcb);
	look_all(b);
}

/* A window's worth leaves as one segment of lwIP's. */
static void what_the_peer_has_is_not_sent_again(void **state)
{
	struct bed *b = connect_to(state, WIDE);

	write_bytes(b, FIRST);
	expect_cuts(b, 0, FIRST);
	acknowledge(b, MSS);
	expect_cuts(b, 0, 0);
	await_timeout(b);
	expect_cuts(b, MSS, MSS);
	acknowledge(b, 2 * MSS);
	expect_cuts(b, 2 * MSS, FIRST - 2 * MSS);
	hang_up(b);
}

/* Nagle's algorithm waits for what is in flight, which would be these bytes. */
static void a_short_rest_is_sent_again(void **state)
{
	struct bed *b = connect_to(state, WIDE);

	write_bytes(b, MSS + 500);
	expect_cuts(b, 0, MSS + 500);
	acknowledge(b, MSS);
	await_timeout(b);
	expect_cuts(b, MSS, 500);
	acknowledge(b, MSS + 500);
	assert_null(b->pcb->unacked);
	hang_up(b);
}

/* Have the congestion window grow beyond that. Returns what was sent. */
static unsigned grow(struct bed *b, unsigned cwnd)
{
	unsigned i, total = 0;

	for (i = 0; i < 50 && b->pcb->cwnd <= cwnd; i++) {
		write_bytes(b, 2 * MSS);
		total += 2 * MSS;
		acknowledge(b, total);
	}
	assert_true(b->pcb->cwnd > cwnd);
	return total;
}

/* The first segments go whole, the one behind them in part. */
static void a_window_is_filled_in_one_turn(void **state)
{
	const unsigned window = 8000, fits = window / MSS * MSS;
	struct bed *b = connect_to(state, window);
	const unsigned at = grow(b, window);

	write_bytes(b, 20000);
	expect_cuts(b, at, fits);
	acknowledge(b, at + fits);
	expect_cuts(b, at + fits, fits);
	hang_up(b);
}

/* Of many cuts that were one segment the second is missing. Who wrote is told of
 * the first two when that has come. */
static void a_fast_retransmission_is_one_cut(void **state)
{
	struct bed *b = connect_to(state, WIDE);
	const unsigned len = 20 * MSS, at = grow(b, len);
	unsigned i, room;

	write_bytes(b, len);
	expect_cuts(b, at, len);
	acknowledge(b, at + MSS);
	for (i = 0; i < 2; i++) {
		acknowledge(b, at + MSS);
		expect_cuts(b, 0, 0);
	}
	acknowledge(b, at + MSS);
	expect_cuts(b, at + MSS, MSS);
	room = b->pcb->snd_buf;
	acknowledge(b, at + 2 * MSS);
	assert_int_equal(b->pcb->snd_buf, room + 2 * MSS);
	acknowledge(b, at + len);
	expect_cuts(b, 0, 0);
	assert_null(b->pcb->unacked);
	hang_up(b);
}

/* The peer has what it gets, up to the end, and each byte came once. */
static void take_to_end(struct bed *b, uint32_t at)
{
	unsigned i;

	while (at < b->written) {
		acknowledge(b, at);
		assert_true(b->n);
		for (i = 0; i < b->n; i++) {
			assert_int_equal(b->cut[i].at, at);
			at += b->cut[i].len;
		}
	}
	acknowledge(b, at);
}

/* As long as much is in flight, there is more to come for what is next. */
static void no_little_pieces_are_cut_off(void **state)
{
	struct bed *b = connect_to(state, WIDE);
	const unsigned at = grow(b, WIDE);
	const unsigned fits = WIDE / MSS * MSS;

	write_bytes(b, 30 * MSS);
	write_bytes(b, 30 * MSS);
	acknowledge(b, at);
	acknowledge(b, at + MSS);
	expect_cuts(b, 0, 0);
	acknowledge(b, at + 8 * MSS);
	expect_cuts(b, at + fits, 8 * MSS);
	hang_up(b);
}

/* What is split leaves its flags to the last. */
static void the_end_is_at_the_end(void **state)
{
	struct bed *b = connect_to(state, 8000);
	const unsigned at = grow(b, 8000);
	const unsigned fits = 8000 / MSS * MSS;

	write_bytes(b, fits + 3 * MSS);
	expect_cuts(b, at, fits);
	assert_int_equal(tcp_close(b->pcb), ERR_OK);
	acknowledge(b, at + 2 * MSS);
	expect_cuts(b, at + fits, 2 * MSS);
	assert_int_equal(b->end, 0);
	take_to_end(b, at + fits + 2 * MSS);
	assert_int_equal(b->end, b->written);
	say_to_host(b, ACK | FIN, b->start + b->end + 1, 0);
	look_all(b);
}

/* Segments are shorter then than those that are made by now. */
static void a_write_may_follow_a_timeout(void **state)
{
	struct bed *b = connect_to(state, WIDE);
	const unsigned at = grow(b, WIDE);

	write_bytes(b, 60000);
	write_bytes(b, 60000);
	await_timeout(b);
	expect_cuts(b, at, MSS);
	write_bytes(b, 60000);
	take_to_end(b, at + MSS);
	hang_up(b);
}

static uint32_t end_of_last(const struct bed *b)
{
	const struct cut *last = &b->cut[b->n - 1];

	return last->at + last->len;
}

/* The peer has a part of what was one segment, says so some times more, and
 * takes back most of its window, as it may when it is short of memory. */
struct shrink {
	unsigned has, again, window;
};

/* Each time the window is filled, and nothing goes beyond it. */
static void take_by_window(struct bed *b, uint32_t at)
{
	while (at < b->written) {
		if (!b->n)
			await_timeout(b);
		assert_true(b->n);
		assert_in_range(end_of_last(b), at + 1, at + b->window);
		at = end_of_last(b);
		acknowledge(b, at);
	}
	assert_null(b->pcb->unacked);
}

static void fill_small_window(struct bed *b, const struct shrink *s)
{
	unsigned i;

	write_bytes(b, FIRST);
	expect_cuts(b, 0, FIRST);
	b->window = s->window;
	for (i = 0; i <= s->again; i++)
		acknowledge(b, s->has);
	take_by_window(b, s->has);
	hang_up(b);
}

static void a_window_may_become_small(void **state)
{
	static const struct shrink cases[] = {
		{ MSS, 0, 500 },	   { MSS, 0, 1000 },
		{ MSS + 500, 0, 1000 },	   { 2 * MSS + 500, 0, 100 },
		{ 500, 0, MSS },	   { 100, 0, 2 * MSS - 1 },
		{ MSS, 3, 500 },	   { 100, 3, 500 },
		{ 2 * MSS, 3, 500 },	   { 100, 3, MSS },
	};
	unsigned i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fill_small_window(connect_to(state, WIDE), &cases[i]);
}

/* Of two segments the second cut, twice: it is the next to be sent again, and
 * what follows is in order. */
static void lose_twice(struct bed *b, unsigned window)
{
	const unsigned len = 10 * MSS, at = grow(b, 2 * len);
	unsigned i;

	write_bytes(b, len);
	write_bytes(b, len);
	for (i = 0; i < 4; i++)
		acknowledge(b, at + MSS);
	expect_cuts(b, at + MSS, MSS);
	/* lwIP heeds a smaller window only with something new: a byte of the
	 * peer's that is lost. */
	b->seq++;
	b->window = window;
	acknowledge(b, at + MSS);
	await_timeout(b);
	assert_true(b->n);
	if (window >= MSS)
		expect_cuts(b, at + MSS, MSS);
	take_by_window(b, at + MSS);
	hang_up(b);
}

static void a_retransmission_may_be_lost(void **state)
{
	lose_twice(connect_to(state, WIDE), WIDE);
	lose_twice(connect_to(state, WIDE), MSS);
	lose_twice(connect_to(state, WIDE), 500);
}

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
	look_all(b);
}

/* lwIP is told not to check what is right, and only that. */
static void wrong_checksums_are_found(void **state)
{
	struct bed *b = connect_to(state, WIDE);
	int i;

	for (i = 0; i < 2; i++) {
		feed_bytes(b, false);
		assert_int_equal(b->pcb->rcv_nxt, b->seq);
		feed_bytes(b, true);
		b->seq += FED;
		assert_int_equal(b->pcb->rcv_nxt, b->seq);
	}
	hang_up(b);
}

/* lwIP keeps what comes out of order. */
static void a_gap_makes_no_link_deaf(void **state)
{
	struct bed *b = connect_to(state, WIDE);
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
	hang_up(b);
}

/* As one leaves that had to wait for its neighbour to be found. */
static void a_segment_of_no_connection_is_cut_at_the_mtu(void **state)
{
	const unsigned len = 2 * MSS + 100;
	const struct shape s = {
		.version = 4,
		.proto = 6,
		.payload = len,
		.ttl = 64,
		.flags = ACK,
	};
	struct bed *b = *state;
	struct pbuf *p = pbuf_alloc(PBUF_RAW, 40 + len, PBUF_RAM);
	uint8_t frame[40 + 3 * MSS];
	ssize_t got;
	unsigned i;

	build(frame, &s);
	put16(frame + 36, 0);
	assert_int_equal(pbuf_take(p, frame, 40 + len), ERR_OK);
	assert_int_equal(b->netif.linkoutput(&b->netif, p), ERR_OK);
	pbuf_free(p);
	turn(b);
	for (i = 0; i < 3; i++) {
		got = recv(b->peer, frame, sizeof(frame), MSG_DONTWAIT);
		assert_int_equal(got, 40 + (i < 2 ? MSS : 100));
		assert_int_equal(fdl_checksum_verify(frame, (size_t)got, 0), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_peer_has_is_not_sent_again),
		cmocka_unit_test(a_short_rest_is_sent_again),
		cmocka_unit_test(a_window_is_filled_in_one_turn),
		cmocka_unit_test(a_fast_retransmission_is_one_cut),
		cmocka_unit_test(no_little_pieces_are_cut_off),
		cmocka_unit_test(the_end_is_at_the_end),
		cmocka_unit_test(a_write_may_follow_a_timeout),
		cmocka_unit_test(a_window_may_become_small),
		cmocka_unit_test(a_retransmission_may_be_lost),
		cmocka_unit_test(wrong_checksums_are_found),
		cmocka_unit_test(a_gap_makes_no_link_deaf),
		cmocka_unit_test(a_segment_of_no_connection_is_cut_at_the_mtu),
	};

	return cmocka_run_group_tests_name("lwip tso", tests, set_up,
					   tear_down);
}
