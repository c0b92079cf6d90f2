/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/accept.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "fd/opened.h"
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

/* Errors of a connection that came to nothing (accept(2)): another may come. */
static bool is_of_one_peer(int err)
{
	static const int errs[] = { ECONNABORTED, EPROTO,      ENETDOWN,
				    ENOPROTOOPT,  EHOSTDOWN,   ENONET,
				    EHOSTUNREACH, ENETUNREACH };
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

int accept_peer(int listener, const struct locator *loc, int *peer,
		const struct log *log)
{
	int fd, err;

	err = os_listen(listener, 1);
	if (err) {
		log_say(log, FDL_LOG_ERR, "%s: cannot listen: %s", loc->name,
			strerror(-err));
		return err;
	}
	fd = await_peer(listener, loc, log);
	if (fd < 0)
		return fd;
	raise_send_buffer(fd);
	raise_receive_buffer(fd, SOCKET_BUFFER);
	*peer = fd;
	return 0;
}
