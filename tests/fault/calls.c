/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wrapped calls of os.h. The linker's names: --wrap=f sends calls of f to
 * __wrap_f, and __real_f is the f that was.
 */
#include <errno.h>
#include <string.h>

#include "os.h"
#include "plan.h"

#define DECLARE(type, call, params)   \
	type __real_os_##call params; \
	type __wrap_os_##call params;

/* A call that succeeds or fails, and whose argument on says which it is. */
#define WRAP(type, call, fault, on, params, args)                \
	DECLARE(type, call, params)                              \
	type __wrap_os_##call params                             \
	{                                                        \
		const int fate = plan_now(fault, (unsigned)(on)); \
		return fate ? plan_result(fate) : __real_os_##call args; \
	}

/* One whose fd says which it is. */
#define WRAP_FD(type, call, fault, params, args)                 \
	DECLARE(type, call, params)                              \
	type __wrap_os_##call params                             \
	{                                                        \
		const int fate = plan_now_fd(fault, fd);         \
		return fate ? plan_result(fate) : __real_os_##call args; \
	}

/* clang-format off */
WRAP(int, open, FAULT_OPEN, 0, (const char *path, int flags), (path, flags))
WRAP_FD(int, dup, FAULT_DUP, (int fd), (fd))
WRAP_FD(int, dup_to, FAULT_DUP_TO, (int fd, int number), (fd, number))
WRAP_FD(int, stat_mode, FAULT_STAT_MODE, (int fd, mode_t *mode), (fd, mode))
WRAP_FD(int, inode, FAULT_INODE, (int fd, ino_t *inode), (fd, inode))
WRAP_FD(int, same_file, FAULT_SAME_FILE, (int fd, const char *path),
	(fd, path))
WRAP(int, path_mode, FAULT_PATH_MODE, 0, (const char *path, mode_t *mode),
     (path, mode))
WRAP(int, directory, FAULT_DIRECTORY, 0, (char *path, size_t size),
     (path, size))
WRAP(int, file, FAULT_FILE, 0, (const char *path, struct os_file *file),
     (path, file))
WRAP_FD(int, lock, FAULT_LOCK, (int fd), (fd))
WRAP_FD(int, get_flags, FAULT_GET_FLAGS, (int fd), (fd))
WRAP_FD(int, set_flags, FAULT_SET_FLAGS, (int fd, int flags), (fd, flags))
WRAP_FD(int, lock_byte, FAULT_LOCK_BYTE, (int fd, off_t at, bool on),
	(fd, at, on))
WRAP_FD(int, has_lock, FAULT_HAS_LOCK, (int fd, off_t from, off_t len),
	(fd, from, len))
WRAP(int, ioctl, FAULT_IOCTL, request,
     (int fd, unsigned long request, void *arg), (fd, request, arg))
WRAP(int, unlink, FAULT_UNLINK, 0, (const char *path), (path))
WRAP_FD(ssize_t, writev, FAULT_WRITEV,
	(int fd, const struct iovec *iov, int cnt), (fd, iov, cnt))
WRAP_FD(ssize_t, writev_now, FAULT_WRITEV,
	(int fd, const struct iovec *iov, int cnt), (fd, iov, cnt))
WRAP(int, socket, FAULT_SOCKET, family, (int family, int type, int protocol),
     (family, type, protocol))
WRAP(int, socketpair, FAULT_SOCKETPAIR, 0, (int type, int fds[2]), (type, fds))
WRAP_FD(int, bind, FAULT_BIND,
	(int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))
WRAP_FD(int, connect, FAULT_CONNECT,
	(int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))
WRAP_FD(int, listen, FAULT_LISTEN, (int fd, int backlog), (fd, backlog))
WRAP_FD(int, getsockname, FAULT_GETSOCKNAME,
	(int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))
WRAP_FD(int, getpeername, FAULT_GETPEERNAME,
	(int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))
WRAP(int, getsockopt, FAULT_GETSOCKOPT, fault_option(level, name),
     (int fd, int level, int name, void *val, socklen_t *len),
     (fd, level, name, val, len))
WRAP(int, setsockopt, FAULT_SETSOCKOPT, fault_option(level, name),
     (int fd, int level, int name, const void *val, socklen_t len),
     (fd, level, name, val, len))
WRAP(int, epoll_create, FAULT_EPOLL_CREATE, 0, (void), ())
WRAP(int, epoll_ctl, FAULT_EPOLL_CTL, op,
     (int epfd, int op, int fd, struct epoll_event *ev), (epfd, op, fd, ev))
WRAP(int, epoll_wait, FAULT_EPOLL_WAIT, 0,
     (int epfd, struct epoll_event *ev, int n, int timeout_ms),
     (epfd, ev, n, timeout_ms))
WRAP(int, eventfd, FAULT_EVENTFD, 0, (void), ())
WRAP(int, timerfd, FAULT_TIMERFD, 0, (void), ())
WRAP(int, timerfd_set, FAULT_TIMERFD_SET, 0, (int fd, unsigned us), (fd, us))
WRAP_FD(int, map_over, FAULT_MAP_OVER, (int fd, size_t len, void *to),
	(fd, len, to))
WRAP(int, memory_file, FAULT_MEMORY_FILE, 0, (void), ())
WRAP_FD(int, setns, FAULT_SETNS, (int fd, int nstype), (fd, nstype))

DECLARE(int, close, (int fd))
DECLARE(int, accept, (int fd))
DECLARE(int, shutdown, (int fd, int how))
DECLARE(ssize_t, read, (int fd, void *buf, size_t len))
DECLARE(ssize_t, write, (int fd, const void *buf, size_t len))
DECLARE(ssize_t, readv_now, (int fd, const struct iovec *iov, int cnt))
DECLARE(ssize_t, recv, (int fd, void *buf, size_t len, int flags))
DECLARE(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags))
DECLARE(int, recvmmsg, (int fd, struct mmsghdr *msg, unsigned n, int flags))
DECLARE(ssize_t, send, (int fd, const void *buf, size_t len, int flags))
DECLARE(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags))
DECLARE(int, sendmmsg, (int fd, struct mmsghdr *msg, unsigned n, int flags))
DECLARE(int, poll, (struct pollfd *fds, unsigned n, int timeout_ms))
DECLARE(int64_t, now_us, (void))
DECLARE(int64_t, now_ms, (void))
DECLARE(void *, map, (size_t len))
DECLARE(void *, map_sparse, (size_t len))
DECLARE(int, map_fd, (int fd, size_t len, void **mem))
DECLARE(int, move_map, (void *from, size_t len, void *to))
DECLARE(void, unmap, (void *mem, size_t len))
/* clang-format on */

int __wrap_os_close(int fd)
{
	const int fate = plan_now_fd(FAULT_CLOSE, fd);
	const int result = __real_os_close(fd);

	plan_closed(result);
	return fate ? plan_result(fate) : result;
}

int __wrap_os_accept(int fd)
{
	const int fate = plan_now_fd(FAULT_ACCEPT, fd);

	if (fate)
		return plan_result(fate);
	plan_wait();
	return __real_os_accept(fd);
}

/* It fails where there is no connection any more. */
int __wrap_os_shutdown(int fd, int how)
{
	const int fate = plan_now_fd(FAULT_SHUTDOWN, fd);
	const int result = __real_os_shutdown(fd, how);

	return fate ? plan_result(fate) : result;
}

static size_t half(size_t n)
{
	return n > 1 ? n / 2 : n;
}

/* What is returned after the packet has been received, with that result. */
static ssize_t take(int fate, ssize_t received)
{
	return received < 0 ? received : plan_result(fate);
}

ssize_t __wrap_os_read(int fd, void *buf, size_t len)
{
	const int fate = plan_now_fd(FAULT_READ, fd);

	if (!fate)
		return __real_os_read(fd, buf, len);
	if (plan_says(fate, FAULT_SHORT))
		return __real_os_read(fd, buf, half(len));
	if (plan_says(fate, FAULT_TAKES))
		return take(fate, __real_os_read(fd, buf, len));
	return plan_result(fate);
}

ssize_t __wrap_os_readv_now(int fd, const struct iovec *iov, int cnt)
{
	const int fate = plan_now_fd(FAULT_READ, fd);

	if (!fate)
		return __real_os_readv_now(fd, iov, cnt);
	if (plan_says(fate, FAULT_TAKES))
		return take(fate, __real_os_readv_now(fd, iov, cnt));
	return plan_result(fate);
}

ssize_t __wrap_os_write(int fd, const void *buf, size_t len)
{
	const int fate = plan_now_fd(FAULT_WRITEV, fd);

	if (!fate)
		return __real_os_write(fd, buf, len);
	if (plan_says(fate, FAULT_SHORT))
		return __real_os_write(fd, buf, half(len));
	return plan_result(fate);
}

ssize_t __wrap_os_recv(int fd, void *buf, size_t len, int flags)
{
	const int fate = plan_now_fd(FAULT_RECV, fd);

	if (!fate)
		return __real_os_recv(fd, buf, len, flags);
	/* As if no more than a few bytes were there. */
	if (plan_says(fate, FAULT_SHORT))
		return __real_os_recv(fd, buf, 3, flags);
	if (plan_says(fate, FAULT_TAKES))
		return take(fate, __real_os_recv(fd, buf, len, flags));
	return plan_result(fate);
}

ssize_t __wrap_os_recvmsg(int fd, struct msghdr *msg, int flags)
{
	const int fate = plan_now_fd(FAULT_RECVMSG, fd);
	struct msghdr lost = *msg;

	if (!fate)
		return __real_os_recvmsg(fd, msg, flags);
	if (plan_says(fate, FAULT_TAKES))
		return take(fate, __real_os_recvmsg(fd, &lost, flags));
	return plan_result(fate);
}

int __wrap_os_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
	const int fate = plan_now_fd(FAULT_RECVMMSG, fd);
	struct mmsghdr lost = msg[0];

	if (!fate)
		return __real_os_recvmmsg(fd, msg, n, flags);
	if (plan_says(fate, FAULT_SHORT))
		return __real_os_recvmmsg(fd, msg, 1, flags);
	if (plan_says(fate, FAULT_TAKES))
		return (int)take(fate, __real_os_recvmmsg(fd, &lost, 1, flags));
	return plan_result(fate);
}

static int send_fate(int fd)
{
	const int held = plan_held();

	return held ? held : plan_now_fd(FAULT_SENDMSG, fd);
}

enum { MOST_PIECES = 1024 };

/* Half of the bytes go. */
static ssize_t send_half(int fd, const struct msghdr *msg, int flags)
{
	struct iovec iov[MOST_PIECES];
	struct msghdr some = *msg;
	size_t i, left = 0;

	for (i = 0; i < msg->msg_iovlen; i++)
		left += msg->msg_iov[i].iov_len;
	left = half(left);
	for (i = 0; i < msg->msg_iovlen && left; i++) {
		iov[i] = msg->msg_iov[i];
		if (iov[i].iov_len > left)
			iov[i].iov_len = left;
		left -= iov[i].iov_len;
	}
	some.msg_iov = iov;
	some.msg_iovlen = i;
	return __real_os_sendmsg(fd, &some, flags);
}

ssize_t __wrap_os_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	const int fate = send_fate(fd);

	if (!fate)
		return __real_os_sendmsg(fd, msg, flags);
	if (plan_says(fate, FAULT_SHORT))
		return send_half(fd, msg, flags);
	return plan_result(fate);
}

ssize_t __wrap_os_send(int fd, const void *buf, size_t len, int flags)
{
	const int fate = send_fate(fd);

	return fate ? plan_result(fate) : __real_os_send(fd, buf, len, flags);
}

/* Each message counts as a call of sendmsg; an error behind messages that went
 * is told by the next call. */
int __wrap_os_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
	int fate = plan_held();
	unsigned i;

	for (i = 0; !fate && i < n; i++)
		fate = plan_now_fd(FAULT_SENDMSG, fd);
	if (!fate)
		return __real_os_sendmmsg(fd, msg, n, flags);
	if (plan_says(fate, FAULT_SHORT))
		return __real_os_sendmmsg(fd, msg, 1, flags);
	if (i < 2)
		return plan_result(fate);
	plan_hold(fate);
	return __real_os_sendmmsg(fd, msg, i - 1, flags);
}

/* All that is asked for is there, and it is not. */
static int all_ready(struct pollfd *fds, unsigned n)
{
	int ready = 0;
	unsigned i;

	for (i = 0; i < n; i++) {
		fds[i].revents = fds[i].fd < 0 ? 0 : fds[i].events;
		ready += fds[i].revents != 0;
	}
	return ready;
}

int __wrap_os_poll(struct pollfd *fds, unsigned n, int timeout_ms)
{
	const int fate = plan_now(FAULT_POLL, 0);
	unsigned i;

	if (!fate) {
		if (timeout_ms < 0)
			plan_wait();
		return __real_os_poll(fds, n, timeout_ms);
	}
	if (plan_says(fate, FAULT_READY))
		return all_ready(fds, n);
	for (i = 0; i < n; i++)
		fds[i].revents = 0;
	return plan_result(fate);
}

int64_t __wrap_os_now_us(void)
{
	return plan_clock(__real_os_now_us());
}

int64_t __wrap_os_now_ms(void)
{
	return __wrap_os_now_us() / 1000;
}

void *__wrap_os_map(size_t len)
{
	void *mem = plan_now(FAULT_MAP, ON_OTHER) ? NULL : __real_os_map(len);

	if (mem)
		plan_add(0, (long)len, 0);
	return mem;
}

void *__wrap_os_map_sparse(size_t len)
{
	void *mem = plan_now(FAULT_MAP, ON_SPARSE) ? NULL :
						     __real_os_map_sparse(len);

	if (mem)
		plan_add(0, (long)len, 0);
	return mem;
}

int __wrap_os_map_fd(int fd, size_t len, void **mem)
{
	const int fate = plan_now_fd(FAULT_MAP_FD, fd);
	int err;

	if (fate)
		return plan_result(fate);
	err = __real_os_map_fd(fd, len, mem);
	if (!err)
		plan_add(0, (long)len, 0);
	return err;
}

/* What was at the place it is moved to is gone. */
int __wrap_os_move_map(void *from, size_t len, void *to)
{
	const int fate = plan_now(FAULT_MOVE_MAP, 0);
	int err;

	if (fate)
		return plan_result(fate);
	err = __real_os_move_map(from, len, to);
	if (!err)
		plan_add(0, -(long)len, 0);
	return err;
}

void __wrap_os_unmap(void *mem, size_t len)
{
	__real_os_unmap(mem, len);
	plan_add(0, -(long)len, 0);
}
