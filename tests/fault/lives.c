/* SPDX-License-Identifier: Apache-2.0 */
/* The peers of one endpoint, or its devices, one after the other. */
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fdlink/open.h>

#include "contract.h"
#include "trip.h"

enum {
	HURRY_US = 300000,	/* a peer is looked for once a second */
};

static bool has_gone(int peer)
{
	struct pollfd p = { .fd = peer, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLRDHUP);
}

/* What the endpoint has not read by now went with the life before. */
static void note_lost(struct trip *t)
{
	struct fdl_stats st;

	fdl_get_stats(t->ep, &st, sizeof(st));
	t->lost = (unsigned)t->bed->link.rx_offered - t->delivered -
		  (unsigned)stats_rx_drops(&st);
}

/* It still has what was sent to it before it was left. */
static void leave_peer(struct trip *t)
{
	struct link *l = &t->bed->link;
	struct fdl_stats st;
	socklen_t len = sizeof(int);
	int err;

	getsockopt(l->peer, SOL_SOCKET, SO_ERROR, &err, &len);
	while (trip_is_right(t) && trip_collect_one(t, 0))
		;
	close(l->peer);
	l->peer = -1;
	note_lost(t);
	fdl_get_stats(t->ep, &st, sizeof(st));
	t->lost_sent = (unsigned)st.tx_packets - t->collected;
}

void trip_follow(struct trip *t)
{
	struct bed *b = t->bed;
	uint64_t changes;

	if (!b->kind->meet)
		return;
	changes = fdl_link_changes(t->ep);
	if (changes != t->changes)
		note_lost(t);
	t->changes = changes;
	if (b->link.peer >= 0 && has_gone(b->link.peer))
		leave_peer(t);
	if (b->link.peer < 0)
		b->kind->meet(b);
}

static bool is_met(struct trip *t)
{
	const bool paused = fault_pause(true);
	struct fdl_link state = { 0 };

	fdl_link_state(t->ep, &state, sizeof(state));
	fault_pause(paused);
	return t->bed->link.peer >= 0 && state.carrier;
}

/* Look and wait, once. An absence tells of itself now and then, and more and
 * more seldom. */
static void pass_time(struct trip *t, unsigned turn, unsigned *idle)
{
	const int n = trip_look(t);

	if (n == 0 && trip_await(t, turn) && ++*idle > TRIP_IDLE)
		trip_wrong(t, "readable for nobody again and again");
}

void trip_meet(struct trip *t)
{
	unsigned i, idle = 0;

	if (!t->bed->kind->meet)
		return;
	for (i = 0; trip_is_right(t) && i < trip_looks(t); i++) {
		trip_follow(t);
		if (t->ended == t->queues || is_met(t))
			return;
		pass_time(t, i, &idle);
	}
	if (!t->lasting)
		trip_wrong(t, "no peer is met");
}

/* Until that is noticed. */
static void await_end(struct trip *t)
{
	const uint64_t before = fdl_link_changes(t->ep);
	unsigned i, idle = 0;

	for (i = 0; trip_is_right(t) && i < trip_looks(t); i++) {
		if (t->ended == t->queues || fdl_link_changes(t->ep) != before)
			return;
		pass_time(t, i, &idle);
	}
	if (!t->lasting)
		trip_wrong(t, "nothing tells that the peer has gone");
}

void trip_part(struct trip *t)
{
	struct bed *b = t->bed;

	/* The log says that it would not be noticed. */
	if (t->unwatched)
		return;
	if (!b->kind->part || b->link.peer < 0 || t->ended == t->queues)
		return;
	trip_receive(t);
	trip_meet(t);
	trip_collect(t);
	if (!is_met(t) || has_gone(b->link.peer))
		return;
	b->kind->part(b);
	fault_hurry(HURRY_US);
	await_end(t);
	fault_hurry(0);
	trip_meet(t);
}
