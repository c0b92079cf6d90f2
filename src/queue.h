/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One queue: an fd with its pool, its readiness and its counters, the receive
 * side and the send side that are given them. queue.c has its life cycle.
 */
#ifndef FDL_QUEUE_H
#define FDL_QUEUE_H

#include <fdlink/fdlink.h>
#include <fdlink/offload.h>

#include "counters.h"
#include "io/changes.h"
#include "io/io.h"
#include "packet/pool.h"
#include "rx/rx.h"
#include "shared.h"
#include "tx/tx.h"
#include "wait/ready.h"
#include "wait/turn.h"
#include "wait/watch.h"

/* See absence.h. */
struct absence {
	struct life *life;		/* the endpoint's; NULL: the link has a
					 * peer from its start to its end */
	bool now;			/* receive side: there is an absence */
	int timer;			/* timerfd; -1: life is NULL */
	unsigned pause_ms;		/* after the next try that fails */
	int64_t due;			/* the next try, as os_now_ms() */
};

struct fdl_queue {
	struct fdl_endpoint *ep;
	unsigned index;
	struct shared *shared;
	const struct io_ops *ops;
	struct fdl_info info;		/* of this fd */
	struct io io;
	struct ready ready;
	struct watch watch;
	struct changes changes;		/* on this fd, to be undone */
	struct absence absence;
	struct turn turn;
	struct counters counters;
	struct rx rx;
	struct tx tx;
};

/* ep, index, shared, ops, info, io.group and absence.life are set. fd is
 * duplicated. Errors: fdl_endpoint_new's of resources. */
int queue_open(struct fdl_queue *q, int fd);
void queue_close(struct fdl_queue *q);

/*
 * Put the file behind fd in the place of the queue's file, which nothing waits
 * for now, and wait for it; fd is closed then. group becomes io.group, and
 * passes on a holder; NULL: there is none. On failure the queue has its former
 * file.
 * Errors: -EPROTOTYPE: fd is a link of another kind; those of the system calls.
 */
int queue_replace(struct fdl_queue *q, int fd, struct io_group *group);

/* Count the packets that the kernel has dropped since the last call, as far as
 * the queue's sockets tell. Any thread. */
void queue_count_drops(struct fdl_queue *q);

#endif
