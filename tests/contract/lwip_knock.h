/* SPDX-License-Identifier: Apache-2.0 */
/* Segments to lwIP of many peers, and what it answers. */
#ifndef TESTS_LWIP_KNOCK_H
#define TESTS_LWIP_KNOCK_H

#include <lwip/priv/tcp_priv.h>

#include "lwip_bed.h"

enum {
	RST = 4,
	BACKLOG = TCP_DEFAULT_LISTEN_BACKLOG,
	FLOWS = 7,			/* from one to the next, see
					 * bed_connect */
};

/* A segment of lwIP's. */
struct seen {
	unsigned port;
	uint8_t flags;
	uint32_t seq, ack;
};

/* A segment from the peer of a flow. */
void say(struct bed *b, unsigned flow, uint8_t flags, uint32_t seq,
	 uint32_t ack, unsigned payload);

/* The next that lwIP sent; flags 0: nothing. */
struct seen hear(struct bed *b);
void hear_all(struct bed *b);

/* It is for that flow, with these flags. */
struct seen expect(struct bed *b, unsigned flow, uint8_t flags);

/* Begin a connection. Returns lwIP's first sequence number. */
uint32_t knock(struct bed *b, unsigned flow);

unsigned count(const struct tcp_pcb *pcb);

/* End all connections, open or not. */
void forget_all(struct bed *b);

#endif
