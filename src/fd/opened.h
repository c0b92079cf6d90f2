/* SPDX-License-Identifier: Apache-2.0 */
/* What a kind of link opened for a locator, and what they all do for it. */
#ifndef FDL_FD_OPENED_H
#define FDL_FD_OPENED_H

#include <stdbool.h>
#include <stdint.h>

#include "fd/bound.h"
#include "fd/locator.h"
#include "log.h"

enum {
	/* Room for some thousand frames: the kernel's default holds about 90
	 * of full length. */
	SOCKET_BUFFER = 4 << 20,
};

/* fd[0..n), of one link. */
struct opened {
	unsigned n;
	int fd[LOCATOR_MAX_QUEUES];
	const struct kind *sort; /* a special sort of the locator's kind that
				  * cannot be told from the fd; NULL: none */
	bool paired;   /* fd[n..2n) are mode adaptive's spare sockets */
	/* They are to be put into such a group, which they are muted for, when
	 * their queues are open; the locator's. NULL: no more. */
	const struct fanout *group;
	bool no_outgoing; /* as struct own_sockets (endpoint.h) */
	bool borrowed; /* the fds are not ours to close */
	bool made;     /* there was no device, and one was made */
	bool unmet;    /* there is no peer yet */
	bool lasts;    /* the link outlives its peer, with or without the option
			* reconnect */
	struct bound bound;	/* by us */
};

/* Unlink and close what is ours. */
void opened_undo(struct opened *opened);

/*
 * The fd that systemd passed under a name (sd_listen_fds(3)); the first, if
 * there are several. The environment stays as it is.
 * Errors: -ENOENT, logged.
 */
int inherited_fd(const char *name, const struct log *log);

/* Best effort: SOCKET_BUFFER bytes for SO_SNDBUF, so many for SO_RCVBUF. */
void raise_send_buffer(int fd);
void raise_receive_buffer(int fd, uint32_t size);
/* SOCKET_BUFFER bytes for each. */
void raise_buffers(int fd);

#endif
