/* SPDX-License-Identifier: Apache-2.0 */
/* An address that a socket of ours is bound to, and the file of that
 * address. */
#ifndef FDL_FD_BOUND_H
#define FDL_FD_BOUND_H

#include <stdbool.h>

#include "os.h"

/* What bound_release does to a socket that others have, too. */
enum bound_parting {
	BOUND_NOT,		/* there is none */
	BOUND_SHUT,		/* shut it down: its peer sees the end */
	BOUND_DISCONNECT,	/* disconnect a datagram socket from its peer */
};

struct bound {
	char *path;	/* malloc'd, absolute; NULL: no file is ours */
	struct os_file file;
	bool kept;	/* listener is open */
	int listener;
	bool lent;	/* others have the listener, too: leave it as it is */
	enum bound_parting parting;
	int shared;	/* a duplicate of a socket that others have, too */
};

/*
 * Note that a socket of ours has just been bound to path, in the file system.
 * Errors: -ENOMEM, and those of lstat(2).
 */
int bound_note(struct bound *bound, const char *path);

/* Keep a listener: as long as it is open, the address is not free. */
void bound_keep(struct bound *bound, int listener);

/* The listener has its one peer. Whoever connects from now on is refused. */
void bound_shut(int listener);

/* Disconnect a datagram socket from its peer. It keeps its address. */
void bound_disconnect(int fd);

/* Keep a duplicate of a socket that others have, too. */
void bound_part(struct bound *bound, int fd, enum bound_parting parting);

/*
 * Give up the address, before the socket is closed: as long as the socket is
 * open, nobody takes the file for one that was left behind. If another file is
 * in its place, it stays.
 */
void bound_release(struct bound *bound);

/*
 * Unlink path if it is still that file. The kernel has no call that does both
 * at once. Errors: -ENOENT it is another file; those of lstat(2) and unlink(2).
 */
int unlink_same(const char *path, const struct os_file *file);

#endif
