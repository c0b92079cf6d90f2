/* SPDX-License-Identifier: Apache-2.0 */
#include "fd/bound.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "fd/path.h"

int bound_note(struct bound *bound, const char *path)
{
	char *copy = path_absolute(path);
	int err;

	if (!copy)
		return -ENOMEM;
	err = os_file(path, &bound->file);
	if (err) {
		free(copy);
		return err;
	}
	bound->path = copy;
	return 0;
}

/* Accepting what has come must not wait for more. A listener that was shut down
 * does not, but that may have failed. */
static void never_wait(int listener)
{
	int flags = os_get_flags(listener);

	os_shutdown(listener, SHUT_RD);
	if (flags >= 0)
		os_set_flags(listener, flags | O_NONBLOCK);
}

void bound_keep(struct bound *bound, int listener)
{
	bound->listener = listener;
	bound->kept = true;
}

void bound_shut(int listener)
{
	int fd;

	never_wait(listener);
	/* These peers connected before the listener was kept, and wait for a
	 * word from us. */
	while ((fd = os_accept(listener)) >= 0)
		os_close(fd);
}

void bound_part(struct bound *bound, int fd, enum bound_parting parting)
{
	bound->shared = fd;
	bound->parting = parting;
}

/* The kernel takes a port of its own choice away from a socket that is
 * disconnected. The port of IPv4 is in the same place as that of IPv6. */
void bound_disconnect(int fd)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct sockaddr_in6 before = { 0 }, after = { 0 };
	socklen_t len = sizeof(before);

	os_getsockname(fd, (struct sockaddr *)&before, &len);
	os_connect(fd, &nobody, sizeof(nobody));
	if (before.sin6_family != AF_INET && before.sin6_family != AF_INET6)
		return;
	len = sizeof(after);
	if (os_getsockname(fd, (struct sockaddr *)&after, &len) ||
	    after.sin6_port)
		return;
	after.sin6_port = before.sin6_port;
	os_bind(fd, (const struct sockaddr *)&after, len);
}

static void part(struct bound *bound)
{
	if (bound->parting == BOUND_SHUT)
		os_shutdown(bound->shared, SHUT_RDWR);
	else
		bound_disconnect(bound->shared);
	os_close(bound->shared);
	bound->parting = BOUND_NOT;
}

void bound_release(struct bound *bound)
{
	if (bound->path)
		unlink_same(bound->path, &bound->file);
	free(bound->path);
	bound->path = NULL;
	if (bound->parting)
		part(bound);
	if (bound->kept)
		os_close(bound->listener);
	bound->kept = false;
}

int unlink_same(const char *path, const struct os_file *file)
{
	struct os_file now;
	int err = os_file(path, &now);

	if (err)
		return err;
	if (now.dev != file->dev || now.ino != file->ino)
		return -ENOENT;
	return os_unlink(path);
}
