/* SPDX-License-Identifier: Apache-2.0 */
#include "trip.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

#include "bed_lives.h"
#include "contract.h"
#include "fault.h"

enum {
	LOAD = 1024,		/* packets that make a switch */
	LOAD_US = 4000,
	PAUSE_US = 1000000,
};

static void note_said(void *ctx, int level, const char *msg)
{
	struct trip *t = ctx;

	t->errors += level == FDL_LOG_ERR;
	t->unwatched |= strstr(msg, "cannot be watched (") != NULL;
	if (level == FDL_LOG_ERR)
		snprintf(t->said, sizeof(t->said), "%s", msg);
}

static int deliver(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		   int n)
{
	struct trip *t = ctx;
	int i;

	(void)q;
	pthread_mutex_lock(&t->lock);
	for (i = 0; i < n; i++)
		trip_check_packet(t, v[i]);
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
	return 0;
}

static void closed(void *ctx, struct fdl_queue *q, int reason)
{
	struct trip *t = ctx;

	(void)q;
	pthread_mutex_lock(&t->lock);
	t->closed += reason != 0;
	if (reason)
		t->closed_by = reason;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

/* What was lost nobody tells of: it is counted. */
static void await_delivery(struct trip *t)
{
	struct timespec until;
	bool done = false;
	unsigned i;

	for (i = 0; !done && i < trip_looks(t); i++) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += TRIP_LOOK_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_mutex_lock(&t->lock);
		trip_follow(t);
		done = t->closed || trip_is_accounted(t);
		if (!done)
			pthread_cond_timedwait(&t->changed, &t->lock, &until);
		pthread_mutex_unlock(&t->lock);
	}
	if (!done && !t->lasting)
		trip_wrong(t, "readers get %u of %u packets", t->delivered,
			   (unsigned)t->bed->link.rx_offered);
}

/* By threads of the library. */
static void attach(struct trip *t)
{
	const struct fdl_dispatcher d = { deliver, closed, t };

	if (t->ended || fdl_attach(t->ep, &d))
		return;
	pthread_mutex_lock(&t->lock);
	trip_feed(t, 1);
	pthread_mutex_unlock(&t->lock);
	await_delivery(t);
	fdl_detach(t->ep);
	trip_look(t);
	if (t->closed && !t->ended)
		trip_wrong(t, "a reader ended by %s, and its queue goes on",
			   strerror(-t->closed_by));
}

/* There, and back. */
static void switch_modes(struct trip *t)
{
	unsigned i;

	fault_hurry(LOAD_US);
	for (i = 0; trip_is_right(t) && i < LOAD / 64; i++) {
		trip_feed(t, 64);
		trip_receive(t);
	}
	for (i = 0; fault_usage().threads && i < TRIP_LOOKS; i++)
		if (!trip_look(t))
			trip_await(t, 0);
	fault_hurry(PAUSE_US);
	for (i = 0; trip_is_right(t) && i < 4; i++) {
		trip_feed(t, 2);
		trip_receive(t);
	}
	fault_hurry(0);
	t->idle = 0;
}

/* Each way, in each way. */
static void go(struct trip *t)
{
	struct fdl_link state;

	trip_meet(t);
	trip_feed(t, TRIP_ROUND);
	trip_receive(t);
	if (t->bed->kind->loaded)
		switch_modes(t);
	trip_send_some(t);
	fdl_link_state(t->ep, &state, sizeof(state));
	attach(t);
	trip_part(t);
	trip_feed(t, TRIP_ROUND);
	trip_receive(t);
	if (t->held)
		fdl_keep(&t->held);
	fdl_release(&t->held, 1);
	t->held = NULL;
}

/* With nothing failing any more: right, or ended. */
static void check(struct trip *t)
{
	const struct link *l = &t->bed->link;
	struct fdl_stats st;
	unsigned before, fed;

	fault_pause(true);
	t->lasting = false;
	t->idle = 0;
	trip_receive(t);
	trip_meet(t);
	before = t->delivered;
	fed = (unsigned)l->rx_offered;
	trip_feed(t, TRIP_ROUND);
	fed = (unsigned)l->rx_offered - fed;
	trip_receive(t);
	if (trip_is_right(t) && !t->ended && t->delivered != before + fed)
		trip_wrong(t, "afterwards %u of %u packets came",
			   t->delivered - before, fed);
	if (trip_is_right(t) && !t->refused && t->ended < t->queues)
		trip_send_some(t);
	fdl_get_stats(t->ep, &st, sizeof(st));
	/* Whoever asks in vain whether the peer has hung up takes that for
	 * packets without bytes. */
	fed = fault_last() == FAULT_POLL ?
		      UINT_MAX :
		      (unsigned)l->rx_offered + t->bed->hellos;
	if (trip_is_right(t) && !t->ended &&
	    (!trip_is_accounted(t) || t->delivered + stats_rx_drops(&st) > fed))
		trip_wrong(t, "%u packets fed, %u came, %u dropped",
			   (unsigned)l->rx_offered, t->delivered,
			   (unsigned)stats_rx_drops(&st));
	if (trip_is_right(t))
		trip_collect(t);
	fault_pause(false);
}

/* A packet outlives its endpoint. */
static void leave(struct trip *t)
{
	uint8_t want[FRAME_MAX];
	struct fdl_packet *held = t->held;

	if (held)
		memcpy(want, held->data, held->len);
	if (fdl_endpoint_free(t->ep))
		trip_wrong(t, "it cannot be freed");
	if (!held)
		return;
	if (memcmp(want, held->data, held->len))
		trip_wrong(t, "a packet that is held has changed");
	memset(held->data, 0, held->len);
	fdl_release(&held, 1);
}

/* Whether it is the errno that was given, or one that says what it means. */
static bool is_right_refusal(const struct trip *t, int r)
{
	const int err = -(t->err & FAULT_ERRNO);

	/* There was a connection that came to nothing. */
	if (!fault_hit() || err == -ECONNABORTED)
		return false;
	/* A TUN says so of what is written for packet information. */
	if (fault_last() == FAULT_WRITEV && r == -EOPNOTSUPP)
		return true;
	/* The other end of a pair was not seen, or there is none. */
	if (r == -EBUSY &&
	    (fault_last() == FAULT_GETPEERNAME || err == -EADDRINUSE))
		return true;
	return r == err || (err == -EBADFD && r == -ENODEV);
}

static void open_it(struct trip *t)
{
	const struct bed_kind *kind = t->bed->kind;
	struct fdl_options opts = { .size = sizeof(opts),
				    .mode = kind->mode,
				    .flags = kind->flags |
					     t->bed->link.kind->flags,
				    .log = note_said,
				    .log_ctx = t };
	int r;

	memcpy(opts.address, link_local, sizeof(opts.address));
	if (kind->outside) {
		opts.reopen = open_outside;
		opts.reopen_ctx = t->bed;
	}
	r = bed_open(t->bed, &t->ep, &opts);
	t->passed = r == 0 && fault_hit();
	t->opened = fault_traced();
	if (r == 0)
		return;
	t->ep = NULL;
	if (!is_right_refusal(t, r))
		trip_wrong(t, "refused with %s (%s)", strerror(-r), t->said);
	else if (!t->errors)
		trip_wrong(t, "refused with %s, and without a word",
			   strerror(-r));
}

void trip_make(struct trip *t, struct bed *b, int err, bool lasting)
{
	*t = (struct trip){ .bed = b, .err = err, .lasting = lasting };
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->changed, NULL);
	if (b->kind->begin)
		b->kind->begin(b);
	open_it(t);
	fault_on_wait(NULL, NULL);
	if (t->ep) {
		t->queues = fdl_queues(t->ep);
		if (b->kind->opened)
			b->kind->opened(b);
		go(t);
		check(t);
		leave(t);
	}
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
}
