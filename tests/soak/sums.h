/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what was offered was delivered or counted. */
#ifndef TESTS_SOAK_SUMS_H
#define TESTS_SOAK_SUMS_H

#include <fdlink/stats.h>

#include "soak.h"

/* As far as they can be told at one moment. */
struct sums {
	struct fdl_stats st;
	uint64_t rx, tx, far;
};

void sums_take(struct soak *s, struct sums *sums);
bool sums_right(const struct soak *s, const struct sums *sums);
void sums_show(const struct soak *s, const struct sums *sums);

/* Stop offering, and wait till everything has turned up. */
void sums_look(struct soak *s);

#endif
