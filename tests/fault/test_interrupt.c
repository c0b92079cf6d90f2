/* SPDX-License-Identifier: Apache-2.0 */
/* A signal in the middle of a system call: os.c makes it again, where that is
 * right. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "os.h"

/* The next so many calls are interrupted. */
static unsigned signals;

/* Each is of libc, and what is linked here calls it by these names. */
#define INTERRUPTED(type, call, params, args)   \
	type __real_##call params;              \
	type __wrap_##call params;              \
	type __wrap_##call params               \
	{                                       \
		if (signals > 0) {              \
			signals--;              \
			errno = EINTR;          \
			return -1;              \
		}                               \
		return __real_##call args;      \
	}

/* clang-format off */
INTERRUPTED(ssize_t, read, (int fd, void *buf, size_t len), (fd, buf, len))
INTERRUPTED(ssize_t, write, (int fd, const void *buf, size_t len),
	    (fd, buf, len))
INTERRUPTED(ssize_t, writev, (int fd, const struct iovec *iov, int cnt),
	    (fd, iov, cnt))
INTERRUPTED(ssize_t, recv, (int fd, void *buf, size_t len, int flags),
	    (fd, buf, len, flags))
INTERRUPTED(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags),
	    (fd, msg, flags))
INTERRUPTED(int, recvmmsg,
	    (int fd, struct mmsghdr *msg, unsigned n, int flags,
	     struct timespec *timeout),
	    (fd, msg, n, flags, timeout))
INTERRUPTED(ssize_t, send, (int fd, const void *buf, size_t len, int flags),
	    (fd, buf, len, flags))
INTERRUPTED(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags),
	    (fd, msg, flags))
INTERRUPTED(int, sendmmsg,
	    (int fd, struct mmsghdr *msg, unsigned n, int flags),
	    (fd, msg, n, flags))
INTERRUPTED(int, close, (int fd), (fd))
/* clang-format on */

static char bytes[4];
static struct iovec piece = { bytes, sizeof(bytes) };
static struct mmsghdr message = {
	.msg_hdr = { .msg_iov = &piece, .msg_iovlen = 1 },
};

static ssize_t by_read(int fd)
{
	return os_read(fd, bytes, sizeof(bytes));
}

static ssize_t by_recv(int fd)
{
	return os_recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
}

static ssize_t by_recvmsg(int fd)
{
	return os_recvmsg(fd, &message.msg_hdr, MSG_DONTWAIT);
}

static ssize_t by_recvmmsg(int fd)
{
	const int n = os_recvmmsg(fd, &message, 1, MSG_DONTWAIT);

	return n == 1 ? (ssize_t)message.msg_len : n;
}

static ssize_t by_write(int fd)
{
	return os_write(fd, bytes, sizeof(bytes));
}

static ssize_t by_writev(int fd)
{
	return os_writev(fd, &piece, 1);
}

static ssize_t by_send(int fd)
{
	return os_send(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
}

static ssize_t by_sendmsg(int fd)
{
	return os_sendmsg(fd, &message.msg_hdr, MSG_DONTWAIT);
}

static ssize_t by_sendmmsg(int fd)
{
	const int n = os_sendmmsg(fd, &message, 1, MSG_DONTWAIT);

	return n == 1 ? (ssize_t)message.msg_len : n;
}

/* It goes once, and comes once. */
static void expect_once(ssize_t (*put)(int fd), ssize_t (*take)(int fd))
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	memcpy(bytes, "abcd", sizeof(bytes));
	signals = 2;
	assert_int_equal(put(fds[0]), sizeof(bytes));
	memset(bytes, 0, sizeof(bytes));
	signals = 2;
	assert_int_equal(take(fds[1]), sizeof(bytes));
	assert_memory_equal(bytes, "abcd", sizeof(bytes));
	assert_int_equal(signals, 0);
	assert_int_equal(by_recv(fds[1]), -EAGAIN);
	close(fds[0]);
	close(fds[1]);
}

static void what_moves_bytes_is_made_again(void **state)
{
	ssize_t (*const puts[])(int fd) = { by_write, by_writev, by_send,
					    by_sendmsg, by_sendmmsg };
	ssize_t (*const takes[])(int fd) = { by_read, by_recv, by_recvmsg,
					     by_recvmmsg };
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(puts) / sizeof(puts[0]); i++)
		for (k = 0; k < sizeof(takes) / sizeof(takes[0]); k++)
			expect_once(puts[i], takes[k]);
}

/* The fd is closed by then, and may be somebody else's. */
static void a_close_is_not_made_again(void **state)
{
	(void)state;
	signals = 1;
	assert_int_equal(os_close(1000000), -EINTR);
	assert_int_equal(signals, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_moves_bytes_is_made_again),
		cmocka_unit_test(a_close_is_not_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
