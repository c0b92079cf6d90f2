/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket activation, the receiving end. LISTEN_PID says for which process the
 * fds are, LISTEN_FDS how many there are, from 3 on, and LISTEN_FDNAMES their
 * names, with colons between.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fd/opened.h"
#include "os.h"

enum { FIRST_FD = 3 };

/* Returns the number in a variable; -1: it is not set, or no number. */
static long env_number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long n;

	if (!text || *text < '0' || *text > '9')
		return -1;
	n = strtol(text, &end, 10);
	return *end || n > INT_MAX ? -1 : n;
}

/* Returns the place of name in a list with colons between; -1: it is not
 * there. */
static long find_name(const char *names, const char *name)
{
	size_t want = strlen(name), n;

	for (long i = 0;; i++) {
		n = strcspn(names, ":");
		if (n == want && !memcmp(names, name, n))
			return i;
		if (!names[n])
			return -1;
		names += n + 1;
	}
}

int inherited_fd(const char *name, const struct log *log)
{
	const char *names = getenv("LISTEN_FDNAMES");
	long n = env_number("LISTEN_FDS"), i;

	if (n <= 0 || env_number("LISTEN_PID") != os_getpid()) {
		log_say(log, FDL_LOG_ERR,
			"fd:%.80s: no fds were passed to this process by name: "
			"give a number, or start it as a systemd service with "
			"a socket unit (LISTEN_FDS)",
			name);
		return -ENOENT;
	}
	i = names ? find_name(names, name) : -1;
	if (i >= 0 && i < n)
		return FIRST_FD + (int)i;
	log_say(log, FDL_LOG_ERR,
		"fd:%.80s: no fd was passed under that name: set "
		"FileDescriptorName=, or use one of %.80s",
		name, names ? names : "LISTEN_FDNAMES, which is not set");
	return -ENOENT;
}
