/* SPDX-License-Identifier: Apache-2.0 */
/* Where answers to strangers go, on a link with link addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <lwip/priv/tcp_priv.h>

#include "../unit/packets.h"
#include "lwip_bed.h"

enum {
	ADDRESS = 6,		/* of the link */
	LINK = 14,
	TYPE_IP4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_IP6 = 0x86dd,
	FLOWS = 7,		/* the next flow to the same address */
	RST = 4,
	LATER = 5000,		/* milliseconds: a SYN was sent again by then */
};

/* A frame that lwIP sent. */
struct heard {
	uint8_t to[ADDRESS];
	unsigned type;		/* 0: there is no frame */
	unsigned port;		/* of TCP, else 0 */
	uint8_t flags;
	uint32_t seq;
};

static const uint8_t everybody[ADDRESS] = { 255, 255, 255, 255, 255, 255 };

/* Strangers' IP addresses end as their link addresses do. */
static void sign(uint8_t *frame, int version, const uint8_t *from)
{
	uint8_t *ip = frame + LINK;
	uint8_t *last = ip + (version == 4 ? 14 : 22);
	const uint8_t was[2] = { last[0], last[1] };

	memcpy(frame + ADDRESS, from, ADDRESS);
	last[1] = from[ADDRESS - 1];
	if (version == 4)
		fdl_checksum_update(ip + 10, was, last, 2);
	fdl_checksum_update(ip + (version == 4 ? 20 : 40) + 16, was, last, 2);
}

/* A stranger's segment to the port that listens. */
static void say(struct bed *b, int version, uint8_t flags, uint32_t ack,
		const uint8_t *from)
{
	const struct shape s = {
		.link_len = LINK,
		.version = version,
		.proto = 6,
		.flow = b->flow,
		.ttl = 64,
		.flags = flags,
		.seq = flags & SYN ? 1000 : 1001,
		.ack = ack,
	};
	uint8_t frame[LINK + 60];
	const size_t len = build(frame, &s);

	sign(frame, version, from);
	assert_int_equal(send(b->peer, frame, len, 0), len);
}

static struct heard hear(struct bed *b)
{
	struct heard h = { .type = 0 };
	uint8_t frame[LINK + MTU];
	const uint8_t *ip = frame + LINK, *tcp;
	ssize_t len = recv(b->peer, frame, sizeof(frame), MSG_DONTWAIT);

	if (len < 0)
		return h;
	assert_true(len >= LINK + 20);
	memcpy(h.to, frame, ADDRESS);
	h.type = get16(frame + 12);
	tcp = ip + (h.type == TYPE_IP6 ? 40 : 20);
	if ((h.type == TYPE_IP4 && ip[9] == 6) ||
	    (h.type == TYPE_IP6 && ip[6] == 6)) {
		assert_true(len >= tcp + 20 - frame);
		h.port = get16(tcp + 2);
		h.seq = get32(tcp + 4);
		h.flags = tcp[13] & (FIN | SYN | RST | ACK);
	}
	return h;
}

/* What the link's beginning sent, and what tests left. */
static struct bed *begin(void **state)
{
	struct bed *b = *state;

	while (tcp_active_pcbs)
		tcp_abort(tcp_active_pcbs);
	bed_turn(b);
	while (hear(b).type)
		;
	b->flow += FLOWS;
	return b;
}

/* Returns the answer to what b->flow has said. */
static struct heard expect_answer(struct bed *b, int version, uint8_t flags,
				  const uint8_t *to)
{
	const struct heard h = hear(b);

	assert_int_equal(h.type, version == 4 ? TYPE_IP4 : TYPE_IP6);
	assert_memory_equal(h.to, to, ADDRESS);
	assert_int_equal(h.port, 1000 + b->flow);
	assert_int_equal(h.flags & flags, flags);
	return h;
}

/* lwIP asks who the neighbour is, and sends no segment before it knows. */
static void expect_question(struct bed *b)
{
	bool asked = false;
	struct heard h;

	while ((h = hear(b)).type) {
		assert_int_equal(h.port, 0);
		asked |= h.type == TYPE_ARP &&
			 !memcmp(h.to, everybody, ADDRESS);
	}
	assert_true(asked);
}

/* Nobody's address is asked for, so no stranger takes a place in the tables. */
static void answers_go_to_where_the_frame_came_from(void **state)
{
	static const uint8_t from[] = { 2, 0, 0, 9, 9, 9 };
	int version;

	for (version = 4; version <= 6; version += 2) {
		struct bed *b = begin(state);

		say(b, version, SYN, 0, from);
		bed_turn(b);
		expect_answer(b, version, SYN | ACK, from);
		assert_int_equal(hear(b).type, 0);
		b->flow += FLOWS;
		say(b, version, ACK, 77, from);
		bed_turn(b);
		expect_answer(b, version, RST, from);
		assert_int_equal(hear(b).type, 0);
	}
}

static void each_has_its_own_answer(void **state)
{
	static const uint8_t one[] = { 2, 0, 0, 9, 9, 1 };
	static const uint8_t other[] = { 2, 0, 0, 9, 9, 2 };
	struct bed *b = begin(state);

	say(b, 4, SYN, 0, one);
	b->flow += FLOWS;
	say(b, 6, SYN, 0, other);
	bed_turn(b);
	b->flow -= FLOWS;
	expect_answer(b, 4, SYN | ACK, one);
	b->flow += FLOWS;
	expect_answer(b, 6, SYN | ACK, other);
	assert_int_equal(hear(b).type, 0);
}

/* A frame that says it came from a group could have one packet answered by
 * packets to many. */
static void a_group_is_nobodys_neighbour(void **state)
{
	static const uint8_t groups[][ADDRESS] = {
		{ 255, 255, 255, 255, 255, 255 },
		{ 1, 0, 0x5e, 0, 0, 1 },
		{ 0x33, 0x33, 0, 0, 0, 1 },
		{ 3, 0, 0, 0, 0, 1 },
	};
	static const uint8_t flags[] = { SYN, ACK };
	struct heard h;
	unsigned i;

	for (i = 0; i < 16; i++) {
		struct bed *b = begin(state);

		say(b, i & 8 ? 6 : 4, flags[i / 4 % 2], 77, groups[i % 4]);
		bed_turn(b);
		while ((h = hear(b)).type)
			assert_int_equal(h.port, 0);
	}
}

/* What is sent later is no answer: the last frame that came may be somebody
 * else's. */
static void what_is_sent_later_looks_for_the_neighbour(void **state)
{
	static const uint8_t from[] = { 2, 0, 0, 9, 9, 9 };
	struct bed *b = begin(state);

	say(b, 4, SYN, 0, from);
	bed_turn(b);
	expect_answer(b, 4, SYN | ACK, from);
	bed_late(LATER);
	bed_turn(b);
	expect_question(b);
}

static void connect_from(struct bed *b, const uint8_t *from)
{
	struct heard h;

	say(b, 4, SYN, 0, from);
	bed_turn(b);
	h = expect_answer(b, 4, SYN | ACK, from);
	say(b, 4, ACK, h.seq + 1, from);
	bed_turn(b);
}

/* A server that has room for one only: the earlier connection ends. */
static err_t take_its_place(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct bed *b = arg;

	LWIP_UNUSED_ARG(err);
	tcp_abort(b->pcb);
	b->pcb = pcb;
	return ERR_OK;
}

/* A stranger's segment may have something sent to another. */
static void what_is_for_another_is_no_answer(void **state)
{
	static const uint8_t one[] = { 2, 0, 0, 9, 9, 7 };
	static const uint8_t other[] = { 2, 0, 0, 9, 9, 8 };
	struct tcp_pcb_listen *listener = tcp_listen_pcbs.listen_pcbs;
	const tcp_accept_fn before = listener->accept;
	struct bed *b = begin(state);
	const struct tcp_pcb *first;

	b->pcb = NULL;
	connect_from(b, one);
	first = b->pcb;
	assert_non_null(first);
	listener->accept = take_its_place;
	b->flow += FLOWS;
	connect_from(b, other);
	listener->accept = before;
	assert_ptr_not_equal(b->pcb, first);
	expect_question(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_go_to_where_the_frame_came_from),
		cmocka_unit_test(each_has_its_own_answer),
		cmocka_unit_test(a_group_is_nobodys_neighbour),
		cmocka_unit_test(what_is_sent_later_looks_for_the_neighbour),
		cmocka_unit_test(what_is_for_another_is_no_answer),
	};

	return cmocka_run_group_tests_name("lwip neighbor", tests,
					   bed_set_up_ethernet, bed_tear_down);
}
