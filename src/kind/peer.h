/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peer of a unix datagram socket, which may die and come back under its
 * name. The kernel disconnects the socket as the first send fails.
 */
#ifndef FDL_IO_PEER_H
#define FDL_IO_PEER_H

#include <sys/socket.h>
#include <sys/un.h>

struct peer {
	struct sockaddr_un name;
	socklen_t len;		/* 0: it has none, or there is no peer */
};

/* Note whom fd is connected to. */
void peer_note(struct peer *peer, int fd);

/* Connect to it anew. Errors: -ENOTCONN it has no name; those of connect(2). */
int peer_reconnect(const struct peer *peer, int fd);

#endif
