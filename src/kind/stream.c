/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stream sockets, unix or TCP, on which each frame stands behind its length. No
 * fd tells that it is meant so: only a locator does.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <fdlink/offload.h>

#include "kind/accept.h"
#include "kind/agreed.h"
#include "kind/inet.h"
#include "kind/kind.h"
#include "kind/life.h"
#include "kind/socket.h"
#include "kind/unix_bind.h"
#include "kind/unix_lookup.h"
#include "os.h"

/* Where the socket is, or is to be. */
struct place {
	bool is_path;
	union {
		struct unix_address path;
		union inet_address inet;
	};
};

/* What looks like an address and a port is that; "./" before it makes it a
 * path. */
static void find_place(struct place *place, const char *name)
{
	place->is_path = !inet_read(name, &place->inet);
	if (place->is_path)
		unix_address(&place->path, name);
}

static const struct sockaddr *address_of(const struct place *place,
					 socklen_t *len)
{
	*len = place->is_path ? place->path.len : inet_size(&place->inet);
	return place->is_path ? (const struct sockaddr *)&place->path.un :
				&place->inet.any;
}

static int refuse_group(const char *value, const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"stream:%.80s is a multicast group, to which no connection "
		"leads: give the address of one machine",
		value);
	return -EINVAL;
}

static int take_name(struct locator *loc, char *to, const char *value,
		     const struct log *log)
{
	union inet_address address;

	if (inet_read(value, &address)) {
		strcpy(to, value);
		return inet_is_group(&address) ? refuse_group(value, log) : 0;
	}
	if (!strchr(value, ':') || strchr(value, '/') || *value == '@')
		return locator_take_path(loc, to, value, log);
	log_say(log, FDL_LOG_ERR,
		"%.80s is no address and port: give numbers, 192.0.2.1:5000 or "
		"[2001:db8::1]:5000, as names are not looked up, or ./%.80s "
		"for a path",
		value, value);
	return -EINVAL;
}

static int open_socket(const struct locator *loc, const struct place *place,
		       const struct log *log)
{
	const int family = place->is_path ? AF_UNIX : place->inet.any.sa_family;

	return socket_open(loc, family, SOCK_STREAM, 0, log);
}

static const char *connect_advice(const struct place *place, int err)
{
	switch (err) {
	case -ENOENT:
	case -ECONNREFUSED:
		return ": start the peer first, or add ,listen to be the one "
		       "who waits";
	case -EPROTOTYPE:
		return ": it is a socket of another type: try seqpacket: or "
		       "unixgram:";
	default:
		return place->is_path ? unix_connect_advice(err) :
					inet_connect_advice(err);
	}
}

static int say(const struct locator *loc, const char *what, int err,
	       const char *advice, const struct log *log)
{
	if (err)
		log_say(log, FDL_LOG_ERR, "stream:%s: cannot %s (%s)%s",
			loc->name, what, strerror(-err), advice);
	return err;
}

static int bind_to(int fd, const struct locator *loc, const struct place *place,
		   struct opened *opened, const struct log *log)
{
	const int on = 1;
	socklen_t len;
	const struct sockaddr *address = address_of(place, &len);
	int err;

	if (place->is_path)
		return unix_bind(fd, loc->name, &opened->bound, log);
	os_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	err = os_bind(fd, address, len);
	return say(loc, "bind", err, inet_bind_advice(err), log);
}

static int listen_there(const struct locator *loc, const struct place *place,
			struct opened *opened, const struct log *log)
{
	int fd, err = bind_to(opened->fd[0], loc, place, opened, log);

	if (err)
		return err;
	fd = open_socket(loc, place, log);
	return fd < 0 ? fd : accept_peers(opened, fd, loc, log);
}

static int connect_there(const struct locator *loc, const struct place *place,
			 struct opened *opened, const struct log *log)
{
	socklen_t len;
	const struct sockaddr *address = address_of(place, &len);
	int err;

	opened->unmet = loc->reconnect;
	if (opened->unmet)
		return 0;
	err = os_connect(opened->fd[0], address, len);
	if (!err && inet_is_own_peer(opened->fd[0])) {
		inet_leave_no_trace(opened->fd[0]);
		err = -ECONNREFUSED;
	}
	return say(loc, "connect", err, connect_advice(place, err), log);
}

static int open_stream(const struct locator *loc, struct opened *opened,
		       const struct log *log)
{
	struct place place;
	int err, fd;

	find_place(&place, loc->name);
	fd = open_socket(loc, &place, log);
	if (fd < 0)
		return fd;
	opened->fd[opened->n++] = fd;
	err = loc->listen ? listen_there(loc, &place, opened, log) :
			    connect_there(loc, &place, opened, log);
	if (err)
		opened_undo(opened);
	return err;
}

static int meet(struct life *life, int fd)
{
	const struct sockaddr *address;
	struct place place;
	socklen_t len;

	(void)fd;
	if (life->listener >= 0)
		return life_accept(life);
	find_place(&place, life_path(life));
	address = address_of(&place, &len);
	return life_call(life, address, len, SOCK_STREAM);
}

static int look_up(const struct locator *loc, struct fdl_info *info,
		   const struct log *log)
{
	struct place place;

	info->vnet_hdr_len = agreed_header_len(loc);
	find_place(&place, loc->name);
	return place.is_path ? unix_check(loc, SOCK_STREAM, log) : 0;
}

/* Nobody says that a machine has lost its power. In half a minute in which
 * nothing is on its way to it, the kernel finds that out; a peer that only
 * pauses has a kernel that answers. */
static void keep_alive(int fd)
{
	static const struct {
		int level, option, value;
	} all[] = {
		{ IPPROTO_TCP, TCP_KEEPIDLE, 10 },	/* seconds */
		{ IPPROTO_TCP, TCP_KEEPINTVL, 5 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 4 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
	};
	unsigned i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		os_setsockopt(fd, all[i].level, all[i].option, &all[i].value,
			      sizeof(all[i].value));
}

/* TCP: a frame goes at once, be it short. A unix socket has no such option. */
static int set_up(struct io *io, const struct set_up *how)
{
	const int on = 1;

	io->error_queue = !os_setsockopt(io->fd, IPPROTO_TCP, TCP_NODELAY, &on,
					 sizeof(on));
	if (io->error_queue)
		keep_alive(io->fd);
	return agreed_set_up(io, how);
}

static const char silent[] = "the peer has not answered for too long";

/* io/stream.c says EMSGSIZE, and EPIPE where nothing more comes. */
static const struct verdict on_receive[] = {
	{ EMSGSIZE, END, COUNTERS, -EPROTO,
	  "the peer announced a frame that is longer than any: it is no "
	  "stream of frames behind their lengths" },
	{ EPIPE, END, COUNTERS, -ESHUTDOWN, verdict_closed },
	{ ECONNRESET, END, COUNTERS, -ESHUTDOWN, verdict_closed },
	{ ENOTCONN, END, COUNTERS, -ESHUTDOWN, verdict_closed },
	{ ETIMEDOUT, END, COUNTERS, -ESHUTDOWN, silent },
	{ .err = 0 },
};

static const struct verdict on_send[] = {
	{ EPIPE, END, TX_DROP_OTHER, -ESHUTDOWN, verdict_closed },
	{ ECONNRESET, END, TX_DROP_OTHER, -ESHUTDOWN, verdict_closed },
	{ ENOTCONN, END, TX_DROP_OTHER, -ESHUTDOWN, verdict_closed },
	{ ETIMEDOUT, END, TX_DROP_OTHER, -ESHUTDOWN, silent },
	{ .err = 0 },
};

static const struct io_ops *const modes[] = { &io_stream, NULL };

const struct kind kind_stream = {
	.name = "stream",
	.number = FDL_KIND_SEQPACKET,
	.locator = "stream",
	.form = "PATH|HOST:PORT",
	.options = 1 << OPTION_MTU | 1 << OPTION_OFFLOAD | 1 << OPTION_LISTEN |
		   1 << OPTION_WAIT | 1 << OPTION_RECONNECT,
	.medium = FDL_MEDIUM_AGREED,
	.header = HEADER_AGREED,
	.modes = modes,
	.take_name = take_name,
	.merge = agreed_merge,
	.open = open_stream,
	.meet = meet,
	.look_up = look_up,
	.set_up = set_up,
	.socket = true,
	.on_receive = on_receive,
	.on_send = on_send,
};
