/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binding a unix socket to an address. A file outlives the process that bound
 * it, and is taken over if no socket is bound to it any more.
 *
 * Between the look at the file and its removal another process may do the same,
 * and its new file would be removed instead. Whoever takes a file over
 * therefore locks the directory (flock(2)) from the look to the bind. The lock
 * leaves nothing behind in a crash.
 */
#include "kind/unix_bind.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kind/socket.h"
#include "os.h"

enum {
	/* The lock is held for microseconds. Who holds it for a second does so
	 * for another reason. */
	LOCK_TRIES = 100,
	LOCK_PAUSE_US = 10000,
};

void unix_address(struct unix_address *addr, const char *path)
{
	size_t n = strlen(path);

	memset(addr, 0, sizeof(*addr));
	addr->un.sun_family = AF_UNIX;
	memcpy(addr->un.sun_path, path, n);
	if (*path == '@')
		addr->un.sun_path[0] = '\0';
	addr->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

static int bind_to(int fd, const char *path)
{
	struct unix_address addr;

	unix_address(&addr, path);
	return os_bind(fd, (const struct sockaddr *)&addr.un, addr.len);
}

/*
 * Is a socket bound to the file? Connecting to it as a datagram socket tells,
 * and a listener of another type does not notice. Returns 1 yes, 0 no, or an
 * error.
 */
static int is_alive(const char *path)
{
	struct unix_address addr;
	int err, fd = os_socket(AF_UNIX, SOCK_DGRAM, 0);

	if (fd < 0)
		return fd;
	unix_address(&addr, path);
	err = os_connect(fd, (const struct sockaddr *)&addr.un, addr.len);
	os_close(fd);
	switch (err) {
	case -ECONNREFUSED:
		return 0;
	case 0:
	case -EPROTOTYPE:	/* it is of another type */
	case -EPERM:		/* it talks to somebody else */
		return 1;
	default:
		return err;
	}
}

/* Returns the fd of path's directory, locked until it is closed. */
static int lock_directory(const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	const char *slash = strrchr(path, '/');
	unsigned tries = 0;
	int fd, err;

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		 slash ? path : ".");
	fd = os_open(dir, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	while ((err = os_lock(fd)) == -EAGAIN && ++tries < LOCK_TRIES)
		os_nap(LOCK_PAUSE_US);
	if (!err)
		return fd;
	os_close(fd);
	return err;
}

static int say(const struct log *log, const char *path, int err,
	       const char *advice)
{
	log_say(log, FDL_LOG_ERR, "%s: cannot bind to it (%s)%s", path,
		strerror(-err), advice);
	return err;
}

const char *unix_connect_advice(int err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		return ": ask its owner, or run as that user";
	case -ENOTDIR:
	case -ELOOP:
		return ": its directory is none: give another path";
	default:
		return refusal_advice(err);
	}
}

static int say_failed(const struct log *log, const char *path, int err)
{
	switch (err) {
	case -ENOENT:
	case -ENOTDIR:
		return say(log, path, err,
			   ": make its directory first, or choose another "
			   "path");
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return say(log, path, err,
			   ": choose a path in a directory that you may write "
			   "to");
	default:
		return say(log, path, err, refusal_advice(err));
	}
}

/* The directory is locked. */
static int replace(int fd, const char *path, const struct os_file *left,
		   const struct log *log)
{
	int err, alive = is_alive(path);

	if (alive > 0)
		return say(log, path, -EADDRINUSE,
			   ": stop who listens there, or choose another path");
	if (alive < 0 && alive != -ENOENT)
		return say(log, path, alive,
			   ": it is there, and cannot be asked whether "
			   "anybody listens; remove it if nobody does");
	err = unlink_same(path, left);
	if (err && err != -ENOENT)
		return say(log, path, err,
			   ": what an earlier process left there cannot be "
			   "removed; remove it as its owner");
	err = bind_to(fd, path);
	return err ? say_failed(log, path, err) : 0;
}

static int take_over(int fd, const char *path, const struct log *log)
{
	struct os_file left;
	int err, dir;

	err = os_file(path, &left);
	if (!err && !S_ISSOCK(left.mode))
		return say(log, path, -EADDRINUSE,
			   ": it is no socket; choose another path");
	dir = lock_directory(path);
	if (dir < 0)
		return say(log, path, -EADDRINUSE,
			   dir == -EAGAIN ?
				   ": its directory is locked by another "
				   "process; try again" :
				   ": its directory cannot be locked; remove "
				   "it if nobody listens there");
	err = replace(fd, path, &left, log);
	os_close(dir);
	return err;
}

int unix_bind(int fd, const char *path, struct bound *bound,
	      const struct log *log)
{
	int err = bind_to(fd, path);

	if (err == -EADDRINUSE && *path == '@')
		return say(log, path, err, ": choose another");
	if (err == -EADDRINUSE)
		err = take_over(fd, path, log);
	else if (err)
		say_failed(log, path, err);
	if (err || *path == '@')
		return err;
	err = bound_note(bound, path);
	if (!err)
		return 0;
	os_unlink(path);
	return say_failed(log, path, err);
}
