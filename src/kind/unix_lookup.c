/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a unix address names, without connecting to it: /proc/net/unix has the
 * type and the path of every bound socket of this network namespace, the path
 * as it was given to bind, maybe a relative one.
 */
#include "kind/unix_lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "kind/kind.h"
#include "os.h"

struct reader {
	int fd;
	size_t at, len;
	char chunk[4096];
};

/* Returns 1 a byte, 0 end, or an error. */
static int next_byte(struct reader *r, char *c)
{
	ssize_t n;

	if (r->at == r->len) {
		n = os_read(r->fd, r->chunk, sizeof(r->chunk));
		if (n <= 0)
			return (int)n;
		r->len = (size_t)n;
		r->at = 0;
	}
	*c = r->chunk[r->at++];
	return 1;
}

/* A line without its end, cut to size. Returns as next_byte. */
static int next_line(struct reader *r, char *line, size_t size)
{
	size_t n = 0;
	char c = 0;
	int more;

	for (;;) {
		more = next_byte(r, &c);
		if (more <= 0 || c == '\n')
			break;
		if (n < size - 1)
			line[n++] = c;
	}
	line[n] = '\0';
	return n > 0 && more == 0 ? 1 : more;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_relative(const char *path)
{
	return *path != '/' && *path != '@';
}

static bool same_path(const char *a, const char *b)
{
	if (!strcmp(a, b))
		return true;
	return *a != '@' && *b != '@' && (is_relative(a) || is_relative(b)) &&
	       !strcmp(base_name(a), base_name(b));
}

/* The socket type in a line, if it is about path; 0: it is not. */
static int type_in_line(const char *line, const char *path)
{
	unsigned type;
	int at = 0;

	if (sscanf(line, "%*s %*x %*x %*x %x %*x %*u %n", &type, &at) != 1 ||
	    !at || !same_path(line + at, path))
		return 0;
	return (int)type;
}

/* Returns the type, 0: nobody has it. */
static int bound_type(const char *path)
{
	struct reader r = { .fd = os_open("/proc/net/unix", O_RDONLY) };
	char line[512];
	int type = 0;

	if (r.fd < 0)
		return r.fd;
	while (!type) {
		type = next_line(&r, line, sizeof(line));
		if (type <= 0)
			break;
		type = type_in_line(line, path);
	}
	os_close(r.fd);
	return type;
}

static int refuse(const struct locator *loc, int err, const char *why,
		  const struct log *log)
{
	log_say(log, FDL_LOG_ERR, "%s:%s: %s", loc->kind->locator, loc->name,
		why);
	return err;
}

static int check_file(const struct locator *loc, const struct log *log)
{
	mode_t mode;
	int err;

	err = os_path_mode(loc->name, &mode);
	if (err == -ENOENT)
		return refuse(loc, err,
			      "no such socket: start the peer first, "
			      "or add ,listen to be the one who waits",
			      log);
	if (err) {
		log_say(log, FDL_LOG_ERR,
			"%s:%s: cannot look at it (%s): give the path of a "
			"socket, in directories that you may search",
			loc->kind->locator, loc->name, strerror(-err));
		return err;
	}
	if (!S_ISSOCK(mode))
		return refuse(loc, -ECONNREFUSED,
			      "it is no socket: choose "
			      "another path",
			      log);
	return 0;
}

static int check_peer(const struct locator *loc, int type, int want,
		      const struct log *log)
{
	int err;

	if (*loc->name != '@') {
		err = check_file(loc, log);
		if (err)
			return err;
	}
	if (type == want)
		return 0;
	switch (type) {
	case 0:
		return refuse(loc, -ECONNREFUSED,
			      "nobody listens there: start "
			      "the peer first",
			      log);
	case SOCK_STREAM:
		return refuse(loc, -EPROTOTYPE,
			      "it is a stream socket, which "
			      "keeps no packet boundaries: have the peer make "
			      "a seqpacket or datagram socket",
			      log);
	default:
		return refuse(
			loc, -EPROTOTYPE,
			type == SOCK_DGRAM ?
				"it is a datagram socket: open it as unixgram:" :
				"it is a seqpacket socket: open it as seqpacket:",
			log);
	}
}

/* Whether there is a directory for the file that is to be made. */
static int check_directory(const struct locator *loc, const struct log *log)
{
	const char *base = base_name(loc->name);
	char dir[sizeof(loc->name) + 1];
	mode_t mode;
	int err;

	snprintf(dir, sizeof(dir), "%.*s.", (int)(base - loc->name), loc->name);
	err = os_path_mode(dir, &mode);
	if (err == -ENOENT || err == -ENOTDIR)
		return refuse(loc, err,
			      "there is no such directory: make it first, or "
			      "choose another path",
			      log);
	return 0;
}

/* Whether the address could be had: free, or left behind. */
static int check_free(const struct locator *loc, int type,
		      const struct log *log)
{
	struct os_file file;

	if (*loc->name != '@' && os_file(loc->name, &file) < 0)
		return check_directory(loc, log);
	if (*loc->name != '@' && !S_ISSOCK(file.mode))
		return refuse(loc, -EADDRINUSE,
			      "it is no socket: choose another path", log);
	if (!type)
		return 0;
	return refuse(loc, -EADDRINUSE,
		      "it is taken: stop who listens there, or choose another",
		      log);
}

int unix_check(const struct locator *loc, int want, const struct log *log)
{
	int type = bound_type(loc->name);

	if (type < 0)
		return refuse(loc, type,
			      "cannot read /proc/net/unix, which says who "
			      "listens: mount /proc, or just open the link",
			      log);
	return loc->listen ? check_free(loc, type, log) :
			     check_peer(loc, type, want, log);
}
