/* SPDX-License-Identifier: Apache-2.0 */
/* What the wrapped calls ask, and tell. */
#ifndef TESTS_FAULT_PLAN_H
#define TESTS_FAULT_PLAN_H

#include "fault.h"

/* Called once for each call: 0, or how it fails: minus an errno, or one of the
 * other numbers of fault.h. */
int plan_now(enum fault what, unsigned on);
int plan_now_fd(enum fault what, int fd);

/* An errno that a later call is to tell; 0: none. It is forgotten. */
int plan_held(void);
void plan_hold(int err);

void plan_wait(void);

/* So much more, or less, is held. */
void plan_add(long blocks, long bytes, long threads);
void plan_closed(int result);

int64_t plan_clock(int64_t now_us);

/* What a call returns that fails so: the errno alone, or 0. */
static inline int plan_result(int fate)
{
	return -(-fate & FAULT_ERRNO);
}

static inline bool plan_says(int fate, int what)
{
	return -fate & what;
}

#endif
