/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link that may be without its peer or its device: because it is opened before
 * there is one, or because it lasts when that goes. What it was opened by is kept
 * here, for all queues of an endpoint, and how the next one is come to.
 */
#ifndef FDL_KIND_LIFE_H
#define FDL_KIND_LIFE_H

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
};

/*
 * Keep what is needed to open loc again; opened is what was opened. Errors:
 * -ENOMEM, those of open(2).
 */
int life_new(struct life **life, const struct locator *loc,
	     const struct kind *kind, const struct opened *opened,
	     const struct log *log);

/* NULL is fine. */
void life_free(struct life *life);

/*
 * Receive side, between two lives: come to a peer or a device. fd is the
 * queue's. Never blocks, except as long as it takes to open a device. Returns
 * the fd whose file is to take its place, which is the caller's; or fd itself,
 * if that has a peer now.
 * Errors: -EAGAIN: there is nobody, and who comes is told by what is watched;
 * any other: it is to be tried again.
 */
int life_meet(struct life *life, unsigned queue, int fd);

/*
 * For a kind's meet: accept who waits. Errors: as life_meet.
 */
int life_accept(struct life *life);

/* The same: connect a socket of that family and type. */
int life_call(struct life *life, const struct sockaddr *address, socklen_t len,
	      int type);

#endif
