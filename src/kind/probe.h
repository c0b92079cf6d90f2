/* SPDX-License-Identifier: Apache-2.0 */
/* Find out what an fd is. */
#ifndef FDL_KIND_PROBE_H
#define FDL_KIND_PROBE_H

#include <stddef.h>

#include "kind/kind.h"

/*
 * As fdl_probe_fd, into the library's own struct; and *kind is the fd's kind.
 * If a device is in another network namespace, which this process may not
 * enter, only its name is known, and it is taken to have IFF_NO_PI, because
 * TUNGETIFF does not tell.
 */
int probe_fd(int fd, const struct kind **kind, struct fdl_info *info,
	     const struct log *log);

/* Fill in what the kind alone tells. */
void info_begin(struct fdl_info *info, const struct kind *kind);

/* Hand out what was found: as many bytes as the caller has, the rest 0. */
void info_give(struct fdl_info *info, size_t size,
	       const struct fdl_info *found);

#endif
