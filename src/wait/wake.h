/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wait that another thread can end, or have look again, by an eventfd beside
 * what else is waited for. The lower half of its count are wake-ups; the upper
 * half are calls to look again, which end no wait.
 */
#ifndef FDL_WAKE_H
#define FDL_WAKE_H

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What can end a wait. */
struct waker {
	int eventfd;
	const _Atomic bool *leave;	/* it is to end once this is true, which
					 * wake_call tells of */
};

/* End a wait by this eventfd; if there is none in progress, the next one.
 * Async-signal-safe; errno is kept. */
void wake_raise(int eventfd);

/* Make whoever waits by this eventfd look again. */
void wake_call(int eventfd);

/* Use up what was raised. Returns how many wake-ups there were. */
unsigned wake_drain(int eventfd);

/* How long a wait may take. */
struct wake_limit {
	int timeout_ms;		/* as poll(2) has it */
	int64_t until;		/* os_now_ms(), where timeout_ms is positive */
};

struct wake_limit wake_limit(int timeout_ms);

/* wake_poll() */
enum {
	WAKE_OVER,		/* the time is up, there was a wake-up, or it is
				 * to end */
	WAKE_READY,		/* one of the others is */
	WAKE_LOOK_AGAIN,	/* what is waited for may have changed */
};

/*
 * Wait for fds[1..cnt), or the eventfd, which goes into fds[0] and is used up.
 * A signal does not end it. Errors: those of poll(2).
 */
int wake_poll(const struct waker *w, struct pollfd fds[], unsigned cnt,
	      struct wake_limit *limit);

/* As ready_wait, for any epoll set. */
int wake_wait(const struct waker *w, int set, int timeout_ms);

#endif
