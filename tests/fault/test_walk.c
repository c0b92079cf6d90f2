/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For each kind of link and mode: every call that an endpoint makes in its life
 * fails in every way that the table knows, the first such call, the second and
 * so on; and, once it is open, again and again for a while. Whatever fails, the
 * endpoint is refused with that reason, or right, or has ended with one; it
 * leaves nothing behind, and does not spin.
 *
 *	fault_walk [NAME]	of the beds that match only; FAULT_WALK=all in
 *				the environment: every single call
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bed_lives.h"
#include "contract.h"
#include "fault.h"
#include "macvtap.h"
#include "netns.h"
#include "table.h"
#include "trip.h"
#include "usage.h"

enum {
	MOST_BEDS = 60,
	MOST_WRONG = 20,	/* are told of, each */
	MORE_CALLS = 4,		/* times as many as without a fault: it spins */
	EVER = 1000000,
	MOST_TIMES = 300,	/* that one call is made */
};

/* What there was before an endpoint. */
struct before {
	unsigned fds;
	struct fault_usage usage;
};

struct walk {
	struct bed bed;
	struct trip trip;
	struct fault_trace trace;	/* of a life without a fault */
	unsigned long calls;		/* in it */
	size_t opened;			/* of trace, before it was open */
	unsigned runs, hits, wrong;
};

static struct walk walk;

static void look_before(struct before *was)
{
	was->fds = usage_entries("/proc/self/fd");
	was->usage = fault_usage();
}

static void complain(const struct fault_row *row, unsigned nth, int err,
		     const char *what)
{
	const char *how = err & FAULT_SHORT   ? "does less" :
			  err & FAULT_NOTHING ? "does nothing" :
			  err & FAULT_READY   ? "is ready for nothing" :
						strerror(err & FAULT_ERRNO);

	if (walk.wrong++ < MOST_WRONG)
		print_error("%s: %s (%#x) number %u, %s: %s\n",
			    walk.bed.kind->name,
			    row ? fault_name(row->what) : "no call",
			    row ? row->on : 0, nth, row ? how : "", what);
}

/* What must not be left. Returns NULL: nothing is. */
static const char *left_behind(const struct before *was)
{
	const struct bed *b = &walk.bed;
	const struct fault_usage now = fault_usage();

	if (usage_entries("/proc/self/fd") != was->fds)
		return "an fd is left";
	if (now.blocks != was->usage.blocks)
		return "memory is left";
	if (now.bytes != was->usage.bytes)
		return "a mapping is left";
	if (now.threads != was->usage.threads)
		return "a thread is left";
	if (now.wrong != was->usage.wrong)
		return "an fd was closed twice";
	if (b->kind->binds && !access(b->path, F_OK) &&
	    fault_last() != FAULT_UNLINK && fault_last() != FAULT_FILE)
		return "the socket's file is left";
	return NULL;
}

static bool is_excess(unsigned long calls)
{
	return walk.calls && calls > walk.calls * MORE_CALLS + 200;
}

/* One life, in which the call fails the nth time that it is made, or from then
 * on. */
static void run(const struct fault_row *row, unsigned nth, int err,
		bool lasting)
{
	struct trip *t = &walk.trip;
	struct before was;
	const char *left;

	look_before(&was);
	if (row)
		fault_set_on(row->what, row->on, nth, lasting ? EVER : 1, err);
	trip_make(t, &walk.bed, err, lasting);
	walk.hits += fault_clear();
	bed_rest(&walk.bed);
	left = left_behind(&was);
	if (walk.bed.kind->binds)
		unlink(walk.bed.path);
	if (*t->wrong)
		complain(row, nth, err, t->wrong);
	else if (left)
		complain(row, nth, err, left);
	else if (t->passed && !walk.bed.kind->forgiving &&
		 !fault_is_harmless(row, err))
		complain(row, nth, err, "an endpoint is made all the same");
	else if (is_excess(fault_usage().calls - was.usage.calls))
		complain(row, nth, err, "it spins");
	if (!walk.calls)
		walk.calls = fault_usage().calls - was.usage.calls;
	walk.runs++;
}

/* The first one warms the C library up. */
static bool run_without_fault(void)
{
	run(NULL, 0, 0, false);
	walk.calls = 0;
	fault_trace(&walk.trace);
	run(NULL, 0, 0, false);
	fault_trace(NULL);
	walk.opened = walk.trip.opened;
	return walk.wrong == 0;
}

/* A call that the table does not know would never fail here. */
static void expect_rows(void)
{
	char text[80];
	size_t i;

	for (i = 0; i < walk.trace.n; i++) {
		const struct fault_note *call = &walk.trace.call[i];

		if (fault_row(call->what, call->on))
			continue;
		snprintf(text, sizeof(text), "%s (%#x) has no row in the table",
			 fault_name(call->what), call->on);
		complain(NULL, 0, 0, text);
	}
}

/* Of the first so many calls of that life. */
static unsigned times_until(const struct fault_row *row, size_t end)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < end; i++)
		n += walk.trace.call[i].what == row->what &&
		     (row->on == ON_ANY || walk.trace.call[i].on == row->on);
	return n < MOST_TIMES ? n : MOST_TIMES;
}

static unsigned times(const struct fault_row *row)
{
	return times_until(row, walk.trace.n);
}

static unsigned errors(const struct fault_row *row)
{
	unsigned n = 0;

	while (n < MOST_ERRORS && row->err[n])
		n++;
	return n;
}

static unsigned count_runs(void)
{
	const struct fault_row *row;
	unsigned n = 0;

	for (row = fault_table; row->what != FAULTS; row++)
		n += times(row) * errors(row);
	return n;
}

static bool is_lack(int err)
{
	static const int lacks[] = { EMFILE, ENFILE, ENOMEM, ENOBUFS, EBUSY };
	size_t i = 0;

	while (i < COUNT_OF(lacks) && err != lacks[i])
		i++;
	return i < COUNT_OF(lacks);
}

/* A TAP tells its reader so when the device has gone. If it has not, its own
 * file is what keeps the device from being opened anew. */
static bool is_lie(const struct fault_row *row, int err)
{
	if (walk.bed.kind->lacking && !is_lack(err))
		return true;
	err &= FAULT_ERRNO;
	return walk.bed.kind->part == part_device && row->what == FAULT_READ &&
	       row->on == ON_TUN && (err == EBADFD || err == EFAULT);
}

/* The k-th of n runs of a row: its calls in turn, each time by another error;
 * where there are fewer runs than calls, some of them. */
static void walk_one(const struct fault_row *row, unsigned k, unsigned n)
{
	const unsigned calls = times(row), errs = errors(row);
	unsigned nth;
	int err;

	if (calls == 0 || errs == 0)
		return;
	nth = n < calls ? k * calls / n : k % calls;
	err = row->err[(k / calls + nth) % errs];
	if (!is_lie(row, err))
		run(row, nth + 1, err, false);
}

static void walk_row(const struct fault_row *row, unsigned stride)
{
	const unsigned n = (times(row) * errors(row) + stride - 1) / stride;
	unsigned k;

	for (k = 0; k < n; k++)
		walk_one(row, k, n);
}

/* A lie that lasts would be the kernel's fault, and a socket tells a pending
 * error once. */
static bool may_last(const struct fault_row *row, int err)
{
	switch (row->what) {
	case FAULT_POLL:
	case FAULT_EPOLL_WAIT:
	case FAULT_RECV:
	case FAULT_RECVMSG:
	case FAULT_RECVMMSG:
		return false;
	case FAULT_READ:
		return err < FAULT_ERRNO && err != EAGAIN;
	default:
		return err < FAULT_ERRNO;
	}
}

/* From the first call on that an open endpoint makes. */
static void walk_lasting(const struct fault_row *row, bool whole)
{
	const unsigned before = times_until(row, walk.opened);
	unsigned i;

	if (times(row) == before)
		return;
	for (i = 0; i < errors(row) && (whole || i == 0); i++)
		if (may_last(row, row->err[i]) && !is_lie(row, row->err[i]))
			run(row, before + 1, row->err[i], true);
}

static void walk_all(void)
{
	const bool whole = getenv("FAULT_WALK");
	const unsigned most = walk.bed.kind->most;
	const struct fault_row *row;
	unsigned stride = 1;

	if (!whole && count_runs() > most)
		stride = count_runs() / most + 1;
	for (row = fault_table; row->what != FAULTS; row++)
		if (times(row))
			walk_row(row, stride);
	for (row = fault_table; row->what != FAULTS; row++)
		walk_lasting(row, whole);
}

static void no_fault_breaks_it(void **state)
{
	const struct bed_kind *kind = *state;
	const long long start = netns_now_ms();

	walk = (struct walk){ .runs = 0 };
	if (bed_make(&walk.bed, kind) < 0)
		skip();
	if (run_without_fault()) {
		expect_rows();
		walk_all();
	}
	bed_free(&walk.bed);
	print_message("%s: %u runs of %u, %u calls failed, in %lld ms\n",
		      kind->name, walk.runs, count_runs(), walk.hits,
		      netns_now_ms() - start);
	assert_int_equal(walk.wrong, 0);
}

int main(int argc, char *argv[])
{
	struct CMUnitTest tests[MOST_BEDS];
	const struct bed_kind *kind;
	size_t n = 0;

	(void)argc;
	netns_enter(argv);
	macvtap_see_own();
	if (argv[1])
		cmocka_set_test_filter(argv[1]);
	for (kind = bed_kinds; kind->name; kind++)
		tests[n++] = (struct CMUnitTest){
			.name = kind->name,
			.test_func = no_fault_breaks_it,
			.initial_state = (void *)(uintptr_t)kind,
		};
	return _cmocka_run_group_tests("walk", tests, n, NULL, NULL) ?
		       EXIT_FAILURE :
		       EXIT_SUCCESS;
}
