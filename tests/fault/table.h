/* SPDX-License-Identifier: Apache-2.0 */
/* Which errors the kernel may give, call by call. */
#ifndef TESTS_FAULT_TABLE_H
#define TESTS_FAULT_TABLE_H

#include "fault.h"

enum { MOST_ERRORS = 10 };

struct fault_row {
	enum fault what;
	unsigned on;			/* ON_ANY: whichever */
	int err[MOST_ERRORS];		/* up to the first 0; as fault_set */
};

/* The last has FAULTS. */
extern const struct fault_row fault_table[];

/* What setsockopt and getsockopt are on. */
#define SOCKET_OPTION(name)	(SOL_SOCKET << 16 | (name))
#define PACKET_OPTION(name)	(SOL_PACKET << 16 | (name))
#define TCP_OPTION(name)	(IPPROTO_TCP << 16 | (name))
#define UDP_OPTION(name)	(SOL_UDP << 16 | (name))

/* Whether an endpoint may be made though such a call fails so. */
bool fault_is_harmless(const struct fault_row *row, int err);

/* Returns the row of such a call; NULL: there is none. */
const struct fault_row *fault_row(enum fault what, unsigned on);

#endif
