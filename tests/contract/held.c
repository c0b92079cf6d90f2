/* SPDX-License-Identifier: Apache-2.0 */
#include "held.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf.h"
#include "netns.h"

/* Returns 0, or -1 and errno. */
static int attach_bpf(int fd, int returned)
{
	const int prog = bpf_load(returned);
	int err;

	if (prog < 0)
		return -1;
	err = setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog));
	close(prog);
	return err;
}

static int run_command(const struct link *l, const char *words)
{
	char command[256];

	snprintf(command, sizeof(command), words, l->dev, l->peer_dev);
	strcat(command, " >/dev/null 2>&1");
	errno = EOPNOTSUPP;
	if (system(command))
		return -1;
	netns_wait_running(l->dev);
	return 0;
}

/* One after the other, if there are several. */
static int set_by_ioctl(int fd, const struct held_setting *s)
{
	const struct ifreq *next = (const struct ifreq *)s->value + 1;
	int err = ioctl(fd, (unsigned)s->option, s->value);

	if (err >= 0 && s->len == 2 * sizeof(*next))
		err = ioctl(fd, (unsigned)s->option, next);
	return err;
}

int held_set(const struct link *l, int fd, const struct held_setting *s)
{
	const int flags = fcntl(fd, F_GETFL);

	switch (s->level) {
	case HELD_FLAGS:
		return fcntl(fd, F_SETFL, flags | s->option);
	case HELD_FLAGS_OFF:
		return fcntl(fd, F_SETFL, flags & ~s->option);
	case HELD_IOCTL:
		return set_by_ioctl(fd, s);
	case HELD_NUMBER:
		return ioctl(fd, (unsigned)s->option,
			     (long)*(const int *)s->value);
	case HELD_COMMAND:
		return run_command(l, s->value);
	case HELD_BPF:
		return attach_bpf(fd, s->option);
	case HELD_SHUTDOWN:
		return shutdown(fd, s->option);
	case HELD_TUN_BPF:
		return bpf_attach_tun(fd, (unsigned)s->option,
				      *(const int *)s->value);
	default:
		return setsockopt(fd, s->level, s->option, s->value, s->len);
	}
}

static bool is_bound_to(int fd, const char *dev)
{
	struct sockaddr_ll name = { 0 };
	socklen_t len = sizeof(name);

	return !getsockname(fd, (struct sockaddr *)&name, &len) &&
	       name.sll_family == AF_PACKET &&
	       name.sll_ifindex == (int)if_nametoindex(dev);
}

static bool is_connected(int fd, int peer)
{
	struct sockaddr name = { 0 };
	socklen_t len = sizeof(name);

	return fd != peer && !getpeername(fd, &name, &len) &&
	       (name.sa_family == AF_UNIX || name.sa_family == AF_INET);
}

int held_fd_of(const struct link *l)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	int fd = -1, this;

	assert_non_null(dir);
	while (fd < 0 && (entry = readdir(dir))) {
		this = atoi(entry->d_name);
		if (*l->dev ? is_bound_to(this, l->dev) :
			      is_connected(this, l->peer))
			fd = this;
	}
	closedir(dir);
	assert_true(fd >= 0);
	return fd;
}
