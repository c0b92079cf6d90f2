/* SPDX-License-Identifier: Apache-2.0 */
/* A link that listens, and its first peer. */
#ifndef FDL_KIND_ACCEPT_H
#define FDL_KIND_ACCEPT_H

#include "fd/locator.h"
#include "fd/opened.h"
#include "log.h"

/* Wait until somebody is there. path is for the log. Errors: -EINTR, logged. */
int accept_wait(int fd, const char *path, const struct log *log);

/*
 * Listen on opened->fd[0], which is bound. It becomes the listener of
 * opened->bound, and stand_in, a socket like those that are accepted, takes its
 * place. With "wait" this waits for a peer; without, the link is unmet. Errors:
 * those of listen(2) and accept(2), and -EINTR, logged.
 */
int accept_peers(struct opened *opened, int stand_in, const struct locator *loc,
		 const struct log *log);

#endif
