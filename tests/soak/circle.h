/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that do the same again and again, and stand still when they are
 * told. */
#ifndef TESTS_SOAK_CIRCLE_H
#define TESTS_SOAK_CIRCLE_H

#include <pthread.h>
#include <stdbool.h>

struct circle {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned holds;		/* it may not go */
	bool still;		/* and does not */
	bool over;
	void (*step)(void *arg);
	void *arg;
};

/* step returns within milliseconds. The thread stands still at first. */
void circle_start(struct circle *c, void (*step)(void *arg), void *arg);
void circle_end(struct circle *c);

/* Returns when the thread stands still, and it does until as many circle_go
 * have come as circle_hold. */
void circle_hold(struct circle *c);
void circle_go(struct circle *c);

#endif
