/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_KIND_PACKET_OPEN_H
#define FDL_KIND_PACKET_OPEN_H

#include "fd/locator.h"
#include "fd/opened.h"
#include "log.h"

/* As struct kind's open. */
int packet_open(const struct locator *loc, struct opened *opened,
		const struct log *log);

/*
 * As struct kind's join. The kernel numbers the sockets of a group as they
 * join, and puts one last that is given a ring: rings come first.
 */
int packet_join(const int *fd, unsigned n, const struct fanout *fanout,
		bool muted, const char *name, const struct log *log);

/* Why no spare sockets are opened for mode adaptive, as the end of a sentence;
 * NULL: they are. */
const char *packet_pair_refusal(const struct locator *loc);

#endif
