/* SPDX-License-Identifier: Apache-2.0 */
/* Tell a service manager how far the command is: sd_notify(3). */
#ifndef NOTIFY_H
#define NOTIFY_H

/*
 * Find who is to be told: $NOTIFY_SOCKET, which is taken from the environment.
 * Returns an fd, or -1: nobody, or somebody who cannot be reached.
 */
int notify_open(void);

/* state: lines as "READY=1". fd may be -1. */
void notify(int fd, const char *state);

#endif
