/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The switches of mode adaptive from one socket to the other, as its system
 * calls tell of them, and when they happen. For programs that are linked with
 * --wrap=os_setsockopt.
 */
#ifndef TESTS_SWITCHES_H
#define TESTS_SWITCHES_H

#include <stdatomic.h>
#include <stdbool.h>

enum { MAX_SWITCHING = 2 };	/* queues */

struct switches {
	/* Set by the test. What is held waits to be let go first. */
	atomic_bool hurried;	/* the test's clock runs, see there */
	atomic_bool held;
	atomic_uint delay_us;	/* a switch takes so much longer, */
	atomic_int refusal;	/* and fails with that, or 0, */
	atomic_int no_entry;	/* as does entering the group */

	/* How many are begun, have ended, and are done by each queue, in the
	 * order of their first. */
	atomic_uint begun, ended, done[MAX_SWITCHING];
	atomic_uint member;	/* the ring that is in use; 0: none */
	atomic_int ring;	/* the socket that had a ring made last */
	atomic_int by[MAX_SWITCHING];
};

extern struct switches switches;

/* As at the start: the clock stands, nothing is held and none was begun. */
void switches_reset(void);

unsigned switches_done(void);

/*
 * Have one begin, which is held: deliver is called with the clock running till
 * it has.
 */
void switches_begin(void (*deliver)(void *ctx), void *ctx);

/* Let all go that are held, and wait for their end. */
void switches_await(void);

#endif
