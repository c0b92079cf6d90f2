/* SPDX-License-Identifier: Apache-2.0 */
/* Wait for the one peer of a link that listens. */
#ifndef FDL_KIND_ACCEPT_H
#define FDL_KIND_ACCEPT_H

#include "fd/locator.h"
#include "log.h"

/* Wait until somebody is there. path is for the log. Errors: -EINTR, logged. */
int accept_wait(int fd, const char *path, const struct log *log);

/*
 * Listen on a socket that is bound, and accept one peer: *peer, with large
 * buffers. The listener stays open. Errors: those of listen(2) and accept(2),
 * and -EINTR, logged.
 */
int accept_peer(int listener, const struct locator *loc, int *peer,
		const struct log *log);

#endif
