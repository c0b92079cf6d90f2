/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two endpoints of one process, for tests and examples: the ends of a pair of
 * seqpacket sockets.
 *
 * The first call with a name makes the pair. It binds its own end to an
 * abstract address that contains the process and the name, and keeps the other
 * end open for the second call. The second call looks through the fds of the
 * process for a socket whose peer has that address, and takes it by binding it:
 * a socket can be bound only once.
 *
 * So the kernel keeps the meeting place. A stranger may read the address, but
 * cannot send to it, because the two ends are connected from the start.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "kind/agreed.h"
#include "kind/kind.h"
#include "kind/socket.h"
#include "kind/unix_bind.h"
#include "os.h"

extern const struct kind kind_seqpacket;

enum {
	NAME_MAX_LEN = 64,
	MOST_FDS = 1 << 20,	/* fs.nr_open, as a rule */
};

static int take_name(struct locator *loc, char *to, const char *value,
		     const struct log *log)
{
	(void)loc;
	if (strlen(value) <= NAME_MAX_LEN) {
		strcpy(to, value);
		return 0;
	}
	log_say(log, FDL_LOG_ERR,
		"pair:%.40s...: the name is too long: %d bytes at most", value,
		NAME_MAX_LEN);
	return -EINVAL;
}

static void meeting_place(struct unix_address *place, const char *name)
{
	char text[NAME_MAX_LEN + 32];

	snprintf(text, sizeof(text), "@fdlink pair %d %.*s", (int)os_getpid(),
		 NAME_MAX_LEN, name);
	unix_address(place, text);
}

static int bind_to(int fd, const struct unix_address *address)
{
	return os_bind(fd, (const struct sockaddr *)&address->un, address->len);
}

static bool is_other_end(int fd, const struct unix_address *place)
{
	struct sockaddr_un peer;
	socklen_t len = sizeof(peer);

	return !os_getpeername(fd, (struct sockaddr *)&peer, &len) &&
	       len == place->len && !memcmp(&peer, &place->un, len);
}

/* A socket can be bound only once, and to an address that no other one has. */
static int claim(int fd)
{
	struct unix_address address;
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	char text[40];
	int err = os_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len);

	snprintf(text, sizeof(text), "@fdlink end %llx",
		 (unsigned long long)cookie);
	unix_address(&address, text);
	return err ? err : bind_to(fd, &address);
}

/* Returns a duplicate of the end that nobody has taken yet. Errors: -EBUSY
 * there is none. */
static int take_other_end(const struct unix_address *place)
{
	const unsigned long long limit = os_fd_limit();
	const int most = limit < MOST_FDS ? (int)limit : MOST_FDS;
	int fd, own, err;

	for (fd = 0; fd < most; fd++) {
		if (!is_other_end(fd, place))
			continue;
		own = os_dup(fd);
		if (own < 0)
			return own;
		/* The number may be another file's by now. */
		err = is_other_end(own, place) ? claim(own) : -EINVAL;
		if (!err)
			return own;
		os_close(own);
		if (err != -EINVAL)	/* it is bound: somebody has it */
			return err;
	}
	return -EBUSY;
}

static int be_second(const struct unix_address *place, struct opened *opened)
{
	int own, fd = take_other_end(place);

	if (fd < 0)
		return fd;
	opened->fd[opened->n++] = fd;
	own = os_dup(fd);
	if (own < 0)
		return own;
	/* The first end holds this socket, too, and has to see it end all the
	 * same. */
	bound_part(&opened->bound, own, BOUND_SHUT);
	return 0;
}

static int be_first(const struct unix_address *place, struct opened *opened)
{
	int fds[2], i, err = os_socketpair(SOCK_SEQPACKET, fds);

	if (err)
		return err;
	err = bind_to(fds[0], place);
	for (i = 0; i < 2 && !err; i++)
		raise_buffers(fds[i]);
	if (err) {
		os_close(fds[0]);
		os_close(fds[1]);
		return err;
	}
	opened->fd[opened->n++] = fds[0];
	opened->bound.listener = fds[1];
	opened->bound.kept = true;
	return 0;
}

static int open_pair(const struct locator *loc, struct opened *opened,
		     const struct log *log)
{
	struct unix_address place;
	int err;

	meeting_place(&place, loc->name);
	err = be_first(&place, opened);
	if (err == -EADDRINUSE)
		err = be_second(&place, opened);
	if (!err)
		return 0;
	opened_undo(opened);
	if (err != -EBUSY)
		return socket_refused(loc, err, log);
	log_say(log, FDL_LOG_ERR,
		"pair:%s has two ends already: free both, or choose another "
		"name",
		loc->name);
	return err;
}

static int look_up(const struct locator *loc, struct fdl_info *info,
		   const struct log *log)
{
	(void)log;
	info->kind = kind_seqpacket.number;
	info->kind_name = kind_seqpacket.name;
	info->vnet_hdr_len = agreed_header_len(loc);
	return 0;
}

const struct kind kind_pair = {
	.locator = "pair",
	.form = "NAME",
	.options = 1 << OPTION_MTU | 1 << OPTION_OFFLOAD,
	.medium = FDL_MEDIUM_AGREED,
	.header = HEADER_AGREED,
	.take_name = take_name,
	.merge = agreed_merge,
	.open = open_pair,
	.look_up = look_up,
};
