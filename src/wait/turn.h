/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is to receive from a queue: that of any caller, or that of the
 * reader which fdl_attach gave it to. fdl_attach waits for a call that began
 * before, so that the receive side never has two threads.
 */
#ifndef FDL_TURN_H
#define FDL_TURN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct turn {
	_Atomic bool taken;	/* a call is in progress */
	_Atomic bool given;	/* only reader may call */
	_Atomic pthread_t reader;
};

/* Begin a call of the receive side. Returns false if this thread may not
 * receive: a reader of fdl_attach does. */
bool turn_begin(struct turn *t);

/* End a call for which turn_begin returned true. */
static inline void turn_end(struct turn *t)
{
	atomic_store_explicit(&t->taken, false, memory_order_release);
}

/* From here on only reader may begin calls. Before the reader makes one,
 * turn_is_taken() must be false. */
void turn_give(struct turn *t, pthread_t reader);
void turn_take_back(struct turn *t);

static inline bool turn_is_given(const struct turn *t)
{
	return atomic_load_explicit(&t->given, memory_order_acquire);
}

/* Whether a call that began before the turn was given is still in progress. */
static inline bool turn_is_taken(const struct turn *t)
{
	return atomic_load_explicit(&t->taken, memory_order_seq_cst);
}

#endif
