/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller has told a datagram or seqpacket socket, and its messages do not
 * show. */
#ifndef FDL_KIND_TOLD_H
#define FDL_KIND_TOLD_H

#include "kind/kind.h"

/*
 * Refuse a socket filter that lets only the start of a message pass: the message
 * does not tell. What cannot be looked into is warned of. As struct kind's
 * check.
 */
int told_filter(int fd, const struct log *log);

/* Have control messages read, within what a system call may pass, if the socket
 * tells the time by them. */
void told_time(struct io *io, const struct set_up *how);

/* Is any option of SOL_SOCKET on, of names[0..n)? */
bool told_any(int fd, const int *names, unsigned n);

#endif
