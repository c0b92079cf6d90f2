/* SPDX-License-Identifier: Apache-2.0 */
/* How the AF_PACKET sockets of one device share its packets. */
#ifndef FDL_FD_FANOUT_H
#define FDL_FD_FANOUT_H

#include <stdbool.h>

#include <fdlink/fdlink.h>

#include "log.h"

struct fanout {
	enum fdl_fanout how; /* AUTO: not given */
	bool rollover;	     /* a full socket passes packets on */
	bool outgoing;	     /* also what this machine sends */
	const struct sock_fprog *program; /* of CBPF */
};

/*
 * Put fd[0..n), n >= 1, all bound to one device, into a new group. name is the
 * device's, for the log. On failure some of them are in a group for good.
 * Errors: those of setsockopt(2), logged.
 */
int fanout_join(const int *fd, unsigned n, const struct fanout *fanout,
		const char *name, const struct log *log);

/* "auto", and what a locator can ask for: "hash" ...; NULL: it cannot, and none
 * behind it. */
const char *fanout_name(enum fdl_fanout how);

#endif
