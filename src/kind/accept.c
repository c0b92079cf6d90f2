/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/accept.h"

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
	err = accept_wait(listener, loc->name, log);
	if (err)
		return err;
	fd = os_accept(listener);
	if (fd < 0) {
		log_say(log, FDL_LOG_ERR, "%s: cannot accept a peer: %s",
			loc->name, strerror(-fd));
		return fd;
	}
	raise_send_buffer(fd);
	raise_receive_buffer(fd, SOCKET_BUFFER);
	*peer = fd;
	return 0;
}
