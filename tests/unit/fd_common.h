/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of src/fd share: a log to look at, and a network of our
 * own. */
#ifndef TESTS_FD_COMMON_H
#define TESTS_FD_COMMON_H

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

enum { SKIPPED = 77 };

/* All that was said since it was last forgotten. */
struct said {
	int lines;
	int errors;
	char text[2048];
};

static inline void said_take(void *ctx, int level, const char *msg)
{
	struct said *said = ctx;
	size_t at = strlen(said->text);

	assert_true(strlen(msg) < 255);
	assert_null(strchr(msg, '\n'));
	said->lines++;
	said->errors += level == FDL_LOG_ERR;
	snprintf(said->text + at, sizeof(said->text) - at, "%s\n", msg);
}

static inline void said_forget(struct said *said)
{
	memset(said, 0, sizeof(*said));
}

/* One sentence was said, it was an error, and it holds these words. */
static inline void expect_said(const struct said *said, const char *words)
{
	if (said->errors != 1 || said->lines != 1 || !strstr(said->text, words))
		print_error("said: %s", said->text);
	assert_int_equal(said->lines, 1);
	assert_int_equal(said->errors, 1);
	assert_non_null(strstr(said->text, words));
}

static inline void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Another network namespace for this thread; the first time, without root, a
 * user namespace around it. False: the system does not allow it. */
static inline bool enter_new_netns(void)
{
	char map[64];
	unsigned uid = geteuid();

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
	return true;
}

/* What the tests need. A sentence and false: not here. */
static inline bool have_network(void)
{
	int fd;

	if (!enter_new_netns()) {
		fputs("skipped: no network namespace to be had\n", stderr);
		return false;
	}
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		perror("skipped: /dev/net/tun");
		return false;
	}
	close(fd);
	return true;
}

/* A TUN or TAP fd with these flags. */
static inline int make_tun(const char *name, int flags)
{
	struct ifreq ifr = { .ifr_flags = (short)flags };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	assert_true(fd >= 0);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	assert_return_code(ioctl(fd, TUNSETIFF, &ifr), 0);
	return fd;
}

static inline void set_up(const char *name, bool up)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_flags = up ? IFF_UP : 0;
	assert_return_code(ioctl(sock, SIOCSIFFLAGS, &ifr), 0);
	close(sock);
}

static inline int open_own_netns(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* How many fds are open: nothing may be left behind. */
static inline int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

#endif
