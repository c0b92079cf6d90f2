/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP over a pair of unix sockets, of which the test has the other end: it is
 * lwIP's peer, and lwIP's clock is the test's. For programs that are linked
 * with
 * --wrap=sys_now.
 */
#ifndef TESTS_LWIP_BED_H
#define TESTS_LWIP_BED_H

#include <stdbool.h>
#include <stdint.h>

#include "fdl_lwip.h"

enum {
	MTU = 1500,
	MSS = MTU - 40,
	FIRST = 4380 / MSS * MSS,	/* lwIP's initial window */
	WIDE = 65535,
	MAX_CUTS = 256,
	RTT = 10,			/* milliseconds, of bed_fly() */
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
	unsigned version;		/* of IP: 6, else 4 */
	unsigned window;		/* that the peer says it has */
	bool sack;			/* the peer's SYN permits it */
	struct cut report[4];		/* what its acknowledgements report */
	unsigned reports;
	uint32_t seq, start;		/* the peer's next, lwIP's first */
	struct cut cut[MAX_CUTS];	/* of the last turn that was looked
					 * at */
	unsigned n;
	uint32_t written, end;		/* by lwIP, and where its FIN was */
};

/* Of all tests: *state becomes the bed. */
int bed_set_up(void **state);
int bed_set_up_ethernet(void **state);	/* the frames have link headers */
int bed_tear_down(void **state);

/* A new connection, from a port of its own, and its end. */
struct bed *bed_connect(void **state, unsigned window);
void bed_hang_up(struct bed *b);

/* A new connection to a peer of a wide window, which reports what it has or
 * does not. */
struct bed *bed_start(void **state, bool sack);

/* Say to lwIP, without a payload; with mss 0 of that nothing. */
void bed_say(struct bed *b, uint8_t flags, uint32_t ack, unsigned mss);

unsigned bed_ip_len(const struct bed *b);

/* Let lwIP do all that is due, and look at what it sends. */
void bed_turn(struct bed *b);
void bed_look(struct bed *b);

/* The peer has all up to there. Looks. */
void bed_acknowledge(struct bed *b, uint32_t at);

/* Let so much time pass. Looks. */
void bed_pass(struct bed *b, unsigned ms);

/* Let so much time pass, in which lwIP does nothing. */
void bed_late(unsigned ms);

/* Let time pass till lwIP sends, or long enough that it will not. Looks. */
void bed_await_timeout(struct bed *b);

/* Have lwIP write so much. Looks. */
void bed_write(struct bed *b, unsigned len);

/* What was looked at last is that, and no more. */
void bed_expect(const struct bed *b, uint32_t at, unsigned len);

/* Where the last cut that was looked at ends. */
uint32_t bed_end_of_last(const struct bed *b);

/* Have the congestion window grow beyond that. Returns what was sent. */
unsigned bed_grow(struct bed *b, unsigned cwnd);

/* So many segments are in flight, after round trips of RTT. Returns where they
 * begin. */
unsigned bed_fly(struct bed *b, unsigned segments);

/* The peer has all up to there, and what it gets, up to the end: each byte
 * comes once. */
void bed_take_to_end(struct bed *b, uint32_t at);

#endif
