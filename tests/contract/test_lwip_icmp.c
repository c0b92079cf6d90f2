/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What strangers say of paths: what can be true is heeded, in every mode, and
 * all else changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <lwip/priv/nd6_priv.h>
#include <lwip/priv/tcp_priv.h>

#include <fdlink/fdlink.h>

#include "../unit/packets.h"
#include "lwip_bed.h"

enum {
	HOP = 1280,
	QUOTED = 48,
	TOO_BIG = 2,
	PING = 128,
	PONG = 129,
	FRAGMENT = 44,
	OPTIONS = 60,
	LONG = 1400,
};

enum mode { OFF, ON, TSO };

/* What is said, of a packet that lwIP sent. */
struct lie {
	const char *why;
	uint32_t mtu;
	unsigned at;		/* where the quoted packet is changed */
	uint8_t by;
	bool bad_sum;
};

static void set_mode(struct bed *b, enum mode mode)
{
	b->link.tso = mode == TSO;
	b->link.wire_sums = mode != OFF;
	b->netif.chksum_flags |= NETIF_CHECKSUM_GEN_TCP;
	if (mode != OFF)
		b->netif.chksum_flags &= (u16_t)~NETIF_CHECKSUM_GEN_TCP;
}

/* Nothing is known of paths, as if ten minutes had passed. */
static void forget(struct bed *b)
{
	memset(b->link.path, 0, sizeof(b->link.path));
	b->link.narrow = 0;
}

static void put_ip6(uint8_t *ip, unsigned len, uint8_t next, unsigned from)
{
	memset(ip, 0, 40);
	ip[0] = 0x60;
	put16(ip + 4, len);
	ip[6] = next;
	ip[7] = 255;
	ip[8] = ip[24] = 0xfd;
	ip[9] = (uint8_t)from;
	ip[25] = 2;
	ip[23] = 1;
	ip[39] = 2;
}

static void send_frame(struct bed *b, const uint8_t *frame, size_t len)
{
	assert_int_equal(send(b->peer, frame, len, 0), len);
}

static unsigned make_too_big6(uint8_t *frame, const struct lie *lie,
			      const uint8_t *quote)
{
	uint8_t *msg = frame + 40;
	const unsigned len = 8 + QUOTED;

	put_ip6(frame, len, 58, 3);
	memset(msg, 0, 8);
	msg[0] = TOO_BIG;
	put32(msg + 4, lie->mtu);
	memcpy(msg + 8, quote, QUOTED);
	msg[8 + lie->at] ^= lie->by;
	/* Its own destination is the quoted source. */
	put16(msg + 2,
	      (uint16_t)~ref_sum(msg, len, ref_pseudo(frame, 6, 58, len)));
	msg[2] ^= lie->bad_sum;
	return 40 + len;
}

static unsigned make_too_big4(uint8_t *frame, const struct lie *lie,
			      const uint8_t *quote)
{
	const struct shape s = { .version = 4, .proto = 1, .ttl = 64 };
	uint8_t *msg = frame + 20;
	const unsigned len = 8 + 28;

	build_ip4(frame, &s, 20 + len);
	memset(msg, 0, 8);
	msg[0] = 3;
	msg[1] = 4;
	put16(msg + 6, lie->mtu);
	memcpy(msg + 8, quote, 28);
	msg[8 + lie->at] ^= lie->by;
	put16(msg + 2, (uint16_t)~ref_sum(msg, len, 0));
	msg[2] ^= lie->bad_sum;
	return 20 + len;
}

static void say_too_big(struct bed *b, const struct lie *lie,
			const uint8_t *quote)
{
	uint8_t frame[128];

	send_frame(b, frame,
		   b->version == 6 ? make_too_big6(frame, lie, quote) :
				     make_too_big4(frame, lie, quote));
}

/* Of the first packet of what was sent its headers, the rest to be seen later:
 * the stream's bytes at at. */
static void make_quote(const struct bed *b, uint32_t at, uint8_t *quote)
{
	uint8_t *tcp = quote + bed_ip_len(b);
	const struct shape s = {
		.version = b->version == 6 ? 6 : 4,
		.proto = 6,
		.flow = b->flow,
		.ttl = 64,
	};
	uint8_t frame[84], swap[16];
	const unsigned n = b->version == 6 ? 16 : 4;
	uint8_t *from = quote + (b->version == 6 ? 8 : 12);

	build(frame, &s);
	memcpy(quote, frame, QUOTED);
	memcpy(swap, from, n);
	memcpy(from, from + n, n);
	memcpy(from + n, swap, n);
	put16(quote + (b->version == 6 ? 4 : 2),
	      b->version == 6 ? MTU - 40 : MTU);
	put16(tcp, 80);
	put16(tcp + 2, 1000 + b->flow);
	put32(tcp + 4, b->start + at);
}

static unsigned longest(const struct bed *b)
{
	unsigned i, max = 0;

	for (i = 0; i < b->n; i++)
		max = LWIP_MAX(max, b->cut[i].len);
	return max;
}

/* The window's worth comes again at once, in order, and shorter; and so does
 * all that is written then. */
static void narrow(struct bed *b, enum mode mode)
{
	const unsigned full = MTU - bed_ip_len(b) - 20;
	const unsigned max = HOP - bed_ip_len(b) - 20;
	const struct lie truth = { .mtu = HOP };
	uint8_t quote[QUOTED];
	uint32_t at;

	set_mode(b, mode);
	bed_write(b, 3 * full);
	bed_acknowledge(b, 0);
	bed_write(b, 20000);
	make_quote(b, 0, quote);
	say_too_big(b, &truth, quote);
	bed_look(b);
	assert_true(b->n);
	assert_int_equal(b->cut[0].at, 0);
	assert_in_range(longest(b), 1, max);
	at = bed_end_of_last(b);
	/* Said of each that was lost, and heeded once. */
	say_too_big(b, &truth, quote);
	bed_look(b);
	assert_int_equal(b->n, 0);
	while (at < b->written) {
		bed_acknowledge(b, at);
		if (!b->n)
			bed_await_timeout(b);
		assert_true(b->n);
		assert_in_range(longest(b), 1, max);
		at = bed_end_of_last(b);
	}
	bed_acknowledge(b, at);
	bed_write(b, 4 * max);
	assert_int_equal(longest(b), max);
	bed_take_to_end(b, bed_end_of_last(b));
	bed_hang_up(b);
	forget(b);
	set_mode(b, TSO);
}

static void a_narrow_path_shortens_segments(void **state)
{
	struct bed *b = *state;
	enum mode mode;

	for (mode = OFF; mode <= TSO; mode++) {
		b->version = 6;
		narrow(bed_connect(state, WIDE), mode);
		b->version = 4;
		narrow(bed_connect(state, WIDE), mode);
	}
}

/* Segments that cannot be sent again at once are still cut. */
static void what_waits_is_cut_too(void **state)
{
	struct bed *b = *state;
	const struct lie truth = { .mtu = HOP };
	uint8_t quote[QUOTED];
	struct pbuf *p;

	b->version = 6;
	bed_connect(state, WIDE);
	set_mode(b, ON);
	bed_write(b, 3 * 1440);
	p = b->pcb->unacked->p;
	pbuf_ref(p);
	make_quote(b, 0, quote);
	say_too_big(b, &truth, quote);
	bed_look(b);
	assert_int_equal(b->n, 0);
	pbuf_free(p);
	bed_await_timeout(b);
	assert_true(b->n);
	assert_in_range(longest(b), 1, HOP - 60);
	bed_take_to_end(b, bed_end_of_last(b));
	bed_hang_up(b);
	forget(b);
	set_mode(b, TSO);
}

/* at: of the quoted packet, behind its IP header where it says so. */
static void lies_change_nothing(void **state)
{
	static const struct lie lies6[] = {
		{ "no IPv6 path's", 0, 0, 0, false },
		{ "no IPv6 path's", 50, 0, 0, false },
		{ "no IPv6 path's", 60, 0, 0, false },
		{ "no IPv6 path's", 68, 0, 0, false },
		{ "no IPv6 path's", 1279, 0, 0, false },
		{ "the link's", MTU, 0, 0, false },
		{ "more", 0xffffffff, 0, 0, false },
		{ "65536 more than 1280", 0x10000 + HOP, 0, 0, false },
		{ "a wrong checksum", HOP, 0, 0, true },
		{ "no IPv6", HOP, 0, 0x20, false },
		{ "short enough", HOP, 4, 5, false },
		{ "no TCP", HOP, 6, 6 ^ 17, false },
		{ "not from here", HOP, 23, 1, false },
		{ "to somebody else", HOP, 39, 7, false },
		{ "another port of ours", HOP, 41, 1, false },
		{ "another port", HOP, 43, 1, false },
		{ "not in flight", HOP, 44, 0x80, false },
		{ "not in flight", HOP, 45, 0x80, false },
	};
	static const struct lie lies4[] = {
		{ "as old routers say it", 0, 0, 0, false },
		{ "hardly a path's", 68, 0, 0, false },
		{ "hardly a path's", 575, 0, 0, false },
		{ "the link's", MTU, 0, 0, false },
		{ "a wrong checksum", HOP, 0, 0, true },
		{ "short enough", HOP, 2, 5, false },
		{ "a later fragment", HOP, 7, 1, false },
		{ "to somebody else", HOP, 19, 7, false },
		{ "another port", HOP, 23, 1, false },
		{ "not in flight", HOP, 24, 0x80, false },
	};
	struct bed *b = *state;
	uint8_t quote[QUOTED];
	unsigned i, n;

	for (b->version = 6; b->version >= 4; b->version -= 2) {
		bed_connect(state, WIDE);
		bed_write(b, 2000);
		bed_acknowledge(b, 2000);
		bed_write(b, 1440);
		n = b->version == 6 ? LWIP_ARRAYSIZE(lies6) :
				      LWIP_ARRAYSIZE(lies4);
		for (i = 0; i < n; i++) {
			make_quote(b, 2000, quote);
			say_too_big(b, b->version == 6 ? &lies6[i] : &lies4[i],
				    quote);
			bed_look(b);
			if (b->n || b->link.narrow)
				fail_msg("heeded: %s", b->version == 6 ?
							       lies6[i].why :
							       lies4[i].why);
		}
		/* Just what is in flight. */
		make_quote(b, 1999, quote);
		say_too_big(b, &(struct lie){ .mtu = HOP }, quote);
		make_quote(b, 2000 + 1440, quote);
		say_too_big(b, &(struct lie){ .mtu = HOP }, quote);
		bed_look(b);
		assert_int_equal(b->n, 0);
		bed_acknowledge(b, 2000 + 1440);
		bed_write(b, 2880);
		assert_in_range(longest(b), 1440, 1460);
		bed_hang_up(b);
	}
	b->version = 0;
}

/* Behind other headers, and in fragments, lwIP finds it. It must not obey. */
static void wrapped_lies_change_nothing(void **state)
{
	struct bed *b = *state;
	const struct lie lie = { .mtu = 50 };
	uint8_t quote[QUOTED], plain[128], frame[160];
	unsigned len, i;

	b->version = 6;
	bed_connect(state, WIDE);
	bed_write(b, 1440);
	make_quote(b, 0, quote);
	len = make_too_big6(plain, &lie, quote) - 40;
	for (i = 0; i < 3; i++) {
		memcpy(frame, plain, 40);
		put16(frame + 4, 8 + len);
		memset(frame + 40, 0, 8);
		frame[6] = (const uint8_t[]){ 0, OPTIONS, FRAGMENT }[i];
		frame[40] = 58;
		frame[42] = i < 2;		/* PadN */
		frame[43] = i < 2 ? 4 : 0;
		memcpy(frame + 48, plain + 40, len);
		send_frame(b, frame, 48 + len);
		bed_look(b);
		assert_int_equal(b->n, 0);
	}
	for (i = 0; i < LWIP_ND6_NUM_DESTINATIONS; i++)
		assert_int_equal(destination_cache[i].pmtu, 0);
	bed_acknowledge(b, 1440);
	bed_write(b, 2880);
	assert_int_equal(longest(b), 1440);
	bed_hang_up(b);
	b->version = 0;
}

static void ping(struct bed *b, unsigned from)
{
	uint8_t frame[40 + LONG], *msg = frame + 40;
	unsigned i;

	put_ip6(frame, LONG, 58, from);
	memset(msg, 0, 8);
	msg[0] = PING;
	for (i = 8; i < LONG; i++)
		msg[i] = (uint8_t)(i * 7);
	put16(msg + 2,
	      (uint16_t)~ref_sum(msg, LONG, ref_pseudo(frame, 6, 58, LONG)));
	send_frame(b, frame, sizeof(frame));
	bed_turn(b);
}

/* Returns how many packets the answer came in. */
static unsigned take_pong(struct bed *b, uint8_t *answer)
{
	uint8_t frame[MTU];
	unsigned n = 0, at, len, got = 0;
	bool more = true;

	for (; more; n++) {
		len = (unsigned)recv(b->peer, frame, sizeof(frame),
				     MSG_DONTWAIT);
		assert_in_range(len, 40, MTU);
		if (frame[6] != FRAGMENT) {
			memcpy(answer, frame, len);
			return 1;
		}
		assert_in_range(len, 49, HOP);
		assert_int_equal(get16(frame + 4), len - 40);
		assert_int_equal(frame[40], 58);
		at = get16(frame + 42) & 0xfff8;
		more = frame[43] & 1;
		assert_int_equal(at, got);
		memcpy(answer, frame, 40);
		memcpy(answer + 40 + at, frame + 48, len - 48);
		got += len - 48;
	}
	assert_int_equal(got, LONG);
	return n;
}

/* What belongs to no connection becomes fragments, for who was sent something
 * long lately and for nobody else. */
static void long_answers_become_fragments(void **state)
{
	struct bed *b = *state;
	const struct lie truth = { .mtu = HOP };
	uint8_t answer[40 + LONG], quote[QUOTED];
	unsigned sum;

	b->version = 6;
	ping(b, 4);
	assert_int_equal(take_pong(b, answer), 1);
	memcpy(quote, answer, sizeof(quote));
	quote[25] = 5;
	say_too_big(b, &truth, quote);
	ping(b, 5);
	assert_int_equal(take_pong(b, answer), 1);
	memcpy(quote, answer, sizeof(quote));
	quote[25] = 4;
	say_too_big(b, &(struct lie){ .mtu = 50 }, quote);
	ping(b, 4);
	assert_int_equal(take_pong(b, answer), 1);
	say_too_big(b, &truth, quote);
	ping(b, 4);
	assert_int_equal(take_pong(b, answer), 2);
	assert_int_equal(answer[40], PONG);
	sum = ref_pseudo(answer, 6, 58, LONG);
	assert_int_equal(ref_sum(answer + 40, LONG, sum), 0xffff);
	assert_int_equal(answer[40 + LONG - 1], (uint8_t)((LONG - 1) * 7));
	ping(b, 5);
	assert_int_equal(take_pong(b, answer), 1);
	forget(b);
	b->version = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_narrow_path_shortens_segments),
		cmocka_unit_test(what_waits_is_cut_too),
		cmocka_unit_test(lies_change_nothing),
		cmocka_unit_test(wrapped_lies_change_nothing),
		cmocka_unit_test(long_answers_become_fragments),
	};

	return cmocka_run_group_tests_name("lwip icmp", tests, bed_set_up,
					   bed_tear_down);
}
