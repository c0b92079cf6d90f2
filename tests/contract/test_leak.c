/* SPDX-License-Identifier: Apache-2.0 */
/* Create, attach, detach, free: thousands of times, and nothing is left. */
#include <limits.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <fdlink/attach.h>

#include "contract.h"
#include "netns.h"
#include "sanitized.h"
#include "usage.h"

enum {
	CYCLES = SANITIZED ? 300 : 10000,
	WARM_UP = 20,
	SLACK_MAPS = 4,			/* a stack that the C library keeps */
	SLACK_BYTES = 64 << 10,
};

struct usage {
	unsigned fds, threads, maps;
	size_t bytes;
};

/* A joined thread is listed for a moment after its end: wait till there are no
 * more than so many. */
static unsigned count_threads(unsigned most)
{
	const long long end = netns_now_ms() + WAIT_MS;
	unsigned n = usage_entries("/proc/self/task");

	while (n > most && netns_now_ms() < end)
		n = usage_entries("/proc/self/task");
	return n;
}

/* Other libcs do not tell. */
static size_t allocated(void)
{
#ifdef __GLIBC__
	return mallinfo2().uordblks;
#else
	return 0;
#endif
}

static struct usage use(unsigned most_threads)
{
	return (struct usage){
		.fds = usage_entries("/proc/self/fd"),
		.threads = count_threads(most_threads),
		.maps = usage_maps(),
		.bytes = allocated(),
	};
}

static int keep_none(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		     int n)
{
	(void)ctx;
	(void)q;
	(void)v;
	(void)n;
	return 0;
}

static void cycle(struct link *l, unsigned n)
{
	const struct fdl_dispatcher d = { .deliver = keep_none };
	struct fdl_packet *held;
	unsigned i;

	for (i = 0; i < n; i++) {
		assert_int_equal(link_endpoint(l, FDL_MODE_AUTO, NULL), 0);
		assert_int_equal(fdl_attach(l->ep, &d), 0);
		if (i % 4 == 0)
			assert_int_equal(fdl_want_write(l->q, true), 0);
		assert_int_equal(fdl_alloc(l->q, &held, 1), 1);
		if (i % 2 == 0)
			assert_int_equal(fdl_detach(l->ep), 0);
		fdl_endpoint_free(l->ep);
		l->ep = NULL;
		fdl_release(&held, 1);
	}
}

static void leave_nothing(struct link *l, unsigned n)
{
	struct usage before, after;

	l->uncounted = true;
	fdl_endpoint_free(l->ep);
	l->ep = NULL;
	cycle(l, WARM_UP);
	before = use(UINT_MAX);
	cycle(l, n);
	after = use(before.threads);
	assert_int_equal(after.fds, before.fds);
	assert_in_range(after.threads, 1, before.threads);
	assert_in_range(after.maps, 1, before.maps + SLACK_MAPS);
	assert_in_range(after.bytes, 0, before.bytes + SLACK_BYTES);
}

static void cycles_leave_nothing(struct link *l)
{
	leave_nothing(l, CYCLES);
}

/* Setting up a device's endpoint takes netlink, and longer. */
static void fewer_cycles_leave_nothing(struct link *l)
{
	leave_nothing(l, CYCLES / 10);
}

static const struct expectation table[] = {
	{ .name = "10,000 cycles leave nothing",
	  .test = cycles_leave_nothing,
	  .needs = LINK_EOF | LINK_IP },
	{ .name = "1,000 cycles leave nothing",
	  .test = fewer_cycles_leave_nothing,
	  .not_on = LINK_EOF },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("leak", argv, table, COUNT_OF(table));
}
