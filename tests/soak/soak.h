/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One link under load both ways while it is disturbed. Whatever becomes of it,
 * what was offered is delivered or counted, each way:
 *
 *	peer -> fdlink	fed = received + drops that fdlink counts + what the
 *			kernel dropped before it saw them, by its own count
 *	fdlink -> peer	offered = sent + drops; and of what was sent, the peer
 *			gets all, except what the kernel counts as dropped, and
 *			what was on its way as the device went down
 */
#ifndef TESTS_SOAK_H
#define TESTS_SOAK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../unit/packets.h"
#include "circle.h"
#include "link.h"

enum {
	FRAME_MOST = 70000,
	RUBBISH = 48,		/* different frames of it */
	HOARD = 512,		/* packets that the receiver may hold */
};

struct bed;

struct rubbish {
	uint8_t *bytes;
	size_t len;
};

/* What comes out at an end, and the number that is due. */
struct arrivals {
	_Atomic uint64_t frames;
	unsigned next;
};

struct soak {
	const struct bed *bed;
	enum fdl_mode mode;
	struct link l;
	struct rng rng;			/* of who disturbs */
	struct rubbish rubbish[RUBBISH];

	/* peer -> fdlink */
	struct circle feeder, receiver;
	struct rng feeding;
	unsigned next_fed;
	_Atomic uint64_t fed;
	struct arrivals received;
	struct fdl_packet *hoard[HOARD];
	int n_hoard;
	_Atomic int ended;		/* what fdl_recv said */

	/* fdlink -> peer */
	struct circle sender, collector;
	struct rng sending;
	unsigned next_sent;
	_Atomic uint64_t offered;
	struct arrivals collected;

	uint64_t lost_behind;		/* at the peer's sockets, so far */
	uint64_t forgiven;		/* at most: on its way as the device
					 * went down */
	uint64_t total[4];		/* of all endpoints: received, dropped,
					 * sent, dropped */

	/* How things are just now. */
	_Atomic bool with_rubbish, at_full_speed, hoarding;
	bool cut;			/* what is on its way may be lost */
	_Atomic bool wrong;
	char what[256];			/* was done since the last look */
};

/* Tell that something is wrong, once. */
void soak_wrong(struct soak *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A frame has come out at an end, the fdlink's (local) or the peer's. */
void soak_arrived(struct soak *s, bool local, const uint8_t *frame, size_t len);

/* Have the feeder stand still, and wait until all that it fed is delivered or
 * counted. */
void soak_settle(struct soak *s);

/* traffic.c: the steps of the circles. */
void feed_some(void *arg);
void receive_some(void *arg);
void send_some(void *arg);
void collect_some(void *arg);

/* The receiver gives back what it holds; it stands still. */
void release_hoard(struct soak *s);

/* disturb.c: one disturbance, or none, that the link can have. */
void disturb(struct soak *s);

/* The device is as it was at first. */
void disturb_end(struct soak *s);

/* Whether the endpoint ends when its device goes to another namespace; have it
 * go there for good. Returns an fd, which keeps that namespace. */
bool disturb_ends(const struct soak *s);
int disturb_take_away(struct soak *s);

#endif
