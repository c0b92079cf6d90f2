/* SPDX-License-Identifier: Apache-2.0 */
/* The wire's control socket: HTTP on a unix socket, for curl and scripts. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>

struct cable;
struct connect_report;
struct control;

/*
 * Listen at path, for this user and root only. report and cable must stay. A
 * socket file that nobody listens at any more is taken over.
 * Returns NULL, and standard error says why: path is too long or taken, or the
 * server cannot be had.
 */
struct control *control_open(const char *path, struct connect_report *report,
			     struct cable *cable);

/* NULL is fine. The socket file goes. */
void control_close(struct control *control);

/* What is to be polled for POLLIN, and what to do then. Never blocks. -1: a
 * client waits who cannot be accepted now (EMFILE); look again a little
 * later. */
int control_fd(const struct control *control);
void control_run(struct control *control);

/* A client's next request has been read already: the fd does not tell of it.
 * Call control_run again at once. */
bool control_holds(const struct control *control);

#endif
