/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fanout group of an endpoint in mode adaptive. The plain sockets of its
 * queues are in it from the start, numbered as the queues are. Each has room for
 * one more, for a ring, which enters when its queue has the first load: behind
 * all others, whose numbers stay. A socket is numbered as it enters, but when the
 * link goes down and up as it was made. So which of them is for which queue is
 * not settled before: the first one made is for the first queue that asks.
 */
#ifndef FDL_IO_GROUP_H
#define FDL_IO_GROUP_H

#include <pthread.h>

#include "io/steer.h"

struct io_group {
	pthread_mutex_t lock;	/* of what follows, and of a change */
	unsigned queues;
	unsigned entered;	/* spare[0..entered) are in it */
	int spare[STEER_MAX_QUEUES];
	uint8_t member[STEER_MAX_QUEUES]; /* the socket that a queue uses */
};

/*
 * As many spare sockets as queues, 1 to STEER_MAX_QUEUES, which are duplicated:
 * unbound, and with a filter that passes nothing. Errors: -ENOMEM, those of
 * fcntl(2).
 */
int group_new(struct io_group **group, const int *spare, unsigned queues);

/* NULL is fine. */
void group_free(struct io_group *group);

/* The socket that is to enter next. Under the lock, as all that follows. */
int group_next(const struct io_group *group);

/*
 * Have that one enter the group that the plain socket is in. Waits for an RCU
 * grace period: then no packet is on its way to it. Returns its number. On
 * failure it is still the next, or in the group for nobody. Errors: those of
 * bind(2) and setsockopt(2).
 */
int group_enter(struct io_group *group, int plain);

/*
 * Have the kernel give a queue's packets to that socket. Waits for an RCU grace
 * period: then none is on its way to another one. fd is any socket of the group.
 * On failure all stays as it was. Errors: those of setsockopt(2).
 */
int group_use(struct io_group *group, int fd, unsigned queue, unsigned member);

#endif
