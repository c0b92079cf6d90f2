/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that wait, and tell the time. */
#include "os.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "os_result.h"

enum {
	WORD_BITS = 8 * sizeof(long),
};

static void set_bit(unsigned long *bits, const struct pollfd *p, short event)
{
	if (p->fd >= 0 && p->events & event)
		bits[p->fd / WORD_BITS] |= 1UL << p->fd % WORD_BITS;
}

static short get_bit(const unsigned long *bits, const struct pollfd *p,
		     short event)
{
	if (p->fd < 0 || !(bits[p->fd / WORD_BITS] >> p->fd % WORD_BITS & 1))
		return 0;
	return event;
}

/* Do what poll(2) does for POLLIN and POLLOUT by select(2), with sets that may
 * be larger than the C library's type for them. */
static int select_fds(struct pollfd *fds, unsigned n, int timeout_ms)
{
	struct timeval tv = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	unsigned long *in, *out;
	int max = 0, words, r;
	unsigned i;

	for (i = 0; i < n; i++)
		max = fds[i].fd > max ? fds[i].fd : max;
	words = max / WORD_BITS + 1;
	in = calloc(2 * (size_t)words, sizeof(*in));
	if (!in)
		return -ENOMEM;
	out = in + words;
	for (i = 0; i < n; i++) {
		set_bit(in, &fds[i], POLLIN);
		set_bit(out, &fds[i], POLLOUT);
	}
	r = result(select(max + 1, (fd_set *)in, (fd_set *)out, NULL,
			  timeout_ms < 0 ? NULL : &tv));
	for (i = 0; r >= 0 && i < n; i++)
		fds[i].revents = (short)(get_bit(in, &fds[i], POLLIN) |
					 get_bit(out, &fds[i], POLLOUT));
	free(in);
	return r;
}

static int count_ready(const struct pollfd *fds, unsigned n)
{
	int ready = 0;
	unsigned i;

	for (i = 0; i < n; i++)
		ready += fds[i].revents != 0;
	return ready;
}

/* poll(2) refuses more fds than the process may have open, even if they are
 * open already. A process that has lowered its limit waits by select(2). */
int os_poll(struct pollfd *fds, unsigned n, int timeout_ms)
{
	int r = result(poll(fds, n, timeout_ms));

	if (r != -EINVAL)
		return r;
	r = select_fds(fds, n, timeout_ms);
	return r < 0 ? r : count_ready(fds, n);
}

int os_epoll_create(void)
{
	return result(epoll_create1(EPOLL_CLOEXEC));
}

int os_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev)
{
	return result(epoll_ctl(epfd, op, fd, ev));
}

int os_epoll_wait(int epfd, struct epoll_event *ev, int n, int timeout_ms)
{
	return result(epoll_wait(epfd, ev, n, timeout_ms));
}

int os_eventfd(void)
{
	return result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

int os_timerfd(void)
{
	return result(
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

static struct timespec from_us(unsigned us)
{
	return (struct timespec){
		.tv_sec = (time_t)(us / 1000000),
		.tv_nsec = (long)(us % 1000000 * 1000),
	};
}

int os_timerfd_set(int fd, unsigned us)
{
	const struct itimerspec once = { .it_value = from_us(us) };

	return result(timerfd_settime(fd, 0, &once, NULL));
}

void os_nap(unsigned us)
{
	const struct timespec ts = from_us(us);

	ppoll(NULL, 0, &ts, NULL);
}

int64_t os_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void os_raise(int eventfd, uint64_t n)
{
	/* The write fails, except by a signal, only when the eventfd is raised
	 * as far as it goes. */
	while (write(eventfd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

int64_t os_now_ms(void)
{
	return os_now_us() / 1000;
}
