/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_KIND_UNIX_BIND_H
#define FDL_KIND_UNIX_BIND_H

#include <sys/un.h>

#include "fd/bound.h"
#include "log.h"

struct unix_address {
	struct sockaddr_un un;
	socklen_t len;
};

/* A leading '@' stands for the NUL of an abstract address. */
void unix_address(struct unix_address *addr, const char *path);

/* What to do about an error of connect(2), as the end of a message: ": do
 * this". "": nothing is known to help. */
const char *unix_connect_advice(int err);

/*
 * Bind fd to path, also where a process that has ended left a socket file of
 * that name, and note a file that is ours in *bound. Errors: those of bind(2)
 * and unlink(2), logged.
 */
int unix_bind(int fd, const char *path, struct bound *bound,
	      const struct log *log);

#endif
