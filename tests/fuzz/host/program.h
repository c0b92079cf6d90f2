/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An input is a program: a record that says how the link is, and then one for
 * each thing that the peer does. See the comments in program.c for the bytes.
 */
#ifndef FUZZ_HOST_PROGRAM_H
#define FUZZ_HOST_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
	RECORD = 8,
	OP_MASK = 15,
	HOLD = 0x80,		/* the host gets no turn behind this one */
};

/* Of a record's first byte; seeds.py has them, too. */
enum op {
	OP_OPEN,
	OP_DATA,
	OP_TEXT,
	OP_ACK,
	OP_SEGMENT,
	OP_TALK,
	OP_TIME,
	OP_UDP,
	OP_PING,
	OP_ICMP_ERROR,
	OP_ARP,
	OP_ND,
	OP_RAW,
	OP_LIE,
	OP_SET,
	OP_MTU,
	N_OPS,
};

struct peer;

/* A record of a program, and what there is behind it. */
struct step {
	const uint8_t *b;	/* the bytes behind the first */
	const uint8_t *more;
	size_t more_len;
};

/* Each returns how many of the bytes behind the record it took. */
size_t step_open(struct peer *p, const struct step *s);
size_t step_data(struct peer *p, const struct step *s);
size_t step_text(struct peer *p, const struct step *s);
size_t step_ack(struct peer *p, const struct step *s);
size_t step_segment(struct peer *p, const struct step *s);
size_t step_udp(struct peer *p, const struct step *s);
size_t step_ping(struct peer *p, const struct step *s);
size_t step_icmp_error(struct peer *p, const struct step *s);
size_t step_arp(struct peer *p, const struct step *s);
size_t step_nd(struct peer *p, const struct step *s);
size_t step_raw(struct peer *p, const struct step *s);
size_t step_lie(struct peer *p, const struct step *s);
size_t step_set(struct peer *p, const struct step *s);
size_t step_mtu(struct peer *p, const struct step *s);

#endif
