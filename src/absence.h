/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An absence: the time in which a queue has no peer, or no device. It lies
 * before the first peer and, if the link lasts, between two.
 *
 * - The fd is the former one, or a socket without a peer.
 * - Frames sent are lost and counted.
 * - A receive call looks for the next peer or device.
 * - The queue is ready when there may be one.
 */
#ifndef FDL_ABSENCE_H
#define FDL_ABSENCE_H

#include "queue.h"

/* Receive side: whether there is an absence now. */
static inline bool absence_is_now(const struct fdl_queue *q)
{
	return q->absence.now;
}

/* Receive side: whether the send side has found that nobody is there. */
static inline bool absence_is_told(const struct fdl_queue *q)
{
	return atomic_load_explicit(&q->io.rung, memory_order_relaxed);
}

/* Receive side: begin an absence. */
void absence_begin(struct fdl_queue *q);

/* Receive side: end the absence if there is a peer or a device. Returns whether
 * it has ended. Never blocks, with the exception of life_meet. */
bool absence_end(struct fdl_queue *q);

/* Receive side: there is a peer. If nothing tells its end, look for it from
 * time to time. */
void absence_expect(struct fdl_queue *q);

/* Receive side, when there is nothing to receive: if it is time for that, look
 * whether the peer is still there, and begin an absence if not. */
void absence_look(struct fdl_queue *q);

/* Before any other call on the queue: begin with an absence, and end it at once
 * if there is a peer now. */
void absence_start(struct fdl_queue *q);

#endif
