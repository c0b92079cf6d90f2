/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link that may be without its peer or its device: it is opened before there
 * is one, or it lasts when the peer or device goes. This struct, one for all
 * queues of an endpoint, keeps what is needed to find the next one.
 */
#ifndef FDL_KIND_LIFE_H
#define FDL_KIND_LIFE_H

#include <linux/filter.h>
#include <pthread.h>
#include <stdatomic.h>
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
	int listener;		/* peers connect to it; not owned; -1: none */
	bool lent;		/* the listener is the caller's, and is left as
				 * it is */
	int calling;		/* a socket that is being connected; -1 */
	struct peer last;	/* of datagrams: the peer that was met last */
	_Atomic unsigned
		strangers; /* messages dropped, as they were not from the
				 * peer; the caller of life_meet counts them */
	bool told;		/* the log has a sentence on one of them */
	struct log log;

	/* Of devices. One queue opens a batch of files, one for each queue, and
	 * each queue takes its own. */
	pthread_mutex_t lock;
	int netns;		/* where it was opened; -1: loc says it */
	int64_t gone_at;	/* as os_now_ms(); 0: the device is not gone */
	bool made;		/* fdl_open made the device: it is made anew if
				 * nobody else does so */
	unsigned batch;		/* the batch's number, from 1 on */
	struct opened opened;	/* the batch; fd -1: taken */
	struct io_group *group;	/* of the batch, in mode adaptive */
	unsigned settled;	/* queues that have their file in place */
	int place[LOCATOR_MAX_QUEUES]; /* the fds of these files */
};

#endif
