/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/peer.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "os.h"

void peer_note(struct peer *peer, int fd)
{
	peer->len = sizeof(peer->name);
	if (os_getpeername(fd, (struct sockaddr *)&peer->name, &peer->len) ||
	    peer->len <= offsetof(struct sockaddr_un, sun_path) ||
	    peer->len > sizeof(peer->name))
		peer->len = 0;
}

int peer_greet(int fd, const char *hello)
{
	ssize_t r = os_send(fd, hello, strlen(hello), MSG_DONTWAIT);

	return r < 0 ? (int)r : 0;
}

int peer_reconnect(const struct peer *peer, int fd)
{
	int err;

	if (!peer->len)
		return -ENOTCONN;
	err = os_connect(fd, (const struct sockaddr *)&peer->name, peer->len);
	return err || !peer->hello ? err : peer_greet(fd, peer->hello);
}
