/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of an fd that change what it hands out, or how it waits. */
#ifndef TESTS_HELD_H
#define TESTS_HELD_H

#include <sys/socket.h>

#include "link.h"

/* What is to become of an endpoint on whose fd it is set. */
enum held_outcome {
	HELD_UNDERSTOOD,	/* every frame comes, as it was sent */
	HELD_LOSES,		/* every frame comes or is counted */
	HELD_MENDED,		/* the same, a warning names it, and then every
				 * frame comes */
	HELD_STOPS,		/* no frame comes, and none is counted */
	HELD_REFUSED,		/* there is none: one sentence names it */
	HELD_NOT,		/* not to be tried */
};

enum {
	HELD_FLAGS = -1,	/* a level: F_SETFL, the option is set */
	HELD_FLAGS_OFF = -2,	/* the same, it is cleared */
};

struct held_setting {
	const char *name;
	unsigned needs, not_on;		/* LINK_ traits */
	int level, option;
	const void *value;
	socklen_t len;
	enum held_outcome before, running;
	const char *named;
	uint32_t flags;			/* fdl_options.flags */
};

/* The last one has no name. */
extern const struct held_setting held_settings[];

/* Returns 0, or -1 and errno. */
int held_set(int fd, const struct held_setting *s);

/* The socket that fdl_open has opened. */
int held_fd_of(const struct link *l);

#endif
