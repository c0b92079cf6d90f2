/* SPDX-License-Identifier: Apache-2.0 */
#include "lwip_knock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "../unit/packets.h"

void say(struct bed *b, unsigned flow, uint8_t flags, uint32_t seq,
	 uint32_t ack, unsigned payload)
{
	const struct shape s = {
		.version = 4,
		.proto = 6,
		.payload = payload,
		.flow = flow,
		.ttl = 64,
		.flags = flags,
		.seq = seq,
		.ack = ack,
	};
	uint8_t frame[MTU];
	const size_t len = build(frame, &s);

	assert_int_equal(send(b->peer, frame, len, 0), len);
	bed_turn(b);
}

struct seen hear(struct bed *b)
{
	struct seen seen = { 0 };
	uint8_t frame[MTU];
	const uint8_t *tcp = frame + 20;

	if (recv(b->peer, frame, sizeof(frame), MSG_DONTWAIT) < 40)
		return seen;
	seen.port = get16(tcp + 2);
	seen.seq = get32(tcp + 4);
	seen.ack = get32(tcp + 8);
	seen.flags = tcp[13] & (SYN | FIN | RST | ACK);
	return seen;
}

void hear_all(struct bed *b)
{
	while (hear(b).flags)
		;
}

struct seen expect(struct bed *b, unsigned flow, uint8_t flags)
{
	const struct seen seen = hear(b);

	assert_int_equal(seen.port, 1000 + flow);
	assert_int_equal(seen.flags, flags);
	return seen;
}

uint32_t knock(struct bed *b, unsigned flow)
{
	say(b, flow, SYN, 1000, 0, 0);
	return expect(b, flow, SYN | ACK).seq;
}

unsigned count(const struct tcp_pcb *pcb)
{
	unsigned n = 0;

	for (; pcb; pcb = pcb->next)
		n++;
	return n;
}

void forget_all(struct bed *b)
{
	while (tcp_active_pcbs)
		tcp_abort(tcp_active_pcbs);
	while (tcp_tw_pcbs)
		tcp_abort(tcp_tw_pcbs);
	bed_turn(b);
	hear_all(b);
}
