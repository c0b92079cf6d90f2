/* SPDX-License-Identifier: Apache-2.0 */
/* The socket of a link. */
#ifndef FDL_KIND_SOCKET_H
#define FDL_KIND_SOCKET_H

#include "fd/locator.h"
#include "log.h"

/*
 * Make a socket, as socket(2), with room for SOCKET_BUFFER bytes each way.
 * Returns its fd. Errors: those of socket(2), logged.
 */
int socket_open(const struct locator *loc, int family, int type, int protocol,
		const struct log *log);

/* Say why a link has no socket. Returns err. */
int socket_refused(const struct locator *loc, int err, const struct log *log);

/* What to do about an error of socket(2), dup(2) or malloc(3), as the end of a
 * message: ": do this". "": nothing is known to help. */
const char *refusal_advice(int err);

#endif
