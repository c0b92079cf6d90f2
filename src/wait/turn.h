/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is to receive from a queue: that of whoever calls, or of the
 * reader that fdl_attach gave it to. A call that began before is waited for, so
 * the receive side never has two threads.
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

/* A call of the receive side begins. Returns false where it may not: another
 * thread, of attach's, receives. */
bool turn_begin(struct turn *t);

/* It ends; for who was told true. */
static inline void turn_end(struct turn *t)
{
	atomic_store_explicit(&t->taken, false, memory_order_release);
}

/* Calls that begin from here on are reader's alone. Before the reader makes
 * one, turn_is_taken() has to be false. */
void turn_give(struct turn *t, pthread_t reader);
void turn_take_back(struct turn *t);

static inline bool turn_is_given(const struct turn *t)
{
	return atomic_load_explicit(&t->given, memory_order_acquire);
}

/* Is there a call in progress that began before the turn was given? */
static inline bool turn_is_taken(const struct turn *t)
{
	return atomic_load_explicit(&t->taken, memory_order_seq_cst);
}

#endif
