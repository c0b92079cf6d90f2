/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link that may be without its peer or its device: because it is opened before
 * there is one, or because it lasts when that goes. What it was opened by is kept
 * here, for all queues of an endpoint, and how the next one is come to.
 */
#ifndef FDL_KIND_LIFE_H
#define FDL_KIND_LIFE_H

#include <linux/filter.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "fd/locator.h"
#include "fd/opened.h"
#include "kind/peer.h"
#include "log.h"

struct io_group;
struct kind;

struct life {
	struct locator loc;
	struct sock_fprog program;	/* of loc.fanout, if it has one */
	const struct kind *kind;	/* of loc, or a special sort of it */
	bool lasts;		/* it outlives its peer, or its device */
	int listener;		/* who connects is met here; not owned; -1 */
	bool lent;		/* that is the caller's, and is left as it is */
	int calling;		/* a socket that is being connected; -1 */
	struct peer last;	/* of datagrams: who was met last */
	unsigned strangers;	/* messages that were not from the peer, and
				 * dropped; the caller of life_meet counts them */
	bool told;		/* of one of them */
	struct log log;

	/* Of devices. One queue opens for all, and each takes its own. */
	pthread_mutex_t lock;
	int netns;		/* where it was opened; -1: loc says it */
	int64_t gone_at;	/* as os_now_ms(); 0: it is not gone */
	bool made;		/* the device was: if nobody else does, it is made
				 * anew */
	unsigned batch;		/* its number, from 1 on */
	struct opened opened;	/* that; fd -1: taken */
	struct io_group *group;	/* of the batch, in mode adaptive */
	unsigned settled;	/* queues that have theirs in place, */
	int place[LOCATOR_MAX_QUEUES]; /* there */
};

#endif
