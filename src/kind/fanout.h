/* SPDX-License-Identifier: Apache-2.0 */
/* Making a fanout group. */
#ifndef FDL_KIND_FANOUT_H
#define FDL_KIND_FANOUT_H

#include "fd/locator.h"
#include "log.h"

/*
 * Put fd[0..n), n >= 1, all bound to one device, into a new group. name is the
 * device's, for the log. On failure some of them are in a group for good.
 * Errors: those of setsockopt(2), logged.
 */
int fanout_join(const int *fd, unsigned n, const struct fanout *fanout,
		const char *name, const struct log *log);

#endif
