/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for an endpoint or for one of its queues, and waking who waits. */
#include <fdlink/attach.h>

#include <errno.h>

#include "endpoint.h"
#include "wait/wake.h"

static int queue_state(struct fdl_queue *q)
{
	const struct io_ops *ops = q->ops;

	return ready_state(&q->ready, ops->peek && ops->peek(&q->io));
}

int fdl_queue_poll(struct fdl_queue *q, int timeout_ms)
{
	int r;

	if (!queue_is_ours(q))
		return -EBUSY;
	r = atomic_load_explicit(&q->rx.ended, memory_order_acquire);
	if (r)
		return r;
	r = ready_wait(&q->ready, q->ready.wake, timeout_ms);
	if (r > 0)
		r = ready_wants_write(&q->ready) ? queue_state(q) :
						   FDL_READABLE;
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

/* What the first queue ended with, if all have. */
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
	/* Another thread may have been quicker. */
	return state ? state : FDL_READABLE;
}

/* One queue is waited for by what it waits for itself: each epoll set around
 * that would be felt in the latency of a lone packet. */
static int wait_for_any(struct fdl_endpoint *ep, int timeout_ms)
{
	int set;

	if (ep->n_queues == 1)
		return ready_wait(&ep->queues[0].ready, ep->wake, timeout_ms);
	set = fdl_fd(ep);
	return set < 0 ? set : wake_wait(ep->wake, set, timeout_ms);
}

int fdl_poll(struct fdl_endpoint *ep, int timeout_ms)
{
	int r;

	if (fdl_is_attached(ep))
		return -EBUSY;
	r = all_ended(ep);
	if (r)
		return r;
	r = wait_for_any(ep, timeout_ms);
	return r > 0 ? state_of_all(ep) : r;
}

void fdl_wake(struct fdl_endpoint *ep)
{
	unsigned i;

	wake_raise(ep->wake);
	for (i = 0; i < ep->n_queues; i++)
		wake_raise(ep->queues[i].ready.wake);
}
