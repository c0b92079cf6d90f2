/* SPDX-License-Identifier: Apache-2.0 */
/* How a link comes to a peer, or to a device. */
#ifndef FDL_KIND_MEET_H
#define FDL_KIND_MEET_H

#include "kind/life.h"

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
 * if that has a peer now. *group: with a holder for the caller, or NULL.
 * Errors: -EAGAIN: there is nobody, and who comes is told by what is watched;
 * any other: it is to be tried again.
 */
int life_meet(struct life *life, unsigned queue, int fd,
	      struct io_group **group);

/* The file that life_meet gave for a device is in the place of number fd. When
 * all queues have theirs, they join what group was asked for. */
void life_settle(struct life *life, unsigned queue, int fd);

/*
 * For a kind's meet: accept who waits. Errors: as life_meet.
 */
int life_accept(struct life *life);

/* The same: connect a socket of that family and type. */
int life_call(struct life *life, const struct sockaddr *address, socklen_t len,
	      int type);

#endif
