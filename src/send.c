/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of a queue's own send side. */
#include <errno.h>

#include "queue.h"
#include "tx/defer.h"
#include "tx/message.h"
#include "tx/room.h"

/* If the caller waits for room already, the fd must not report room that the
 * kernel has just denied. */
static void note_room(struct fdl_queue *q, const struct verdict *why, int gone)
{
	struct tx *tx = &q->tx;

	tx->stalled = why && why->action == LATER ? why->result : 0;
	if (gone > 0)
		tx->pause_us = 0;
	if (tx->stalled && ready_wants_write(&q->ready))
		tx_want_room(&q->tx);
}

int fdl_send(struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	const struct verdict *why;
	int k;

	if (q->tx.deferred)
		defer_flush(&q->tx);
	k = tx_put_keeping(&q->tx, (struct frames){ .v = v }, n, &why);
	if (k > 0)
		fdl_release(v, k);
	note_room(q, why, k);
	if (why && why->action == END) {
		ready_want_write(&q->ready, false);
		shared_error(q->shared, why->text);
		return k ? k : why->result;
	}
	return k;
}

/* Write one frame. If it finds no room it is dropped, as the options say. */
static int write_one(struct fdl_queue *q, const struct frame *f)
{
	const struct verdict *why;

	q->tx.refused = 0;
	tx_put_all(&q->tx, (struct frames){ .f = f }, 1, &why);
	if (why) {
		ready_want_write(&q->ready, false);
		tx_drop(&q->tx, why, 1);
	}
	return q->tx.refused;
}

/* Keep a frame until the flush, if frames are deferred. */
static enum deferral put_off(struct fdl_queue *q, const struct frame *f,
			     bool ref, void (*done)(void *arg), void *arg)
{
	if (!q->tx.deferred)
		return DEFER_PASSED_BY;
	return defer_frame(&q->tx, f, ref, done, arg);
}

int fdl_write(struct fdl_queue *q, const struct iovec *iov, int cnt,
	      const struct fdl_offload *off)
{
	const struct frame f = {
		.iov = iov, .cnt = cnt, .weight = 1, .off = off
	};

	switch (put_off(q, &f, false, NULL, NULL)) {
	case DEFER_TAKEN:
		return 0;
	case DEFER_REFUSED:
		return -EINVAL;
	case DEFER_PASSED_BY:
		break;
	}
	return write_one(q, &f);
}

int fdl_write_ref(struct fdl_queue *q, const struct iovec *iov, int cnt,
		  const struct fdl_offload *off, void (*done)(void *arg),
		  void *arg)
{
	const struct frame f = {
		.iov = iov, .cnt = cnt, .weight = 1, .off = off
	};
	int err;

	switch (put_off(q, &f, true, done, arg)) {
	case DEFER_TAKEN:
		return 0;
	case DEFER_REFUSED:
		return -EINVAL;
	case DEFER_PASSED_BY:
		break;
	}
	err = write_one(q, &f);
	if (!err && done)
		done(arg);
	return err;
}

int fdl_flush(struct fdl_queue *q)
{
	const struct verdict *why;
	int err = q->tx.deferred ? defer_flush(&q->tx) : 0;

	if (err || !tx_has_rest(&q->tx))
		return err;
	tx_put_keeping(&q->tx, (struct frames){ NULL, NULL }, 0, &why);
	note_room(q, why, 0);
	return why ? why->result : 0;
}

int fdl_want_write(struct fdl_queue *q, bool on)
{
	int err = atomic_load_explicit(&q->rx.ended, memory_order_acquire);

	if (!err)
		err = on ? tx_want_room(&q->tx) :
			   ready_want_write(&q->ready, false);
	/* Meanwhile the receive side may have ended the queue, and have taken
	 * all out of the set. */
	if (!err && on) {
		err = atomic_load_explicit(&q->rx.ended, memory_order_acquire);
		if (err)
			ready_want_write(&q->ready, false);
	}
	return err;
}
