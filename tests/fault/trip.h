/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an endpoint in which some call fails, and what must hold. */
#ifndef TESTS_FAULT_TRIP_H
#define TESTS_FAULT_TRIP_H

#include <pthread.h>

#include "bed.h"

enum {
	MOST_FED = 2048,
	WRONG_SIZE = 200,
	TRIP_LOOKS = 300,	/* at what should come, each of */
	TRIP_LOOK_MS = 10,
	TRIP_LASTING_LOOKS = 4,	/* at what may not come */
	TRIP_IDLE = 30,		/* more of them, and it spins */
	TRIP_ROUND = 3,		/* packets each way */
};

struct trip {
	struct bed *bed;
	int err;			/* what a call fails with, as
					 * fault_set */
	bool lasting;			/* and goes on to */
	struct fdl_endpoint *ep;
	bool passed;			/* a call failed as it was made, which
					 * was made all the same */
	size_t opened;			/* calls traced before it was made */
	unsigned errors;		/* that were logged */
	bool unwatched;			/* that the device is not watched,
					 * too */
	char said[256];

	uint8_t came[MOST_FED];		/* by number */
	unsigned delivered, next;
	unsigned queues, ended;		/* queues; those that ended */
	int reason;			/* why the last one did */
	unsigned idle;			/* times that a poll told of nothing */
	struct fdl_packet *held;

	unsigned sent;			/* numbers used */
	unsigned offered;		/* taken for sending */
	unsigned collected, after;	/* arrived; the number after the last */

	uint64_t changes;		/* lives that began and ended */
	unsigned lost, lost_sent;	/* with a peer that was left: of what
					 * was fed, and sent */
	int refused;			/* no packet can go any more: why */

	pthread_mutex_t lock;		/* of what follows, and of what a
					 * reader delivers */
	pthread_cond_t changed;
	unsigned closed;
	int closed_by;

	char wrong[WRONG_SIZE];		/* what did not hold; "": all did */
};

/* Make an endpoint, let it send and receive, look at its sums, and free it,
 * with whatever was set to fail, by err; lasting: again and again, until the
 * sums are looked at. */
void trip_make(struct trip *t, struct bed *b, int err, bool lasting);

/* Note what does not hold; the first is what is told. */
void trip_wrong(struct trip *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool trip_is_right(const struct trip *t);

/* From the other end, n frames, unless all queues have ended. */
void trip_feed(struct trip *t, unsigned n);

/* Receive all that was fed, or learn what became of it. */
void trip_receive(struct trip *t);

/* How often that is looked for. */
unsigned trip_looks(const struct trip *t);

/* The parts of that: take what one call of each queue gives, and return how
 * many that is; wait for more, each turn in another way, and return whether
 * something was told. */
int trip_look(struct trip *t);
bool trip_await(struct trip *t, unsigned turn);

/* A packet that was received. */
void trip_check_packet(struct trip *t, const struct fdl_packet *pkt);

/* What was fed has come, or is counted, or went with a peer that was left. */
bool trip_is_accounted(struct trip *t);

/* A peer that was left goes, and the next one comes, as the bed says. */
void trip_follow(struct trip *t);

/* The same, until there is a peer. */
void trip_meet(struct trip *t);

/* The peer goes, where the bed has it so, and the next one comes. */
void trip_part(struct trip *t);

/* Send by each of the calls. */
void trip_send_some(struct trip *t);

/* The other end gets what is counted as sent, in order; one packet, or false:
 * there is none within timeout_ms. */
void trip_collect(struct trip *t);
bool trip_collect_one(struct trip *t, int timeout_ms);

#endif
