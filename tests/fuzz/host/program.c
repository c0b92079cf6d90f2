/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdlink host and a peer that speaks well and then lies. The first record of an
 * input says how the link is: b[0] & 1 Ethernet, & 2 virtio-net headers, & 12
 * offload, & 16 datagrams, & 32 a small pool, & 64 room for few half-open
 * connections; b[1] the MTU; b[2] the seed of random numbers; b[3] & 1 the
 * clock is about to wrap, & 2 there is no gateway, & 4 lwIP's heap is short.
 */
#include "program.h"

#include <string.h>

#include "../fuzz.h"
#include "bed.h"
#include "peer.h"

enum {
	/* So that no input takes for ever. */
	MAX_TURNS = 3000,
	ENOUGH = 20000,		/* frames from the host */
	MAX_STEPS = 400,
};

struct run {
	struct peer peer;
	unsigned turns;
};

static void turn(struct run *r)
{
	if (r->turns++ >= MAX_TURNS || r->peer.frames > ENOUGH)
		return;
	bed_turn();
	peer_look(&r->peer);
	if (!r->peer.deaf)
		r->peer.mtu = r->peer.next_mtu;
}

/* b[0]: turns; b[1]: milliseconds between them. */
static void talk(struct run *r, const struct step *s)
{
	unsigned i;

	for (i = 0; i <= s->b[0] % 128U; i++) {
		turn(r);
		bed_advance(s->b[1]);
	}
}

/* 1 << b[0] milliseconds, in steps of b[1]. */
static void pass_time(struct run *r, const struct step *s)
{
	static const uint32_t steps[] = { 250, 100, 10, 500, 1000, 5000 };
	const uint32_t step = steps[s->b[1] % 6];
	uint32_t left = 1u << s->b[0] % 18;
	uint32_t ms;

	while (left && r->turns < MAX_TURNS) {
		ms = left < step ? left : step;
		bed_advance(ms);
		turn(r);
		left -= ms;
	}
}

static size_t step(struct run *r, enum op op, const struct step *s)
{
	struct peer *p = &r->peer;

	switch (op) {
	case OP_OPEN:
		return step_open(p, s);
	case OP_DATA:
		return step_data(p, s);
	case OP_TEXT:
		return step_text(p, s);
	case OP_ACK:
		return step_ack(p, s);
	case OP_SEGMENT:
		return step_segment(p, s);
	case OP_TALK:
		talk(r, s);
		return 0;
	case OP_TIME:
		pass_time(r, s);
		return 0;
	case OP_UDP:
		return step_udp(p, s);
	case OP_PING:
		return step_ping(p, s);
	case OP_ICMP_ERROR:
		return step_icmp_error(p, s);
	case OP_ARP:
		return step_arp(p, s);
	case OP_ND:
		return step_nd(p, s);
	case OP_RAW:
		return step_raw(p, s);
	case OP_LIE:
		return step_lie(p, s);
	case OP_SET:
		return step_set(p, s);
	case OP_MTU:
		return step_mtu(p, s);
	default:
		return 0;
	}
}

static void start(struct run *r, const uint8_t *b)
{
	static const uint32_t mtus[] = { 1500, 1280, 9000, 65535,
					 576,  68,   1400, 1500 };
	const struct bed_config config = {
		.ethernet = b[0] & 1,
		.vnet = b[0] & 2,
		.offload = b[0] >> 2 & 3 ? (b[0] >> 2 & 3) - 1 : 2,
		.datagram = b[0] & 16,
		.scarce = b[0] & 64,
		.alone = b[3] & 2,
		.poor = b[3] & 4,
		.pool = b[0] & 32 ? 8 : 256,
		.mtu = mtus[b[1] % 8],
		.seed = b[2],
		.now = b[3] & 1 ? 0u - 5000 : 1000,
	};
	struct peer *p = &r->peer;

	memset(r, 0, sizeof(*r));
	p->wire.fd = bed_open(&config);
	p->wire.ethernet = config.ethernet;
	p->wire.vnet = config.vnet;
	p->mtu = config.mtu;
	p->next_mtu = config.mtu;
	p->max_mtu = config.mtu;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run r;
	const uint8_t *end = data + size / RECORD * RECORD;
	struct step s;
	unsigned i;
	uint8_t op;

	if (size < RECORD)
		return 0;
	start(&r, data);
	data += RECORD;
	for (i = 0; i < MAX_STEPS && data < end; i++) {
		op = data[0];
		s.b = data + 1;
		s.more = data + RECORD;
		s.more_len = (size_t)(end - s.more);
		data = s.more + step(&r, op & OP_MASK, &s);
		if (!(op & HOLD) && (op & OP_MASK) != OP_LIE)
			turn(&r);
	}
	bed_close();
	return 0;
}
