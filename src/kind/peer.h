/* SPDX-License-Identifier: Apache-2.0 */
/* The peer of a unix datagram socket. The peer may end and come back under its
 * name. The first send after its end fails, and the kernel disconnects the
 * socket. */
#ifndef FDL_KIND_PEER_H
#define FDL_KIND_PEER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct peer {
	struct sockaddr_un name;
	socklen_t len;		/* 0: it has none, or there is no peer */
	const char *hello;	/* to be sent to it first; NULL: nothing */
};

/* Note the peer that fd is connected to. */
void peer_note(struct peer *peer, int fd);

/* Say hello to the peer that fd is connected to. Never blocks. Errors: those of
 * send(2). */
int peer_greet(int fd, const char *hello);

/*
 * Connect fd to the peer. Errors: those of connect(2). -ECONNREFUSED is also
 * said where the name leads to fd itself, as a symbolic link may, or a sender
 * whose socket file was moved away: nobody else is there. fd has no peer then.
 */
int peer_connect(const struct peer *peer, int fd);

/* Connect to the peer anew. Errors: -ENOTCONN it has no name; those of
 * connect(2) and send(2). */
int peer_reconnect(const struct peer *peer, int fd);

/* Whether the peer that fd is connected to has been closed, by sock_diag(7).
 * False also where the kernel does not tell. */
bool peer_is_closed(int fd);

#endif
