/* SPDX-License-Identifier: Apache-2.0 */
#include "wait/wake.h"

#include <errno.h>

#include "os.h"

enum {
	REST_US = 1000,
};

/* What a call to look again adds to the eventfd. */
static const uint64_t CALL = (uint64_t)1 << 32;

void wake_raise(int eventfd)
{
	int saved = errno;

	os_raise(eventfd, 1);
	errno = saved;
}

void wake_call(int eventfd)
{
	os_raise(eventfd, CALL);
}

unsigned wake_drain(int eventfd)
{
	uint64_t n = 0;

	return os_read(eventfd, &n, sizeof(n)) < 0 ? 0 : (unsigned)n;
}

struct wake_limit wake_limit(int timeout_ms)
{
	return (struct wake_limit){
		.timeout_ms = timeout_ms,
		.until = timeout_ms > 0 ? os_now_ms() + timeout_ms : 0,
	};
}

static void count_down(struct wake_limit *limit)
{
	int64_t left = limit->until - os_now_ms();

	if (limit->timeout_ms > 0)
		limit->timeout_ms = left > 0 ? (int)left : 0;
}

static bool must_leave(const struct waker *w)
{
	return atomic_load_explicit(w->leave, memory_order_acquire);
}

/* A signal does not end the wait, nor does the kernel's lack of memory for it,
 * which may pass. */
static int wait_on(struct pollfd fds[], unsigned cnt, struct wake_limit *limit)
{
	int n;

	for (;;) {
		n = os_poll(fds, cnt, limit->timeout_ms);
		if (n != -EINTR && n != -ENOMEM)
			return n;
		if (n == -ENOMEM && limit->timeout_ms == 0)
			return 0;
		if (n == -ENOMEM)
			os_nap(REST_US);
		count_down(limit);
	}
}

int wake_poll(const struct waker *w, struct pollfd fds[], unsigned cnt,
	      struct wake_limit *limit)
{
	int n;

	fds[0] = (struct pollfd){ .fd = w->eventfd, .events = POLLIN };
	n = wait_on(fds, cnt, limit);
	if (n <= 0)
		return n;
	if (!fds[0].revents)
		return WAKE_READY;
	if (wake_drain(w->eventfd) > 0 || n > 1 || must_leave(w))
		return n > 1 ? WAKE_READY : WAKE_OVER;
	count_down(limit);
	return WAKE_LOOK_AGAIN;
}

int wake_wait(const struct waker *w, int set, int timeout_ms)
{
	struct wake_limit limit = wake_limit(timeout_ms);
	struct pollfd fds[] = { { .fd = -1 }, { .fd = set, .events = POLLIN } };
	int r;

	do {
		r = wake_poll(w, fds, sizeof(fds) / sizeof(fds[0]), &limit);
	} while (r == WAKE_LOOK_AGAIN);
	return r;
}
