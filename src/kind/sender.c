/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a datagram socket finds its peers, one after the other. One that listens
 * is connected to the first one that sends; from then on it hears nobody else.
 * A unix socket knows its peer by name only: that the peer has gone is shown by
 * a failed send, or by looking for it.
 */
#include "kind/sender.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fd/bound.h"
#include "kind/kind.h"
#include "kind/life.h"
#include "kind/unix_bind.h"
#include "os.h"

enum {
	MAX_STRANGERS = 64,	/* in one call */
};

static bool is_same(const struct peer *a, const struct peer *b)
{
	return a->len == b->len && !memcmp(&a->name, &b->name, a->len);
}

/* Whether fd is connected to a peer that is there. To find out, connect once
 * more to the same name: if the peer is there, that changes nothing. */
static bool is_connected(int fd)
{
	struct peer now = { 0 };

	peer_note(&now, fd);
	if (!now.len)
		return false;
	if (!peer_connect(&now, fd))
		return true;
	bound_disconnect(fd);
	return false;
}

/* What tells one socket at a path from the next one. */
static struct os_file file_of(const struct peer *peer)
{
	struct os_file file = { 0 };

	if (peer->len && peer->name.sun_path[0])
		os_file(peer->name.sun_path, &file);
	return file;
}

/* The next peer at the same path, if it has to be greeted, is not the one that
 * was. */
static bool is_another(const struct life *life, const struct peer *peer)
{
	const struct os_file now = file_of(peer);

	return life->kind->greets &&
	       (now.dev != life->met.dev || now.ino != life->met.ino ||
		now.changed.tv_sec != life->met.changed.tv_sec ||
		now.changed.tv_nsec != life->met.changed.tv_nsec);
}

/* A socket that is connected to a peer connects to it once more, which changes
 * nothing. If the peer has come back in the meantime, the socket is connected
 * to it then. ECONNREFUSED: nobody has the address. ENOENT: its file was
 * removed, by the peer as it ended, or by somebody else. Any other error says
 * nothing about the peer. */
bool sender_is_there(const struct life *life, int fd)
{
	struct peer now = { 0 };
	int err;

	peer_note(&now, fd);
	if (!now.len || is_another(life, &now))
		return false;
	err = peer_connect(&now, fd);
	if (err == -ENOENT)
		return !peer_is_closed(fd);
	return err != -ECONNREFUSED;
}

static struct peer peer_at(const char *path)
{
	struct unix_address address;

	unix_address(&address, path);
	return (struct peer){ .name = address.un, .len = address.len };
}

/* Whether the locator names it. */
static bool is_named(const struct life *life)
{
	return !life->loc.listen || *life->loc.local;
}

/* The peer that the locator names, else the one that was met last; length 0:
 * none. */
static struct peer find_known(const struct life *life)
{
	return is_named(life) ? peer_at(life->loc.name) : life->last;
}

/* Look who sent the next message. It stays queued. */
static int look_at_sender(int fd, struct peer *from)
{
	struct msghdr msg = { .msg_name = &from->name,
			      .msg_namelen = sizeof(from->name) };
	ssize_t n = os_recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0)
		return (int)n;
	from->len = msg.msg_namelen;
	if (from->len <= offsetof(struct sockaddr_un, sun_path))
		from->len = 0;
	return 0;
}

/* The length of a path may count a NUL at its end, or not. */
static void trim(struct peer *peer)
{
	const size_t at = offsetof(struct sockaddr_un, sun_path);

	if (peer->name.sun_family == AF_UNIX && peer->len > at &&
	    peer->name.sun_path[0])
		peer->len = (socklen_t)(at + strnlen(peer->name.sun_path,
						     peer->len - at));
}

/* Connect to the sender of the next message, if it can be the peer. Returns
 * whether it is the peer now. */
static bool take_sender(struct life *life, int fd, struct peer *from,
			const struct peer *known)
{
	if (!from->len)
		return false;
	trim(from);
	if (is_named(life) && !is_same(from, known))
		return false;
	if (peer_connect(from, fd))
		return false;
	life->last = *from;
	return true;
}

static void drop_stranger(struct life *life, int fd)
{
	struct msghdr msg = { 0 };

	os_recvmsg(fd, &msg, MSG_DONTWAIT);
	life->strangers++;
	if (life->told)
		return;
	life->told = true;
	log_say(&life->log, FDL_LOG_WARNING,
		"%s: a datagram came from a sender who cannot be answered and "
		"was dropped: the peer must bind an address of its own%s%s",
		*life->loc.local ? life->loc.local : life->loc.name,
		life->loc.listen && !*life->loc.local ? "" : ", which is ",
		life->loc.listen && !*life->loc.local ? "" : life->loc.name);
}

/* Returns 0: a sender is the peer now. */
static int meet_who_sends(struct life *life, int fd, const struct peer *known)
{
	struct peer from = { 0 };
	int i, err;

	for (i = 0; i < MAX_STRANGERS; i++) {
		err = look_at_sender(fd, &from);
		if (err)
			return err;
		if (take_sender(life, fd, &from, known))
			return 0;
		drop_stranger(life, fd);
	}
	return -EBUSY;
}

static int come_to_peer(struct life *life, int fd)
{
	struct peer known = find_known(life);
	int err;

	if (is_connected(fd))
		return 0;
	err = meet_who_sends(life, fd, &known);
	if (!err || !known.len)
		return err;
	if (is_named(life))
		known = peer_at(life_path(life));
	return peer_connect(&known, fd);
}

static int greet(struct life *life, int fd)
{
	struct peer now = { 0 };

	peer_note(&now, fd);
	life->met = file_of(&now);
	return peer_greet(fd, life->kind->hello);
}

int sender_meet(struct life *life, int fd)
{
	int err = come_to_peer(life, fd);

	if (!err && life->kind->greets)
		err = greet(life, fd);
	return err ? err : fd;
}
