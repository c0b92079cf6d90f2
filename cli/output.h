/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard output whose reader may stand still: a terminal that is stopped, a
 * pipe that nobody reads. Who prints only what is taken at once is not held up.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>

/* Whether a report would be taken at once, or fail. */
bool output_has_room(void);

/* Wait for that, at most so long. Returns whether it is so. */
bool output_await_room(unsigned ms);

#endif
