/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fanout group of an endpoint in mode adaptive. The plain sockets of its
 * queues are in it from the start, numbered as the queues are. There is room
 * for a second socket of each queue, with a ring. It enters when its queue has
 * the first load, behind all others, whose numbers stay.
 *
 * The kernel numbers a socket as it enters the group. When the link goes down
 * and up, it numbers the sockets anew, in the order in which they were made. So
 * the spare sockets enter in that order too: the first one made is for the
 * first queue that asks.
 */
#ifndef FDL_IO_GROUP_H
#define FDL_IO_GROUP_H

#include <pthread.h>
#include <stdatomic.h>

#include "io/steer.h"

struct io_group {
	_Atomic unsigned holders;
	pthread_mutex_t lock;	/* of what follows, and of a change */
	unsigned queues;
	unsigned entered;	/* spare[0..entered) are in it */
	int spare[STEER_MAX_QUEUES];
	uint8_t member[STEER_MAX_QUEUES]; /* the socket that a queue uses */
};

/*
 * Make a group with as many spare sockets as queues, 1 to STEER_MAX_QUEUES.
 * They are duplicated; they are unbound, and have a filter that passes nothing.
 * It has one holder.
 * Errors: -ENOMEM, those of fcntl(2).
 */
int group_new(struct io_group **group, const int *spare, unsigned queues);

/* Add or remove a holder. Removing the last one frees the group. NULL is
 * fine. */
void group_hold(struct io_group *group);
void group_drop(struct io_group *group);

/* Returns the socket that is to enter next. Call this, and all that follows,
 * under the lock. */
int group_next(const struct io_group *group);

/*
 * Have that socket enter the group that the plain socket is in. Waits for an
 * RCU grace period: then no packet is on its way to it. Returns its number. On
 * failure it is still the next, or in the group for nobody. Errors: those of
 * bind(2) and setsockopt(2).
 */
int group_enter(struct io_group *group, int plain);

/*
 * Have the kernel give a queue's packets to that socket. Waits for an RCU grace
 * period: then no packet is on its way to another socket. fd is any socket of
 * the group. On failure all stays as it was. Errors: those of setsockopt(2).
 */
int group_use(struct io_group *group, int fd, unsigned queue, unsigned member);

#endif
