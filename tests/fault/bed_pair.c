/* SPDX-License-Identifier: Apache-2.0 */
#include "bed_pair.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST_FDS = 64 };

/* The kernel's numbers go up to a million, and each would be looked at. */
static void limit_fds(rlim_t most)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = most ? most : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

void pair_begin(struct bed *b)
{
	(void)b;
	limit_fds(MOST_FDS);
}

/* To which the end is bound that was made first: kind/pair.c. */
static struct sockaddr_un meeting_place(socklen_t *len)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const int n = snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1,
			       "fdlink pair %d walk", (int)getpid());

	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)n);
	return un;
}

/* The end that the library keeps for whoever comes second. */
void pair_take_end(struct bed *b)
{
	socklen_t place_len, len;
	const struct sockaddr_un place = meeting_place(&place_len);
	struct sockaddr_un peer;
	int fd;

	for (fd = 0; fd < MOST_FDS && b->link.peer < 0; fd++) {
		len = sizeof(peer);
		if (!getpeername(fd, (void *)&peer, &len) && len == place_len &&
		    !memcmp(&peer, &place, len))
			b->link.peer = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	assert_true(b->link.peer >= 0);
}

/* Somebody has come first. */
void pair_begin_first(struct bed *b)
{
	socklen_t len;
	const struct sockaddr_un place = meeting_place(&len);
	int fds[2];

	pair_begin(b);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(bind(fds[0], (const void *)&place, len), 0);
	b->link.peer = fds[0];
	b->listener = fds[1];
}

void pair_end(struct bed *b)
{
	if (b->listener >= 0)
		close(b->listener);
	if (b->link.peer >= 0)
		close(b->link.peer);
	b->listener = b->link.peer = -1;
	limit_fds(0);
}
