/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time that a queue is without its peer, or without its device: before the
 * first one, and with a link that lasts, between two. Its fd is what it was, or a
 * socket that has no peer; what is sent is lost, and counted; to receive is to
 * look for the next one. The queue is ready when there may be one.
 */
#ifndef FDL_ABSENCE_H
#define FDL_ABSENCE_H

#include "queue.h"

/* Receive side: is it now? */
static inline bool absence_is_now(const struct fdl_queue *q)
{
	return q->absence.now;
}

/* Receive side: has the send side found that nobody is there? */
static inline bool absence_is_told(const struct fdl_queue *q)
{
	return atomic_load_explicit(&q->io.rung, memory_order_relaxed);
}

/* Receive side: it begins. */
void absence_begin(struct fdl_queue *q);

/* Receive side: end it, if there is a peer or a device. Returns whether it has
 * ended. Never blocks, except as life_meet. */
bool absence_end(struct fdl_queue *q);

/* Before any other call on the queue: there is no peer as yet, unless there is
 * one now. */
void absence_start(struct fdl_queue *q);

#endif
