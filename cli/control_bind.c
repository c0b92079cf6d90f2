/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wire that finds a file left behind removes it and binds its own. Between
 * the look and the removal another wire may have done the same, and its new
 * file would be removed. So a wire locks the directory (flock(2)) from the look
 * to the bind, as the library does for the sockets of links. A crash leaves no
 * lock behind.
 */
#include "control_bind.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	/* A wire holds the lock for microseconds. A program that holds it for a
	 * second does so for another reason. */
	LOCK_TRIES = 100,
	LOCK_PAUSE_NS = 10000000,
};

/* Returns 0 or an errno. */
static int bind_private(int fd, const struct sockaddr_un *address)
{
	const mode_t mask = umask(0177);
	int err = 0;

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		err = errno;
	umask(mask);
	return err;
}

/* Returns 0: nobody listens there any more; EADDRINUSE; or why that cannot be
 * told. */
static int ask(const struct sockaddr_un *address)
{
	const int fd = socket(AF_UNIX,
			      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		err = errno;
	close(fd);
	if (err == ECONNREFUSED)
		return 0;
	/* It listens, has many to answer, or is a socket of another type. */
	if (!err || err == EAGAIN || err == EPROTOTYPE)
		return EADDRINUSE;
	return err;
}

/* Returns the fd of the directory, locked until it is closed, or -1, errno. */
static int lock_directory(const char *path)
{
	const struct timespec pause = { 0, LOCK_PAUSE_NS };
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path) + 1] = ".";
	const char *slash = strrchr(path, '/');
	unsigned tries = 0;
	int fd, err;

	if (slash)
		memcpy(dir, path, (size_t)(slash - path) + 1);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		err = errno;
		if (err == EWOULDBLOCK && ++tries < LOCK_TRIES) {
			nanosleep(&pause, NULL);
			continue;
		}
		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

/* The directory is locked. */
static int replace(int fd, const struct sockaddr_un *address)
{
	const char *path = address->sun_path;
	struct stat found;
	int err;

	if (!lstat(path, &found)) {
		if (!S_ISSOCK(found.st_mode))
			return EADDRINUSE;
		err = ask(address);
		if (err && err != ENOENT)
			return err;
		if (!err && unlink(path) < 0 && errno != ENOENT)
			return errno;
	}
	return bind_private(fd, address);
}

int control_bind(int fd, const struct sockaddr_un *address)
{
	int err = bind_private(fd, address);
	int dir;

	if (err != EADDRINUSE)
		return err;
	dir = lock_directory(address->sun_path);
	if (dir < 0)
		return errno;
	err = replace(fd, address);
	close(dir);
	return err;
}
