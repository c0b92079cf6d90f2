/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unix sockets that keep packet boundaries. This kind also owns fds of VSOCK,
 * TIPC, Bluetooth and SCTP sockets that keep them.
 *
 * No control message is ever read here (io->notes): a peer may send files with
 * a frame (SCM_RIGHTS), and they would become descriptors of this process.
 */
#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <fdlink/offload.h>

#include "kind/accept.h"
#include "kind/agreed.h"
#include "kind/kind.h"
#include "kind/life.h"
#include "kind/peer.h"
#include "kind/sender.h"
#include "kind/socket.h"
#include "kind/told.h"
#include "kind/unix_bind.h"
#include "kind/unix_lookup.h"
#include "os.h"

extern const struct kind kind_seqpacket, kind_vfkit;

static const struct kind vfkit_client;

static int type_of(const struct locator *loc)
{
	return loc->kind == &kind_seqpacket ? SOCK_SEQPACKET : SOCK_DGRAM;
}

static int open_socket(const struct locator *loc, const struct log *log)
{
	return socket_open(loc, AF_UNIX, type_of(loc), 0, log);
}

/* A datagram socket without an address can be sent to by nobody. */
static int bind_local(int fd, const struct locator *loc, struct opened *opened,
		      const struct log *log)
{
	const struct sockaddr_un any = { .sun_family = AF_UNIX };
	int err;

	if (*loc->local)
		return unix_bind(fd, loc->local, &opened->bound, log);
	err = os_bind(fd, (const struct sockaddr *)&any,
		      offsetof(struct sockaddr_un, sun_path));
	if (err)
		log_say(log, FDL_LOG_ERR,
			"no address of the kernel's choice to be had: %s",
			strerror(-err));
	return err;
}

static const char *connect_advice(int err)
{
	switch (err) {
	case -ENOENT:
		return ": start the peer first, or add ,listen to be the one "
		       "who waits";
	case -ECONNREFUSED:
		return ": nobody listens there; start the peer first";
	case -EPROTOTYPE:
		return ": it is a socket of another type; a stream keeps no "
		       "packet boundaries";
	default:
		return unix_connect_advice(err);
	}
}

static int connect_to(int fd, const struct locator *loc, const struct log *log)
{
	struct unix_address addr;
	int err;

	unix_address(&addr, loc->name);
	err = os_connect(fd, (const struct sockaddr *)&addr.un, addr.len);
	if (err)
		log_say(log, FDL_LOG_ERR, "%s:%s: cannot connect (%s)%s",
			loc->kind->locator, loc->name, strerror(-err),
			connect_advice(err));
	return err;
}

static int listen_seqpacket(const struct locator *loc, struct opened *opened,
			    const struct log *log)
{
	const int fd = open_socket(loc, log);

	return fd < 0 ? fd : accept_peers(opened, fd, loc, log);
}

static int await_sender(const struct locator *loc, struct opened *opened,
			const struct log *log)
{
	struct life first = { .loc = *loc, .kind = loc->kind, .log = *log };
	int err;

	do {
		err = accept_wait(opened->fd[0], loc->name, log);
		if (err)
			return err;
		err = sender_meet(&first, opened->fd[0]);
	} while (err == -EAGAIN || err == -EBUSY);
	if (err >= 0)
		return 0;
	log_say(log, FDL_LOG_ERR, "%s: cannot receive: %s", loc->name,
		strerror(-err));
	return err;
}

static int greet(int fd, const struct locator *loc, const struct log *log)
{
	int err = peer_greet(fd, kind_vfkit.hello);

	if (err)
		log_say(log, FDL_LOG_ERR,
			"%s:%s: cannot say hello to the peer (%s)%s",
			loc->kind->locator, loc->name, strerror(-err),
			err == -EAGAIN ? ": it reads nothing: start it anew" :
					 "");
	return err;
}

static int refuse_ends(const struct locator *loc, const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"%s:%s: local= is the peer's path: give this end one of its "
		"own",
		loc->kind->locator, loc->name);
	return -EINVAL;
}

static int check_ends(const struct locator *loc, const struct log *log)
{
	return strcmp(loc->local, loc->name) ? 0 : refuse_ends(loc, log);
}

/* A path has several spellings: "./", a symbolic link. When this end's file is
 * there, see whether the peer's path leads to it. Returns 1 yes, 0 no, or an
 * error. */
static int is_own_file(const struct locator *loc)
{
	int fd, same;

	if (!*loc->local || *loc->local == '@' || *loc->name == '@')
		return 0;
	fd = os_open(loc->local, O_PATH);
	if (fd < 0)
		return fd;
	same = os_same_file(fd, loc->name);
	os_close(fd);
	return same == 1;
}

static int check_own_file(const struct locator *loc, const struct log *log)
{
	const int own = is_own_file(loc);

	if (own >= 0)
		return own ? refuse_ends(loc, log) : 0;
	log_say(log, FDL_LOG_ERR, "%s:%s: cannot look at local=%s (%s)%s",
		loc->kind->locator, loc->name, loc->local, strerror(-own),
		refusal_advice(own));
	return own;
}

static int connect_unix(const struct locator *loc, struct opened *opened,
			const struct log *log)
{
	int err = 0;

	if (type_of(loc) == SOCK_DGRAM)
		err = bind_local(opened->fd[0], loc, opened, log);
	if (!err)
		err = check_own_file(loc, log);
	/* It is come to when it is there. */
	opened->unmet = loc->reconnect || loc->listen;
	if (err || opened->unmet)
		return err;
	err = connect_to(opened->fd[0], loc, log);
	return err || !loc->vfkit ? err : greet(opened->fd[0], loc, log);
}

static int listen_unix(const struct locator *loc, struct opened *opened,
		       const struct log *log)
{
	int err = unix_bind(opened->fd[0], loc->name, &opened->bound, log);

	if (err)
		return err;
	if (type_of(loc) == SOCK_SEQPACKET)
		return listen_seqpacket(loc, opened, log);
	opened->unmet = !loc->wait;
	return loc->wait ? await_sender(loc, opened, log) : 0;
}

static int open_unix(const struct locator *loc, struct opened *opened,
		     const struct log *log)
{
	int err = check_ends(loc, log), fd;

	if (err)
		return err;
	fd = open_socket(loc, log);
	if (fd < 0)
		return fd;
	opened->fd[opened->n++] = fd;
	if (loc->vfkit)
		opened->sort = loc->listen ? &kind_vfkit : &vfkit_client;
	opened->lasts = loc->listen && type_of(loc) == SOCK_DGRAM;
	/* A peer that has its own address, and may come later. */
	err = loc->listen && !*loc->local ? listen_unix(loc, opened, log) :
					    connect_unix(loc, opened, log);
	if (err)
		opened_undo(opened);
	return err;
}

static int meet_connection(struct life *life, int fd)
{
	struct unix_address address;

	(void)fd;
	if (life->listener >= 0)
		return life_accept(life);
	unix_address(&address, life_path(life));
	return life_call(life, (const struct sockaddr *)&address.un,
			 address.len, SOCK_SEQPACKET);
}

static int look_up(const struct locator *loc, struct fdl_info *info,
		   const struct log *log)
{
	int err = check_ends(loc, log);

	if (!err && is_own_file(loc) == 1)
		err = refuse_ends(loc, log);
	if (!err)
		err = unix_check(loc, type_of(loc), log);
	info->vnet_hdr_len = agreed_header_len(loc);
	if (loc->vfkit)
		info->kind_name = kind_vfkit.name;
	return err;
}

/* Whether sockets of the fd's family carry whole messages between two peers. */
static bool joins_peers(const struct fd_facts *facts)
{
	static const int families[] = { AF_UNIX, AF_VSOCK, AF_TIPC,
					AF_BLUETOOTH };
	size_t i;

	for (i = 0; i < sizeof(families) / sizeof(*families); i++)
		if (facts->socket && facts->domain == families[i])
			return true;
	return false;
}

static bool is_inet(const struct fd_facts *facts)
{
	return facts->socket &&
	       (facts->domain == AF_INET || facts->domain == AF_INET6);
}

/* The one of IP is SCTP. */
static bool owns_seqpacket(const struct fd_facts *facts)
{
	return (joins_peers(facts) || is_inet(facts)) &&
	       facts->type == SOCK_SEQPACKET;
}

static bool owns_datagram(const struct fd_facts *facts)
{
	return joins_peers(facts) && facts->type == SOCK_DGRAM;
}

static bool at_end(int fd)
{
	struct pollfd hup = { .fd = fd, .events = POLLRDHUP };
	int queued = 0;

	if (os_poll(&hup, 1, 0) <= 0 || !(hup.revents & (POLLHUP | POLLRDHUP)))
		return false;
	return os_ioctl(fd, FIONREAD, &queued) < 0 || queued == 0;
}

static const struct verdict seqpacket_on_receive[] = {
	{ ENOTCONN, END, COUNTERS, -ESHUTDOWN, verdict_closed },
	{ .err = 0 },
};

static const struct verdict seqpacket_on_send[] = {
	{ EPIPE, END, TX_DROP_OTHER, -ESHUTDOWN, verdict_closed },
	{ ECONNRESET, END, TX_DROP_OTHER, -ESHUTDOWN, verdict_closed },
	{ ENOTCONN, END, TX_DROP_OTHER, -ESHUTDOWN, verdict_closed },
	{ .err = 0 },
};

static const struct verdict unixgram_on_send[] = {
	{ EPIPE, END, TX_DROP_OTHER, -ESHUTDOWN, verdict_closed },
	/* The peer connected to somebody else. It may be back. */
	{ ECONNRESET, RETRY, TX_DROP_NO_PEER, -ECONNREFUSED, verdict_no_peer },
	{ ECONNREFUSED, RECONNECT, TX_DROP_NO_PEER, -ECONNREFUSED,
	  verdict_no_peer },
	{ ENOTCONN, RECONNECT, TX_DROP_NO_PEER, -ECONNREFUSED,
	  verdict_no_peer },
	{ EDESTADDRREQ, RECONNECT, TX_DROP_NO_PEER, -ECONNREFUSED,
	  verdict_no_peer },
	{ .err = 0 },
};

enum {
	UNIX_OPTIONS = 1 << OPTION_MTU | 1 << OPTION_OFFLOAD |
		       1 << OPTION_LISTEN | 1 << OPTION_WAIT |
		       1 << OPTION_RECONNECT,
};

static const struct io_ops *const modes[] = { &io_recvmmsg, &io_readv, NULL };

const struct kind kind_seqpacket = {
	.name = "seqpacket",
	.number = FDL_KIND_SEQPACKET,
	.locator = "seqpacket",
	.form = "PATH",
	.options = UNIX_OPTIONS,
	.take_name = locator_take_path,
	.merge = agreed_merge,
	.open = open_unix,
	.meet = meet_connection,
	.look_up = look_up,
	.owns = owns_seqpacket,
	.check = told_filter,
	.medium = FDL_MEDIUM_AGREED,
	.header = HEADER_AGREED,
	.modes = modes,
	.set_up = agreed_set_up,
	.socket = true,
	.on_receive = seqpacket_on_receive,
	.on_send = seqpacket_on_send,
	.at_end = at_end,
};

#define DATAGRAM                                                        \
	.number = FDL_KIND_DGRAM, .medium = FDL_MEDIUM_AGREED,          \
	.header = HEADER_AGREED, .modes = modes, .set_up = agreed_set_up, \
	.socket = true, .on_send = unixgram_on_send, .forgets_peer = true, \
	.keeps_fd = true, .shuts_down = true

const struct kind kind_unixgram = {
	DATAGRAM,
	.name = "datagram",
	.locator = "unixgram",
	.form = "PATH",
	.options = UNIX_OPTIONS | 1 << OPTION_LOCAL | 1 << OPTION_VFKIT,
	.take_name = locator_take_path,
	.merge = agreed_merge,
	.open = open_unix,
	.meet = sender_meet,
	.look_up = look_up,
	.owns = owns_datagram,
	.check = told_filter,
};

/* With the hello of libkrun and vfkit. */
const struct kind kind_vfkit = {
	DATAGRAM,
	.name = "vfkit",
	.hello = "VFKT",
};

/* As the one who connects. */
static const struct kind vfkit_client = {
	DATAGRAM,
	.name = "vfkit",
	.hello = "VFKT",
	.greets = true,
};
