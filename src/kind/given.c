/* SPDX-License-Identifier: Apache-2.0 */
/* An fd that the process has already, by its number or by the name under which
 * systemd passed it. Looking at the fd shows of which kind the link is. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#include "kind/kind.h"
#include "os.h"

static int take_name(struct locator *loc, char *to, const char *value,
		     const struct log *log)
{
	uint32_t fd;

	if (locator_number(value, INT_MAX, &fd)) {
		loc->fd = (int)fd;
		return 0;
	}
	if (strspn(value, "0123456789") == strlen(value) ||
	    strlen(value) >= LOCATOR_NAME_SIZE) {
		log_say(log, FDL_LOG_ERR,
			"fd:%.40s is no fd: a number from 0 on, or a name "
			"of up to %d bytes",
			value, LOCATOR_NAME_SIZE - 1);
		return -EINVAL;
	}
	strcpy(to, value);
	return 0;
}

/* Refuse a socket without a peer: it would hear from everybody, and have nobody
 * to send to. Looking at the fd says what else is wrong with it. */
static int check_peer(int fd, const struct log *log)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(int);
	int domain, listens, err;

	if (os_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) ||
	    os_getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) ||
	    domain == AF_PACKET || listens)
		return 0;
	len = sizeof(peer);
	err = os_getpeername(fd, (struct sockaddr *)&peer, &len);
	if (err != -ENOTCONN)
		return 0;
	log_say(log, FDL_LOG_ERR,
		"fd %d is a%s socket that is not connected, and has nobody to "
		"send to: connect(2) it to its peer first",
		fd,
		domain == AF_UNIX  ? " unix" :
		domain == AF_INET  ? "n IPv4" :
		domain == AF_INET6 ? "n IPv6" :
				     "");
	return err;
}

static int open_given(const struct locator *loc, struct opened *opened,
		      const struct log *log)
{
	int fd = loc->fd >= 0 ? loc->fd : inherited_fd(loc->name, log);
	int err = fd < 0 ? fd : check_peer(fd, log);

	if (err)
		return err;
	opened->fd[opened->n++] = fd;
	opened->borrowed = true;
	return 0;
}

const struct kind kind_given = {
	.locator = "fd",
	.form = "N|NAME",
	.options = 1 << OPTION_MTU,
	.take_name = take_name,
	.open = open_given,
};
