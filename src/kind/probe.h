/* SPDX-License-Identifier: Apache-2.0 */
/* What is this fd? */
#ifndef FDL_KIND_PROBE_H
#define FDL_KIND_PROBE_H

#include <stddef.h>

#include "kind/kind.h"

/*
 * As fdl_probe_fd, into the library's own struct, and of which kind it is. A
 * device that is in another network namespace, and not for us to see there, has
 * its name only, and is taken to have IFF_NO_PI, as TUNGETIFF does not tell.
 */
int probe_fd(int fd, const struct kind **kind, struct fdl_info *info,
	     const struct log *log);

/* What the kind alone tells. */
void info_begin(struct fdl_info *info, const struct kind *kind);

/* Hand out what was found, in as many bytes as the caller has, the rest 0. */
void info_give(struct fdl_info *info, size_t size,
	       const struct fdl_info *found);

#endif
