/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strand: some queues of either end, and one thread that carries packets
 * between them. Where an end has more queues than there are strands, several
 * of its queues lead to one queue of the other end, and keep their flows'
 * order.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include <fdlink/open.h>

#include "clock.h"
#include "connect.h"
#include "gate.h"

enum {
	BATCH = 64,
	/* How often a strand tries again that has no fd to wait for. */
	RETRY_NS = 1000000,
};

/* The way from one queue: what it receives goes to a queue of the other end. */
struct lane {
	struct fdl_queue *from, *to;
	unsigned end;		/* where it starts */
	struct gate gate;
	struct wire_counts counts;
	struct impair *impair;	/* NULL: the way is in order */
	struct fdl_packet *v[BATCH];
	int at, n;		/* v[at..n) has not been sent */
	bool ready;		/* there may be something to receive */
	bool full;		/* there was no room to send */
	bool awaited;		/* from's room is: fdl_want_write */
};

struct strand {
	const struct cable *cable;
	struct fdl_endpoint *ep[CONNECT_ENDS];
	uint64_t changes[CONNECT_ENDS]; /* of the link, that were noted */
	unsigned n;
	struct lane *lanes;
	struct pollfd *fds;	/* one per lane, and call */
};

static unsigned share(const struct fdl_endpoint *ep, unsigned i, unsigned n)
{
	return (fdl_queues(ep) - i + n - 1) / n;
}

/* What leads from queue i of an end to one of the other end. */
static int lane_open(struct lane *lane, const struct connect_options *o,
		     const struct cable *cable, unsigned end, unsigned i)
{
	const uint64_t seed = o->seed + (uint64_t)i * 2 + end;

	lane->end = end;
	lane->ready = true;
	lane->gate = (struct gate){
		.cable = cable,
		.counts = &lane->counts,
		.from = lane->from,
		.end = end,
		.signals = o->mtu_signal,
	};
	if (!impair_any(&o->impair[end]))
		return 0;
	lane->impair = impair_new(&o->impair[end], lane->from, &lane->counts,
				  seed);
	return lane->impair ? 0 : -ENOMEM;
}

static int open_lanes(struct strand *s, const struct connect_options *o,
		      unsigned i, unsigned n)
{
	struct lane *lane = s->lanes;
	struct pollfd *fd = s->fds;
	unsigned end, from;
	int rc;

	for (end = 0; end < CONNECT_ENDS; end++) {
		for (from = i; from < fdl_queues(s->ep[end]); from += n) {
			lane->from = fdl_get_queue(s->ep[end], from);
			lane->to = fdl_get_queue(s->ep[!end], i);
			fd->fd = fdl_queue_fd(lane->from);
			if (fd->fd < 0)
				return fd->fd;
			rc = lane_open(lane, o, s->cable, end, from);
			if (rc < 0)
				return rc;
			lane++;
			fd++;
		}
	}
	return 0;
}

int strand_new(struct strand **made, const struct connect_options *o,
	       const struct cable *cable,
	       struct fdl_endpoint *const ep[CONNECT_ENDS], unsigned i,
	       unsigned n)
{
	struct strand *s = calloc(1, sizeof(*s));
	int rc = -ENOMEM;

	if (!s)
		return rc;
	s->cable = cable;
	s->ep[0] = ep[0];
	s->ep[1] = ep[1];
	s->n = share(ep[0], i, n) + share(ep[1], i, n);
	s->lanes = calloc(s->n, sizeof(*s->lanes));
	s->fds = calloc(s->n + 1, sizeof(*s->fds));
	if (s->lanes && s->fds)
		rc = open_lanes(s, o, i, n);
	if (rc < 0)
		strand_free(s);
	else
		*made = s;
	return rc;
}

void strand_free(struct strand *s)
{
	unsigned i;

	if (!s)
		return;
	for (i = 0; s->lanes && i < s->n; i++) {
		struct lane *lane = &s->lanes[i];

		fdl_release(lane->v + lane->at, lane->n - lane->at);
		impair_free(lane->impair);
	}
	free(s->lanes);
	free(s->fds);
	free(s);
}

/* Of the last packet that was taken, a part may still have to go. Returns 0, or
 * why the end that is sent to has ended. */
static int lane_flush(struct lane *lane)
{
	const int rc = fdl_flush(lane->to);
	const bool kept = rc == -EAGAIN || rc == -ENOBUFS;

	lane->full = kept || lane->at < lane->n;
	return rc == -ESHUTDOWN || rc == -ENODEV ? rc : 0;
}

/* Returns 0, or why the end that is sent to has ended. */
static int lane_send(struct lane *lane)
{
	int k;

	if (lane->at == lane->n)
		return lane->full ? lane_flush(lane) : 0;
	k = fdl_send(lane->to, lane->v + lane->at, lane->n - lane->at);
	if (k < 0)
		return k;
	lane->at += k;
	return lane_flush(lane);
}

/*
 * While there is no room at the other end, packets are received up to a batch:
 * the link there tells by those behind a packet whether it refuses that one
 * alone. What waits beyond that is the kernel's to keep or to drop.
 */
static int room_in(const struct lane *lane)
{
	return lane->full && lane->impair ? 0 : BATCH - (lane->n - lane->at);
}

/* Returns how many packets came, or why the end has ended. */
static int lane_receive(struct lane *lane)
{
	const int room = room_in(lane);
	int i, n;

	if (!lane->ready || !room)
		return 0;
	lane->n -= lane->at;
	for (i = 0; i < lane->n; i++)
		lane->v[i] = lane->v[lane->at + i];
	lane->at = 0;
	n = fdl_recv(lane->from, lane->v + lane->n, room);
	/* Of fewer, the fd tells whether there are more. */
	lane->ready = n == room;
	if (n == -ENOBUFS)
		return 0;
	if (n <= 0)
		return n;
	lane->n += gate_pass(&lane->gate, lane->v + lane->n, n);
	if (!lane->impair)
		return n;
	for (i = 0; i < lane->n; i++)
		impair_put(lane->impair, lane->v[i], clock_ns());
	lane->n = 0;
	return n;
}

/* What has arrived at the end of a way that is not in order. */
static void lane_take(struct lane *lane)
{
	if (!lane->impair || lane->full)
		return;
	lane->at = 0;
	lane->n = impair_take(lane->impair, lane->v, BATCH, clock_ns());
}

/* Returns 0, or why an end, *end, has ended. */
static int lane_turn(struct lane *lane, unsigned *end)
{
	int rc;

	*end = !lane->end;
	rc = lane_send(lane);
	if (rc < 0)
		return rc;
	*end = lane->end;
	rc = lane_receive(lane);
	if (rc < 0)
		return rc;
	/* Nothing has changed since the last try. */
	if (lane->full && !rc)
		return 0;
	lane_take(lane);
	*end = !lane->end;
	return lane_send(lane);
}

/* The queue that a lane receives from is one that others send to. */
static bool is_awaited(const struct strand *s, const struct fdl_queue *q)
{
	unsigned i;

	for (i = 0; i < s->n; i++) {
		if (s->lanes[i].full && s->lanes[i].to == q)
			return true;
	}
	return false;
}

static uint64_t soonest(uint64_t wait, uint64_t other)
{
	return wait < other ? wait : other;
}

static uint64_t until_due(const struct lane *lane)
{
	const uint64_t due = lane->impair ? impair_due(lane->impair) :
					    UINT64_MAX;
	uint64_t now;

	if (due == UINT64_MAX)
		return due;
	now = clock_ns();
	return due > now ? due - now : 0;
}

/*
 * Returns how long to wait. One fd tells both that there is something to
 * receive and that there is room: it is not looked at while what it has cannot
 * be taken. Where that hides the room, time has to do. What a lane may go on
 * with at once is not waited for.
 */
static uint64_t prepare(struct strand *s)
{
	uint64_t wait = UINT64_MAX;
	struct lane *lane;
	bool awaited;
	unsigned i;

	for (i = 0; i < s->n; i++) {
		lane = &s->lanes[i];
		awaited = is_awaited(s, lane->from);
		/* When the queue has ended, receiving tells. */
		if (awaited != lane->awaited)
			fdl_want_write(lane->from, awaited);
		lane->awaited = awaited;
		s->fds[i].events = room_in(lane) ? POLLIN : 0;
		if (!room_in(lane) && awaited)
			wait = soonest(wait, RETRY_NS);
		if (!lane->full)
			wait = soonest(wait, until_due(lane));
		if (room_in(lane) && lane->ready)
			wait = 0;
	}
	return wait;
}

/* Look at every fd, so that a lane that is never idle keeps no other back.
 * Returns whether call is readable. */
static bool wait_for_more(struct strand *s)
{
	const uint64_t wait = prepare(s);
	const struct timespec t = { (time_t)(wait / 1000000000),
				    (long)(wait % 1000000000) };
	unsigned i;
	int n;

	n = ppoll(s->fds, s->n + 1, wait == UINT64_MAX ? NULL : &t, NULL);
	if (n <= 0)
		return false;
	for (i = 0; i < s->n; i++)
		s->lanes[i].ready |= s->fds[i].revents != 0;
	return s->fds[s->n].revents != 0;
}

static void note_changes(struct strand *s)
{
	uint64_t changes;
	unsigned end;

	for (end = 0; end < CONNECT_ENDS; end++) {
		changes = fdl_link_changes(s->ep[end]);
		if (changes != s->changes[end])
			cable_note(s->cable);
		s->changes[end] = changes;
	}
}

/* What is merged only to be cut again has gained nothing. What an end takes may
 * change: its kernel refuses an offload, or its device is another one. */
static void fit_merging(struct strand *s)
{
	unsigned end;

	for (end = 0; end < CONNECT_ENDS; end++)
		fdl_set_gro(s->ep[end], fdl_tx_offloads(s->ep[!end]));
}

static int carry(struct strand *s, unsigned *end)
{
	unsigned i;
	int rc;

	for (;;) {
		fit_merging(s);
		for (i = 0; i < s->n; i++) {
			rc = lane_turn(&s->lanes[i], end);
			if (rc < 0)
				return rc;
		}
		note_changes(s);
		if (wait_for_more(s))
			return 0;
	}
}

int strand_run(struct strand *s, int call, unsigned *end)
{
	s->fds[s->n] = (struct pollfd){ .fd = call, .events = POLLIN };
	return carry(s, end);
}

void strand_end(struct strand *s)
{
	struct lane *lane;
	unsigned i;

	for (i = 0; i < s->n; i++) {
		lane = &s->lanes[i];
		wire_count(&lane->counts, WIRE_HELD,
			   (uint64_t)(lane->n - lane->at));
		if (lane->impair)
			wire_count(&lane->counts, WIRE_HELD,
				   impair_under_way(lane->impair));
	}
}

uint64_t strand_counted(const struct strand *s, unsigned end,
			enum wire_count what)
{
	uint64_t n = 0;
	unsigned i;

	for (i = 0; i < s->n; i++) {
		if (s->lanes[i].end == end)
			n += wire_counted(&s->lanes[i].counts, what);
	}
	return n;
}
