/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/peer.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stddef.h>
#include <string.h>

#include "fd/bound.h"
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

/* Ask the kernel for the inode of the peer of a socket. */
static int ask_for_peer(int sock, ino_t inode)
{
	struct {
		struct nlmsghdr nh;
		struct unix_diag_req req;
	} question = {
		.nh = { .nlmsg_len = sizeof(question),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST },
		.req = { .sdiag_family = AF_UNIX,
			 .udiag_states = ~0U,
			 .udiag_ino = (uint32_t)inode,
			 .udiag_show = UDIAG_SHOW_PEER,
			 .udiag_cookie = { ~0U, ~0U } },
	};
	const ssize_t n = os_send(sock, &question, sizeof(question),
				  MSG_DONTWAIT);

	return n < 0 ? (int)n : 0;
}

/* Read the inode of the peer from the answer: 0 if the peer has none, as only a
 * socket that was closed has none. Returns whether it is there. */
static bool read_peer(const uint8_t *answer, size_t len, uint32_t *inode)
{
	size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct unix_diag_msg));
	struct nlattr attr = { .nla_len = sizeof(attr) };
	struct nlmsghdr nh = { 0 };

	memcpy(&nh, answer, len < sizeof(nh) ? len : sizeof(nh));
	if (nh.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return false;
	while (attr.nla_len >= sizeof(attr) &&
	       at + sizeof(attr) + sizeof(*inode) <= len) {
		memcpy(&attr, answer + at, sizeof(attr));
		memcpy(inode, answer + at + sizeof(attr), sizeof(*inode));
		if (attr.nla_type == UNIX_DIAG_PEER)
			return true;
		at += (size_t)NLA_ALIGN(attr.nla_len);
	}
	return false;
}

/* The inode of the socket inode's peer, by sock_diag(7). Returns whether it is
 * known. The kernel answers inside send(2). */
static bool look_at_peer(ino_t inode, uint32_t *peer)
{
	uint8_t answer[256];
	ssize_t n = 0;
	int sock;

	sock = os_socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	if (sock < 0)
		return false;
	if (!ask_for_peer(sock, inode))
		n = os_recv(sock, answer, sizeof(answer), MSG_DONTWAIT);
	os_close(sock);
	return n > 0 && read_peer(answer, (size_t)n, peer);
}

bool peer_is_closed(int fd)
{
	uint32_t peer;
	ino_t own;

	return !os_inode(fd, &own) && look_at_peer(own, &peer) && !peer;
}

/* Names that are relative to different directories may be the same. */
static bool leads_elsewhere(int fd)
{
	uint32_t peer;
	ino_t own;

	return !os_inode(fd, &own) && look_at_peer(own, &peer) &&
	       peer != (uint32_t)own;
}

/* Whether fd is connected to a socket that was bound under the name that fd was
 * bound under. */
static bool has_namesake(int fd)
{
	struct peer own = { .len = sizeof(own.name) }, peer;

	peer_note(&peer, fd);
	return peer.len &&
	       !os_getsockname(fd, (struct sockaddr *)&own.name, &own.len) &&
	       own.len == peer.len && !memcmp(&own.name, &peer.name, own.len);
}

int peer_connect(const struct peer *peer, int fd)
{
	int err = os_connect(fd, (const struct sockaddr *)&peer->name,
			     peer->len);

	if (err || !has_namesake(fd) || leads_elsewhere(fd))
		return err;
	bound_disconnect(fd);
	return -ECONNREFUSED;
}

int peer_reconnect(const struct peer *peer, int fd)
{
	int err;

	if (!peer->len)
		return -ENOTCONN;
	err = peer_connect(peer, fd);
	return err || !peer->hello ? err : peer_greet(fd, peer->hello);
}
