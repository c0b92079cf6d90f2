/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of a queue's own send side. */
#include <errno.h>

#include "queue.h"
#include "tx/defer.h"
#include "tx/message.h"
#include "tx/room.h"

/* Frames that go in one step. */
enum { WRITE_BATCH = 64 };

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

/* Write frames. Those that find no room are dropped, as the options say.
 * Returns 0, or why the first one that did not go did not. */
static int write_all(struct fdl_queue *q, const struct frame *f, int n)
{
	const struct verdict *why;
	int k;

	q->tx.refused = 0;
	k = tx_put_all(&q->tx, (struct frames){ .f = f }, n, &why);
	if (why) {
		ready_want_write(&q->ready, false);
		tx_drop(&q->tx, why, (unsigned)(n - k));
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
	return write_all(q, &f, 1);
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
	err = write_all(q, &f, 1);
	if (!err && done)
		done(arg);
	return err;
}

static struct frame whole_frame(const struct iovec *bytes)
{
	return (struct frame){ .iov = bytes, .cnt = 1, .weight = 1 };
}

/* The bytes stay where they are, as all is flushed before they may change. */
static int write_deferring(struct fdl_queue *q, const struct iovec *frames,
			   int n)
{
	struct frame f;
	int i, err = 0, last;

	for (i = 0; i < n; i++) {
		f = whole_frame(&frames[i]);
		q->tx.refused = 0;
		if (put_off(q, &f, true, NULL, NULL) == DEFER_PASSED_BY)
			write_all(q, &f, 1);
		err = err ? err : q->tx.refused;
	}
	last = defer_flush(&q->tx);
	return err ? err : last;
}

static int write_at_once(struct fdl_queue *q, const struct iovec *frames, int n)
{
	struct frame f[WRITE_BATCH];
	int i, err = 0, last, k, some;

	for (k = 0; k < n; k += some) {
		some = n - k < WRITE_BATCH ? n - k : WRITE_BATCH;
		for (i = 0; i < some; i++)
			f[i] = whole_frame(&frames[k + i]);
		last = write_all(q, f, some);
		err = err ? err : last;
	}
	return err;
}

int fdl_write_frames(struct fdl_queue *q, const struct iovec *frames, int n)
{
	int err;

	if (n < 0)
		return -EINVAL;
	/* What becomes of earlier ones is not told here. */
	fdl_flush(q);
	q->tx.lost = 0;
	if (q->tx.deferred)
		err = write_deferring(q, frames, n);
	else
		err = write_at_once(q, frames, n);
	return q->tx.lost < (unsigned)n ? n - (int)q->tx.lost : err;
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
