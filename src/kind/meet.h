/* SPDX-License-Identifier: Apache-2.0 */
/* How a link finds a peer, or a device. */
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
 * Receive side, between two lives: find a peer or a device. fd is the queue's.
 * Never blocks, except as long as it takes to open a device. *group is NULL, or
 * has a holder for the caller.
 *
 * Returns fd itself if it has a peer now; or another fd, which the caller owns,
 * and whose file has to take the place of fd.
 * Errors:
 *	-EAGAIN		there is nobody; the listener, or fd, is readable when
 *			somebody comes
 *	any other	try again later
 */
int life_meet(struct life *life, unsigned queue, int fd,
	      struct io_group **group);

/* The file that life_meet gave for a device has the number fd now. When the
 * files of all queues are in place, they join the fanout group, if one was
 * asked for. */
void life_settle(struct life *life, unsigned queue, int fd);

/*
 * For a kind's meet: accept a waiting connection. Errors: as life_meet.
 */
int life_accept(struct life *life);

/* The same: connect a socket of that family and type. */
int life_call(struct life *life, const struct sockaddr *address, socklen_t len,
	      int type);

#endif
