/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link watch: what becomes of a queue's device. An AF_PACKET socket is told
 * nothing when its device is deleted while down, and nothing by which deleted
 * could be told from down; rtnetlink tells both, and changes of any device.
 */
#ifndef FDL_WATCH_H
#define FDL_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fd/link.h"

struct fdl_endpoint;
struct fdl_queue;

struct watch {
	bool open;
	int netlink;			/* subscribed to the device; when it is
					 * gone, maybe the timer for over_at */
	bool gone;			/* receive side: the device is */
	int64_t over_at;		/* receive side: when all it left will
					 * have come, as os_now_ms(); 0: at
					 * once */
	_Atomic uint64_t changes;	/* written by the receive side */
	struct link last;		/* receive side: what was told last */
};

/*
 * Watch the device of every queue, as far as ep->device is known. A queue
 * without a watch works, and never learns.
 */
void watch_open_all(struct fdl_endpoint *ep);
void watch_close(struct fdl_queue *q);

/*
 * Receive side, when there is nothing to receive: take note of what happened to
 * the device. Returns true when it has just been found gone: what came before
 * is to be received, and then the queue ends.
 */
bool watch_look(struct fdl_queue *q);

/* Receive side: has the queue ended, if there is nothing to receive? Its fd is
 * readable once it has. */
bool watch_is_over(const struct watch *w);

#endif
