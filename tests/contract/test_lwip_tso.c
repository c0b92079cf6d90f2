/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lwIP adaptor's segmentation offload, segment by segment. What the
 * endpoint was given uncut arrives cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <lwip/priv/tcp_priv.h>

#include <fdlink/fdlink.h>

#include "../unit/packets.h"
#include "lwip_bed.h"

static unsigned copied;

u16_t __real_pbuf_copy_partial(const struct pbuf *p, void *to, u16_t len,
			       u16_t offset);
u16_t __wrap_pbuf_copy_partial(const struct pbuf *p, void *to, u16_t len,
			       u16_t offset);

/* What is split is copied so. */
u16_t __wrap_pbuf_copy_partial(const struct pbuf *p, void *to, u16_t len,
			       u16_t offset)
{
	copied += len;
	return __real_pbuf_copy_partial(p, to, len, offset);
}

/* A window's worth leaves as one segment of lwIP's. */
static void what_the_peer_has_is_not_sent_again(void **state)
{
	struct bed *b = bed_connect(state, WIDE);

	bed_write(b, FIRST);
	bed_expect(b, 0, FIRST);
	bed_acknowledge(b, MSS);
	bed_expect(b, 0, 0);
	bed_await_timeout(b);
	bed_expect(b, MSS, MSS);
	bed_acknowledge(b, 2 * MSS);
	bed_expect(b, 2 * MSS, FIRST - 2 * MSS);
	bed_hang_up(b);
}

/* Nagle's algorithm waits for what is in flight, which would be these bytes. */
static void a_short_rest_is_sent_again(void **state)
{
	struct bed *b = bed_connect(state, WIDE);

	bed_write(b, MSS + 500);
	bed_expect(b, 0, MSS + 500);
	bed_acknowledge(b, MSS);
	bed_await_timeout(b);
	bed_expect(b, MSS, 500);
	bed_acknowledge(b, MSS + 500);
	assert_null(b->pcb->unacked);
	bed_hang_up(b);
}

/* The first segments go whole, the one behind them in part. */
static void a_window_is_filled_in_one_turn(void **state)
{
	const unsigned window = 8000, fits = window / MSS * MSS;
	struct bed *b = bed_connect(state, window);
	const unsigned at = bed_grow(b, window);

	bed_write(b, 20000);
	bed_expect(b, at, fits);
	bed_acknowledge(b, at + fits);
	bed_expect(b, at + fits, fits);
	bed_hang_up(b);
}

/* Of many cuts that were one segment the second is missing. Who wrote is told
 * of the first two when that has come. */
static void a_fast_retransmission_is_one_cut(void **state)
{
	struct bed *b = bed_connect(state, WIDE);
	const unsigned len = 20 * MSS, at = bed_grow(b, len);
	unsigned i, room;

	bed_write(b, len);
	bed_expect(b, at, len);
	bed_acknowledge(b, at + MSS);
	for (i = 0; i < 2; i++) {
		bed_acknowledge(b, at + MSS);
		bed_expect(b, 0, 0);
	}
	bed_acknowledge(b, at + MSS);
	bed_expect(b, at + MSS, MSS);
	room = b->pcb->snd_buf;
	bed_acknowledge(b, at + 2 * MSS);
	assert_int_equal(b->pcb->snd_buf, room + 2 * MSS);
	bed_acknowledge(b, at + len);
	bed_expect(b, 0, 0);
	assert_null(b->pcb->unacked);
	bed_hang_up(b);
}

/* As long as much is in flight, there is more to come for what is next. */
static void no_little_pieces_are_cut_off(void **state)
{
	struct bed *b = bed_connect(state, WIDE);
	const unsigned at = bed_grow(b, WIDE);
	const unsigned fits = WIDE / MSS * MSS;

	bed_write(b, 30 * MSS);
	bed_write(b, 30 * MSS);
	bed_acknowledge(b, at);
	bed_acknowledge(b, at + MSS);
	bed_expect(b, 0, 0);
	bed_acknowledge(b, at + 8 * MSS);
	bed_expect(b, at + fits, 8 * MSS);
	bed_hang_up(b);
}

/* What is split leaves its flags to the last. */
static void the_end_is_at_the_end(void **state)
{
	struct bed *b = bed_connect(state, 8000);
	const unsigned at = bed_grow(b, 8000);
	const unsigned fits = 8000 / MSS * MSS;

	bed_write(b, fits + 3 * MSS);
	bed_expect(b, at, fits);
	assert_int_equal(tcp_close(b->pcb), ERR_OK);
	bed_acknowledge(b, at + 2 * MSS);
	bed_expect(b, at + fits, 2 * MSS);
	assert_int_equal(b->end, 0);
	bed_take_to_end(b, at + fits + 2 * MSS);
	assert_int_equal(b->end, b->written);
	bed_say(b, ACK | FIN, b->start + b->end + 1, 0);
	bed_look(b);
}

/* Segments are shorter then than those that are made by now. */
static void a_write_may_follow_a_timeout(void **state)
{
	struct bed *b = bed_connect(state, WIDE);
	const unsigned at = bed_grow(b, WIDE);

	bed_write(b, 60000);
	bed_write(b, 60000);
	bed_await_timeout(b);
	bed_expect(b, at, MSS);
	bed_write(b, 60000);
	bed_take_to_end(b, at + MSS);
	bed_hang_up(b);
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
			bed_await_timeout(b);
		assert_true(b->n);
		assert_in_range(bed_end_of_last(b), at + 1, at + b->window);
		at = bed_end_of_last(b);
		bed_acknowledge(b, at);
	}
	assert_null(b->pcb->unacked);
}

static void fill_small_window(struct bed *b, const struct shrink *s)
{
	unsigned i;

	bed_write(b, FIRST);
	bed_expect(b, 0, FIRST);
	b->window = s->window;
	for (i = 0; i <= s->again; i++)
		bed_acknowledge(b, s->has);
	take_by_window(b, s->has);
	bed_hang_up(b);
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
		fill_small_window(bed_connect(state, WIDE), &cases[i]);
}

/* Of two segments the second cut, twice: it is the next to be sent again, and
 * what follows is in order. */
static void lose_twice(struct bed *b, unsigned window)
{
	const unsigned len = 10 * MSS, at = bed_grow(b, 2 * len);
	unsigned i;

	bed_write(b, len);
	bed_write(b, len);
	for (i = 0; i < 4; i++)
		bed_acknowledge(b, at + MSS);
	bed_expect(b, at + MSS, MSS);
	/* lwIP heeds a smaller window only with something new: a byte of the
	 * peer's that is lost. */
	b->seq++;
	b->window = window;
	bed_acknowledge(b, at + MSS);
	bed_await_timeout(b);
	assert_true(b->n);
	if (window >= MSS)
		bed_expect(b, at + MSS, MSS);
	take_by_window(b, at + MSS);
	bed_hang_up(b);
}

static void a_retransmission_may_be_lost(void **state)
{
	lose_twice(bed_connect(state, WIDE), WIDE);
	lose_twice(bed_connect(state, WIDE), MSS);
	lose_twice(bed_connect(state, WIDE), 500);
}

/* Segments are made for the congestion window, and not cut to it when it is
 * their turn: in a slow start, that would be all of them. */
static void hardly_a_byte_is_copied(void **state)
{
	struct bed *b = bed_connect(state, WIDE);

	copied = 0;
	bed_write(b, 60000);
	bed_take_to_end(b, bed_end_of_last(b));
	assert_in_range(copied, 0, 3 * MSS);
	bed_hang_up(b);
}

/* What a link still has is not cut, as lwIP sends none of it. */
static void bytes_on_their_way_stay(void **state)
{
	struct bed *b = bed_connect(state, WIDE);
	struct pbuf *p;
	unsigned len;

	bed_write(b, FIRST);
	bed_write(b, FIRST);
	bed_expect(b, 0, 0);
	p = b->pcb->unsent->p;
	len = p->tot_len;
	bed_await_timeout(b);
	bed_expect(b, 0, MSS);
	pbuf_ref(p);
	bed_acknowledge(b, FIRST);
	bed_expect(b, 0, 0);
	assert_int_equal(p->tot_len, len);
	pbuf_free(p);
	bed_acknowledge(b, FIRST);
	bed_expect(b, FIRST, 2 * MSS);
	bed_take_to_end(b, FIRST + 2 * MSS);
	bed_hang_up(b);
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
	bed_turn(b);
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
		cmocka_unit_test(hardly_a_byte_is_copied),
		cmocka_unit_test(bytes_on_their_way_stay),
		cmocka_unit_test(a_window_may_become_small),
		cmocka_unit_test(a_retransmission_may_be_lost),
		cmocka_unit_test(a_segment_of_no_connection_is_cut_at_the_mtu),
	};

	return cmocka_run_group_tests_name("lwip tso", tests, bed_set_up,
					   bed_tear_down);
}
