/* SPDX-License-Identifier: Apache-2.0 */
/* Wait for an endpoint or for one of its queues, and end such a wait. */
#include <fdlink/attach.h>

#include <errno.h>

#include "endpoint.h"
#include "wait/wake.h"

static int queue_state(struct fdl_queue *q)
{
	const struct io_ops *ops = q->ops;

	return ready_state(&q->ready, ops->peek && ops->peek(&q->io));
}

/* How the caller's own wait for the queue, or for all of them, is ended: by the
 * eventfd, or by fdl_attach. */
static struct waker waker_of(const struct fdl_queue *q, int eventfd)
{
	return (struct waker){ .eventfd = eventfd, .leave = &q->turn.given };
}

static int poll_queue(struct fdl_queue *q, int timeout_ms)
{
	const struct waker w = waker_of(q, q->ready.wake);
	int r = atomic_load_explicit(&q->rx.ended, memory_order_acquire);

	if (r)
		return r;
	r = ready_wait(&q->ready, &w, timeout_ms);
	if (r > 0)
		r = ready_wants_write(&q->ready) ? queue_state(q) :
						   FDL_READABLE;
	return r;
}

int fdl_queue_poll(struct fdl_queue *q, int timeout_ms)
{
	int r;

	if (!turn_begin(&q->turn))
		return -EBUSY;
	r = poll_queue(q, timeout_ms);
	turn_end(&q->turn);
	return r;
}

int fdl_queue_fd(const struct fdl_queue *q)
{
	int err = ready_show(&q->ep->queues[q->index].ready);

	return err ? err : q->ready.epfd;
}

int fdl_fd(const struct fdl_endpoint *ep)
{
	unsigned i;
	int err;

	for (i = 0; i < ep->n_queues; i++) {
		err = ready_show(&ep->queues[i].ready);
		if (err)
			return err;
	}
	return ep->set;
}

/* Returns what the first queue ended with, if all queues have ended; else 0. */
static int all_ended(const struct fdl_endpoint *ep)
{
	unsigned i;

	for (i = 0; i < ep->n_queues; i++)
		if (!atomic_load_explicit(&ep->queues[i].rx.ended,
					  memory_order_acquire))
			return 0;
	return ep->queues[0].rx.ended;
}

static bool wants_write(const struct fdl_endpoint *ep)
{
	unsigned i;

	for (i = 0; i < ep->n_queues; i++)
		if (ready_wants_write(&ep->queues[i].ready))
			return true;
	return false;
}

static int state_of_all(struct fdl_endpoint *ep)
{
	int state = 0;
	unsigned i;

	for (i = 0; wants_write(ep) && i < ep->n_queues; i++)
		state |= queue_state(&ep->queues[i]);
	/* There was something, and another thread may have taken it already. */
	return state ? state : FDL_READABLE;
}

/* A single queue is waited for as fdl_queue_poll does, not by the set around
 * it: each epoll set more would be felt in the latency of a single packet. */
static int wait_for_any(struct fdl_endpoint *ep, int timeout_ms)
{
	const struct waker w = waker_of(&ep->queues[0], ep->wake);
	int set;

	if (ep->n_queues == 1)
		return ready_wait(&ep->queues[0].ready, &w, timeout_ms);
	set = fdl_fd(ep);
	return set < 0 ? set : wake_wait(&w, set, timeout_ms);
}

static int poll_all(struct fdl_endpoint *ep, int timeout_ms)
{
	int r = all_ended(ep);

	if (r)
		return r;
	r = wait_for_any(ep, timeout_ms);
	return r > 0 ? state_of_all(ep) : r;
}

/*
 * All turns are given together, so the first queue's stands for them. The
 * reader of that queue has the turn in a callback; it must not wait for the
 * other queues all the same.
 */
int fdl_poll(struct fdl_endpoint *ep, int timeout_ms)
{
	struct turn *turn = &ep->queues[0].turn;
	int r;

	if (turn_is_given(turn) || !turn_begin(turn))
		return -EBUSY;
	r = poll_all(ep, timeout_ms);
	turn_end(turn);
	return r;
}

void fdl_wake(struct fdl_endpoint *ep)
{
	unsigned i;

	wake_raise(ep->wake);
	for (i = 0; i < ep->n_queues; i++)
		wake_raise(ep->queues[i].ready.wake);
}
