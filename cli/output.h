/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard output whose reader may stand still: a terminal that is stopped, a
 * pipe that nobody reads. Who prints only what is taken at once is not held up.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>

enum {
	/* How often to look for room while something is to be printed. */
	OUTPUT_LOOK_MS = 100,
};

/* Whether a report would be taken at once, or fail. */
bool output_has_room(void);

/* For the last report: wait a second for that. Returns whether it is so; if
 * not, one sentence says that nobody reads. */
bool output_await_room(void);

#endif
