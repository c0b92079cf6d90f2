/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <errno.h>
#include <stddef.h>

#include "os.h"

/* The wrapped functions have no argument that could carry this. The tests are
 * of one thread. */
static struct {
	enum fault what, last;
	unsigned seen, nth, times;
	int err;
	int held;		/* for the next call to tell */
	bool hit;
} plan = { .what = FAULTS };

void fault_set(enum fault what, unsigned nth, unsigned times, int err)
{
	plan.what = what;
	plan.seen = 0;
	plan.nth = nth;
	plan.times = times;
	plan.err = err;
	plan.held = 0;
	plan.hit = false;
}

bool fault_clear(void)
{
	const bool hit = plan.hit;

	fault_set(FAULTS, 0, 0, 0);
	return hit;
}

enum fault fault_last(void)
{
	return plan.last;
}

/* 0, or what this call returns instead of being made. */
static int failing(enum fault what)
{
	if (plan.times == 0 || (plan.what != FAULT_ANY && plan.what != what))
		return 0;
	plan.seen++;
	if (plan.seen < plan.nth || plan.seen - plan.nth >= plan.times)
		return 0;
	plan.hit = true;
	plan.last = what;
	return -plan.err;
}

/* The linker's names: --wrap=f sends calls of f to __wrap_f, and __real_f is
 * the f that was. */
int __real_os_close(int fd);
int __wrap_os_close(int fd);
int __real_os_dup(int fd);
int __wrap_os_dup(int fd);
int __real_os_stat_mode(int fd, mode_t *mode);
int __wrap_os_stat_mode(int fd, mode_t *mode);
int __real_os_get_flags(int fd);
int __wrap_os_get_flags(int fd);
int __real_os_set_flags(int fd, int flags);
int __wrap_os_set_flags(int fd, int flags);
int __real_os_ioctl(int fd, unsigned long request, void *arg);
int __wrap_os_ioctl(int fd, unsigned long request, void *arg);
ssize_t __real_os_read(int fd, void *buf, size_t len);
ssize_t __wrap_os_read(int fd, void *buf, size_t len);
ssize_t __real_os_write(int fd, const void *buf, size_t len);
ssize_t __wrap_os_write(int fd, const void *buf, size_t len);
ssize_t __real_os_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_os_send(int fd, const void *buf, size_t len, int flags);
ssize_t __real_os_writev(int fd, const struct iovec *iov, int cnt);
ssize_t __wrap_os_writev(int fd, const struct iovec *iov, int cnt);
ssize_t __real_os_readv_now(int fd, const struct iovec *iov, int cnt);
ssize_t __wrap_os_readv_now(int fd, const struct iovec *iov, int cnt);
ssize_t __real_os_writev_now(int fd, const struct iovec *iov, int cnt);
ssize_t __wrap_os_writev_now(int fd, const struct iovec *iov, int cnt);
int __real_os_socket(int family, int type, int protocol);
int __wrap_os_socket(int family, int type, int protocol);
int __real_os_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_os_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __real_os_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int __wrap_os_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int __real_os_getsockopt(int fd, int level, int name, void *val,
			 socklen_t *len);
int __wrap_os_getsockopt(int fd, int level, int name, void *val,
			 socklen_t *len);
int __real_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);
int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);
ssize_t __real_os_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_os_recv(int fd, void *buf, size_t len, int flags);
ssize_t __real_os_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t __wrap_os_recvmsg(int fd, struct msghdr *msg, int flags);
int __real_os_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags);
int __wrap_os_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags);
ssize_t __real_os_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_os_sendmsg(int fd, const struct msghdr *msg, int flags);
int __real_os_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags);
int __wrap_os_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags);
int __real_os_epoll_create(void);
int __wrap_os_epoll_create(void);
int __real_os_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev);
int __wrap_os_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev);
int __real_os_eventfd(void);
int __wrap_os_eventfd(void);
int __real_os_timerfd_set(int fd, unsigned us);
int __wrap_os_timerfd_set(int fd, unsigned us);
void *__real_os_map(size_t len);
void *__wrap_os_map(size_t len);
int __real_os_map_fd(int fd, size_t len, void **mem);
int __wrap_os_map_fd(int fd, size_t len, void **mem);

int __wrap_os_close(int fd)
{
	const int err = failing(FAULT_CLOSE);

	return err ? err : __real_os_close(fd);
}

int __wrap_os_dup(int fd)
{
	const int err = failing(FAULT_DUP);

	return err ? err : __real_os_dup(fd);
}

int __wrap_os_stat_mode(int fd, mode_t *mode)
{
	const int err = failing(FAULT_STAT_MODE);

	return err ? err : __real_os_stat_mode(fd, mode);
}

int __wrap_os_get_flags(int fd)
{
	const int err = failing(FAULT_GET_FLAGS);

	return err ? err : __real_os_get_flags(fd);
}

int __wrap_os_set_flags(int fd, int flags)
{
	const int err = failing(FAULT_SET_FLAGS);

	return err ? err : __real_os_set_flags(fd, flags);
}

int __wrap_os_ioctl(int fd, unsigned long request, void *arg)
{
	const int err = failing(FAULT_IOCTL);

	return err ? err : __real_os_ioctl(fd, request, arg);
}

ssize_t __wrap_os_read(int fd, void *buf, size_t len)
{
	const int err = failing(FAULT_READ);

	return err ? err : __real_os_read(fd, buf, len);
}

ssize_t __wrap_os_write(int fd, const void *buf, size_t len)
{
	const int err = failing(FAULT_WRITEV);

	return err ? err : __real_os_write(fd, buf, len);
}

ssize_t __wrap_os_writev(int fd, const struct iovec *iov, int cnt)
{
	const int err = failing(FAULT_WRITEV);

	return err ? err : __real_os_writev(fd, iov, cnt);
}

ssize_t __wrap_os_readv_now(int fd, const struct iovec *iov, int cnt)
{
	const int err = failing(FAULT_READ);

	return err ? err : __real_os_readv_now(fd, iov, cnt);
}

ssize_t __wrap_os_writev_now(int fd, const struct iovec *iov, int cnt)
{
	const int err = failing(FAULT_WRITEV);

	return err ? err : __real_os_writev_now(fd, iov, cnt);
}

int __wrap_os_socket(int family, int type, int protocol)
{
	const int err = failing(FAULT_SOCKET);

	return err ? err : __real_os_socket(family, type, protocol);
}

int __wrap_os_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	const int err = failing(FAULT_BIND);

	return err ? err : __real_os_bind(fd, addr, len);
}

int __wrap_os_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	const int err = failing(FAULT_GETSOCKNAME);

	return err ? err : __real_os_getsockname(fd, addr, len);
}

int __wrap_os_getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	const int err = failing(FAULT_GETSOCKOPT);

	return err ? err : __real_os_getsockopt(fd, level, name, val, len);
}

int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len)
{
	const int err = failing(FAULT_SETSOCKOPT);

	return err ? err : __real_os_setsockopt(fd, level, name, val, len);
}

ssize_t __wrap_os_recv(int fd, void *buf, size_t len, int flags)
{
	const int err = failing(FAULT_RECV);

	return err ? err : __real_os_recv(fd, buf, len, flags);
}

ssize_t __wrap_os_recvmsg(int fd, struct msghdr *msg, int flags)
{
	const int err = failing(FAULT_RECVMSG);

	return err ? err : __real_os_recvmsg(fd, msg, flags);
}

int __wrap_os_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
	const int err = failing(FAULT_RECVMMSG);

	return err ? err : __real_os_recvmmsg(fd, msg, n, flags);
}

ssize_t __wrap_os_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	const int err = plan.held ? plan.held : failing(FAULT_SENDMSG);

	plan.held = 0;
	return err ? err : __real_os_sendmsg(fd, msg, flags);
}

ssize_t __wrap_os_send(int fd, const void *buf, size_t len, int flags)
{
	const int err = plan.held ? plan.held : failing(FAULT_SENDMSG);

	plan.held = 0;
	return err ? err : __real_os_send(fd, buf, len, flags);
}

/* Each message counts as a call of sendmsg; an error behind messages that went
 * is told by the next call. */
int __wrap_os_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
	int err = plan.held;
	unsigned i;

	plan.held = 0;
	for (i = 0; !err && i < n; i++)
		err = failing(FAULT_SENDMSG);
	if (!err)
		return __real_os_sendmmsg(fd, msg, n, flags);
	if (i < 2)
		return err;
	plan.held = err;
	return __real_os_sendmmsg(fd, msg, i - 1, flags);
}

int __wrap_os_epoll_create(void)
{
	const int err = failing(FAULT_EPOLL_CREATE);

	return err ? err : __real_os_epoll_create();
}

int __wrap_os_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev)
{
	const int err = failing(FAULT_EPOLL_CTL);

	return err ? err : __real_os_epoll_ctl(epfd, op, fd, ev);
}

int __wrap_os_eventfd(void)
{
	const int err = failing(FAULT_EVENTFD);

	return err ? err : __real_os_eventfd();
}

int __wrap_os_timerfd_set(int fd, unsigned us)
{
	const int err = failing(FAULT_TIMERFD_SET);

	return err ? err : __real_os_timerfd_set(fd, us);
}

void *__wrap_os_map(size_t len)
{
	return failing(FAULT_MAP) ? NULL : __real_os_map(len);
}

int __wrap_os_map_fd(int fd, size_t len, void **mem)
{
	const int err = failing(FAULT_MAP_FD);

	return err ? err : __real_os_map_fd(fd, len, mem);
}
