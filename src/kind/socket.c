/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/socket.h"

#include <errno.h>
#include <string.h>

#include "fd/opened.h"
#include "kind/kind.h"
#include "os.h"

/* Where descriptors are lacking, limit.c says what to do. */
const char *refusal_advice(int err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		return ": have the sandbox of this process permit it";
	case -EAFNOSUPPORT:
		return ": the kernel lacks that family: load its module, or "
		       "choose another address";
	case -ENOMEM:
	case -ENOBUFS:
		return ": free some memory, or raise the limit of this process";
	case -ENOSPC:
	case -EDQUOT:
		return ": free some space in its file system";
	default:
		return "";
	}
}

int socket_refused(const struct locator *loc, int err, const struct log *log)
{
	log_say(log, FDL_LOG_ERR, "%s:%s%s cannot make a socket (%s)%s",
		loc->kind->locator, loc->name, *loc->name ? ":" : "",
		strerror(-err), refusal_advice(err));
	return err;
}

int socket_open(const struct locator *loc, int family, int type, int protocol,
		const struct log *log)
{
	int fd = os_socket(family, type, protocol);

	if (fd < 0)
		return socket_refused(loc, fd, log);
	raise_buffers(fd);
	return fd;
}
