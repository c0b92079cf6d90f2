/* SPDX-License-Identifier: Apache-2.0 */
/* Signals while a poll is in progress. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/time.h>

#include <cmocka.h>

#include "contract.h"
#include "netns.h"

/* What the handler works on: a handler has no argument of its own. */
static struct fdl_endpoint *_Atomic handled;
static atomic_int signals;

static void on_signal(int number)
{
	struct fdl_endpoint *ep = atomic_load(&handled);

	(void)number;
	atomic_fetch_add(&signals, 1);
	if (ep)
		fdl_wake(ep);
}

static void alarm_every(long usec)
{
	const struct itimerval it = {
		.it_interval.tv_usec = usec,
		.it_value.tv_usec = usec,
	};
	struct sigaction sa = { .sa_handler = on_signal };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

/* Neither ended early nor begun anew by each signal. */
static void a_signal_alone_does_not_end_a_poll(struct link *l)
{
	long long start, end = netns_now_ms() + WAIT_MS;

	atomic_store(&handled, NULL);
	atomic_store(&signals, 0);
	alarm_every(5000);
	do {
		start = netns_now_ms();
		assert_int_equal(fdl_poll(l->ep, 60), 0);
		assert_int_equal(fdl_queue_poll(l->q, 60), 0);
		assert_true(netns_now_ms() - start >= 119);
	} while (atomic_load(&signals) < 5 && netns_now_ms() < end);
	alarm_every(0);
	assert_in_range(netns_now_ms(), start, end);
	assert_true(atomic_load(&signals) >= 5);
}

static void a_wake_from_a_signal_handler_ends_a_poll(struct link *l)
{
	atomic_store(&handled, l->ep);
	alarm_every(20000);
	assert_int_equal(fdl_poll(l->ep, -1), 0);
	assert_int_equal(fdl_queue_poll(l->q, -1), 0);
	alarm_every(0);
	atomic_store(&handled, NULL);
	fdl_poll(l->ep, 0);
}

static const struct expectation table[] = {
	{ .name = "a signal alone does not end a poll",
	  .test = a_signal_alone_does_not_end_a_poll },
	{ .name = "a wake from a signal handler ends a poll",
	  .test = a_wake_from_a_signal_handler_ends_a_poll },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("poll_signals", argv, table, COUNT_OF(table));
}
