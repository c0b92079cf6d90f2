/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_KIND_UNIX_LOOKUP_H
#define FDL_KIND_UNIX_LOOKUP_H

#include "fd/locator.h"
#include "log.h"

/*
 * Would opening find a peer of that socket type, SOCK_..., or, to listen, its
 * address free? Errors: -ENOENT, -ECONNREFUSED, -EPROTOTYPE, -EADDRINUSE and
 * those of open(2) on /proc/net/unix, logged.
 */
int unix_check(const struct locator *loc, int want, const struct log *log);

#endif
