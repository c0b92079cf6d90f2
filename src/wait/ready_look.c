/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a queue is ready, and for what; and waiting until it is. */
#include <errno.h>

#include <fdlink/fdlink.h>

#include "os.h"
#include "wait/ready.h"
#include "wait/wake.h"

enum {
	WAIT_SIZE = 5,	/* data, wake, link, more, visit */
};

int ready_state(const struct ready *r, bool there)
{
	struct pollfd fds[] = {
		{ .fd = r->epfd, .events = POLLIN },
		ready_room(r),
		{ .fd = r->refill, .events = POLLIN },
		{ .fd = r->armed && !r->edge ? r->data : -1, .events = POLLIN },
		{ .fd = r->more, .events = POLLIN },
		{ .fd = r->armed ? r->link : -1,
		  .events = (short)(r->insists ? POLLIN | POLLOUT : POLLIN) },
		{ .fd = r->visit, .events = POLLIN },
	};
	int state = 0;

	os_poll(fds, sizeof(fds) / sizeof(fds[0]), 0);
	if (!fds[0].revents && !fds[3].revents)
		return 0;
	if (fds[1].revents)
		state |= FDL_WRITABLE;
	if (there || fds[2].revents || fds[3].revents || fds[4].revents ||
	    fds[5].revents || fds[6].revents || !state)
		state |= FDL_READABLE;
	return state;
}

/* Whether the set is in use: a caller has its fd, or the send side has put
 * something into it. */
static bool needs_set(const struct ready *r)
{
	return ready_is_shown(r) || r->room >= 0 || r->pause >= 0;
}

/*
 * Fill in what a wait looks at, from fds[1] on. If the set is in use, that is
 * the set, and data if it is not in the set. Else it is each fd that could be
 * in the set, because an epoll set costs poll(2) more than all of them. Returns
 * the end.
 */
static unsigned list(const struct ready *r, struct pollfd fds[WAIT_SIZE])
{
	const int events = r->insists ? POLLIN | POLLOUT : POLLIN;
	unsigned n = 1;

	if (needs_set(r)) {
		fds[n++] = (struct pollfd){ .fd = r->epfd, .events = POLLIN };
		if (r->armed && !ready_is_shown(r))
			fds[n++] = (struct pollfd){ r->data, POLLIN, 0 };
		return n;
	}
	fds[n++] = (struct pollfd){ r->armed ? r->data : r->refill, POLLIN, 0 };
	if (r->armed && r->link >= 0)
		fds[n++] = (struct pollfd){ r->link, (short)events, 0 };
	if (r->has_more)
		fds[n++] = (struct pollfd){ r->more, POLLIN, 0 };
	if (r->visit >= 0)
		fds[n++] = (struct pollfd){ r->visit, POLLIN, 0 };
	return n;
}

void ready_share(struct ready *r, int wake)
{
	r->also = wake;
}

int ready_wait(struct ready *r, const struct waker *w, int timeout_ms)
{
	struct wake_limit limit = wake_limit(timeout_ms);
	struct pollfd fds[WAIT_SIZE];
	int n;

	do {
		n = wake_poll(w, fds, list(r, fds), &limit);
	} while (n == WAKE_LOOK_AGAIN);
	return n;
}
