/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two sockets of a queue in mode adaptive, and the change from one to the
 * other, which a thread makes (adaptive.c says why).
 */
#ifndef FDL_IO_PAIR_H
#define FDL_IO_PAIR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "io/changes.h"
#include "io/io.h"
#include "io/load.h"

enum phase {
	PLAIN,
	TO_RING,
	DRAIN_PLAIN,
	RING,
	TO_PLAIN,
	DRAIN_RING,
};

/* What in the set is ready. */
enum source {
	FROM_PLAIN,
	FROM_RING,
	FROM_TIMER,
	SOURCES,
};

struct pair {
	struct io plain, ring;
	struct changes ring_changes;
	struct io *io;		/* the queue's own */
	unsigned member;	/* the ring socket's number, once it has one */
	const struct fdl_options *opts;
	enum phase phase;
	bool masked;		/* the plain socket is watched for nothing */
	int set;
	int timer;
	int fresh;		/* f[0..fresh) are new to recvmmsg */

	struct load load;

	pthread_t thread;
	_Atomic bool swapped;	/* by the thread, which ends */
	int error;		/* why it did not: never tried again */
};

/* Change how a source is watched, as epoll_ctl(2) does. */
int pair_watch(const struct pair *pair, int op, enum source source,
	       uint32_t events);

/* The plain socket is watched for nothing, or for its level again. */
void pair_mask_plain(struct pair *pair, bool mask);

/* Begin to change. If that fails, all stays as it is. */
void pair_begin_to_ring(struct pair *pair);
void pair_begin_to_plain(struct pair *pair);

/* If a change has come to its end, so does its phase. */
void pair_end_swap(struct pair *pair);

#endif
