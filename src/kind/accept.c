/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "os.h"

int accept_wait(int fd, const char *path, const struct log *log)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int n = os_poll(&pfd, 1, -1);

	if (n >= 0)
		return 0;
	log_say(log, FDL_LOG_ERR, "%s: waiting for a peer ended: %s", path,
		strerror(-n));
	return n;
}

/* Errors of a connection that failed before it was accepted (accept(2)):
 * another one may come. */
static bool is_of_one_peer(int err)
{
	static const int errs[] = { EAGAIN,	  ECONNABORTED, EPROTO,
				    ENETDOWN,	  ENOPROTOOPT,	EHOSTDOWN,
				    ENONET,	  EHOSTUNREACH, ENETUNREACH };
	size_t i;

	for (i = 0; i < sizeof(errs) / sizeof(*errs); i++)
		if (err == -errs[i])
			return true;
	return false;
}

/* Returns the peer's fd. */
static int await_peer(int listener, const struct locator *loc,
		      const struct log *log)
{
	int err, fd;

	do {
		err = accept_wait(listener, loc->name, log);
		if (err)
			return err;
		fd = os_accept(listener);
	} while (is_of_one_peer(fd));
	if (fd < 0)
		log_say(log, FDL_LOG_ERR, "%s: cannot accept a peer: %s",
			loc->name, strerror(-fd));
	return fd;
}

static int accept_first(struct opened *opened, const struct locator *loc,
			const struct log *log)
{
	const int listener = opened->bound.listener;
	const int fd = await_peer(listener, loc, log);

	if (fd < 0)
		return fd;
	raise_buffers(fd);
	os_close(opened->fd[0]);
	opened->fd[0] = fd;
	if (!loc->reconnect)
		bound_shut(listener);
	return 0;
}

static int listen_on(int fd, const struct locator *loc, const struct log *log)
{
	int err = os_set_flags(fd, O_RDWR | O_NONBLOCK);

	if (!err)
		err = os_listen(fd, 1);
	if (err)
		log_say(log, FDL_LOG_ERR, "%s: cannot listen: %s", loc->name,
			strerror(-err));
	return err;
}

int accept_peers(struct opened *opened, int stand_in, const struct locator *loc,
		 const struct log *log)
{
	const int listener = opened->fd[0];
	int err;

	bound_keep(&opened->bound, listener);
	opened->fd[0] = stand_in;
	err = listen_on(listener, loc, log);
	if (err)
		return err;
	opened->unmet = !loc->wait;
	return loc->wait ? accept_first(opened, loc, log) : 0;
}
