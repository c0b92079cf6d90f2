/* SPDX-License-Identifier: Apache-2.0 */
#include "wait/turn.h"

#include "alone.h"

/*
 * Both this and turn_give write before they read, so that at least one of the
 * two sees what the other wrote. That takes a locked instruction. A process
 * with a single thread does without: nobody can call turn_give meanwhile.
 */
static void take(struct turn *t)
{
	if (is_alone())
		atomic_store_explicit(&t->taken, true, memory_order_relaxed);
	else
		atomic_exchange_explicit(&t->taken, true, memory_order_seq_cst);
}

bool turn_begin(struct turn *t)
{
	if (turn_is_given(t))
		return pthread_equal(
			atomic_load_explicit(&t->reader, memory_order_relaxed),
			pthread_self());
	take(t);
	if (!atomic_load_explicit(&t->given, memory_order_seq_cst))
		return true;
	turn_end(t);
	return false;
}

void turn_give(struct turn *t, pthread_t reader)
{
	atomic_store_explicit(&t->reader, reader, memory_order_relaxed);
	atomic_store_explicit(&t->given, true, memory_order_seq_cst);
}

void turn_take_back(struct turn *t)
{
	atomic_store_explicit(&t->given, false, memory_order_release);
}
