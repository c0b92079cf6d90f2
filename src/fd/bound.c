/* SPDX-License-Identifier: Apache-2.0 */
#include "fd/bound.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

int bound_note(struct bound *bound, const char *path)
{
	char *copy = strdup(path);
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

void bound_part(struct bound *bound, int fd)
{
	bound->listener = fd;
	bound->kept = true;
	bound->parts = true;
}

void bound_release(struct bound *bound)
{
	if (bound->path)
		unlink_same(bound->path, &bound->file);
	free(bound->path);
	bound->path = NULL;
	if (bound->parts)
		os_shutdown(bound->listener, SHUT_RDWR);
	if (bound->kept)
		os_close(bound->listener);
	bound->kept = bound->parts = false;
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
