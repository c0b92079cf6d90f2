/* SPDX-License-Identifier: Apache-2.0 */
/* Links by locator whose peers come and go, in the test's hands. */
#ifndef TESTS_MEET_BED_H
#define TESTS_MEET_BED_H

#include <stdbool.h>
#include <stddef.h>

#include <fdlink/open.h>

enum {
	WAIT_MS = 30000,
	ROUNDS = 100,
};

enum sort { SEQPACKET, STREAM, TCP, DATAGRAM, SORTS };

/* In a folder of its own. */
struct bed {
	enum sort sort;
	char dir[64];
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	int listener;		/* the peer's; -1 */
	int peer;		/* -1: there is none */
	unsigned named;		/* names of datagram peers so far */
	unsigned fds;		/* before all */
};

extern const char *const sort_names[SORTS];

int bed_set_up(void **state);
int bed_tear_down(void **state);

/* The bed is for links of that sort from now on. */
struct bed *bed_of(void **state, enum sort sort);

/* Open the sort's locator, with these options, ",listen". A datagram socket
 * that connects has an address of its own. */
void bed_listen(struct bed *bed, const char *options);
void bed_connect(struct bed *bed, const char *options);

/* A peer of an endpoint that listens. other: under another name. */
void meet_connect(struct bed *bed, bool other);

/* A peer of an endpoint that connects: it is there, or goes. */
void peer_listen(struct bed *bed);
void peer_accept(struct bed *bed);
void peer_die(struct bed *bed);

/* One frame, numbered. */
void peer_send(struct bed *bed, unsigned number);
void peer_expect(struct bed *bed, unsigned number);
int bed_write(struct bed *bed, unsigned number);

/* Wait until one comes, in the caller's own loop, and compare. */
void bed_expect(struct bed *bed, unsigned number);

/* Receive until the link has a carrier, or has none. Nothing comes
 * meanwhile. */
void bed_await_carrier(struct bed *bed, bool on);

/* A super-packet of a peer whose datagrams have virtio-net headers. It is cut
 * into so many segments, at most 3. */
void peer_send_super(struct bed *bed, unsigned segments);

struct fdl_link bed_link(const struct bed *bed);
struct fdl_stats bed_stats(const struct bed *bed);

#endif
