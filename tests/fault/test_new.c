/* SPDX-License-Identifier: Apache-2.0 */
/* Whichever call lacks a descriptor, a failed fdl_endpoint_new leaves nothing,
 * and says how many it needs. What else may fail is walked by test_walk.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "contract.h"
#include "fault.h"
#include "netns.h"
#include "usage.h"

enum { MOST_CALLS = 200 };

/* Memory and threads: a pool that was forgotten is megabytes of it. */
static void expect_held(const struct fault_usage *wanted)
{
	const struct fault_usage now = fault_usage();

	assert_int_equal(now.blocks, wanted->blocks);
	assert_int_equal(now.bytes, wanted->bytes);
	assert_int_equal(now.threads, wanted->threads);
	assert_int_equal(now.wrong, 0);
}

/* Some failures do no harm: an endpoint without the kernel's own counters is
 * one that says so. A call that fails with the errno it was given is the rule,
 * and where memory lacks there is one only. */
static bool is_right_errno(int result, int err)
{
	const bool memory = fault_last() == FAULT_MAP ||
			    fault_last() == FAULT_MALLOC;

	return result == -err || result == -ENODEV || result == -EPROTOTYPE ||
	       (memory && result == -ENOMEM);
}

/* What was said of a failure. */
static struct {
	unsigned lines;
	char text[256];
} said;

static void note_error(void *ctx, int level, const char *msg)
{
	(void)ctx;
	if (level != FDL_LOG_ERR)
		return;
	said.lines++;
	snprintf(said.text, sizeof(said.text), "%s", msg);
}

/* Whichever call it was that lacked a descriptor. */
static void expect_said(int err)
{
	const char *words = err == -EMFILE ? "(RLIMIT_NOFILE)" :
					     "(fs.file-max)";

	assert_int_equal(said.lines, 1);
	if (err != -EMFILE && err != -ENFILE)
		return;
	if (!strstr(said.text, words) || !strstr(said.text, "needs up to "))
		print_error("said: %s", said.text);
	assert_non_null(strstr(said.text, words));
	assert_non_null(strstr(said.text, "needs up to "));
}

static int make(struct link *l, struct fdl_endpoint **ep)
{
	struct fdl_options opts = { .size = sizeof(opts),
				    .flags = l->kind->flags,
				    .log = note_error };
	char locator[40];

	if (l->kind->traits & LINK_NAMED)
		return fdl_open(ep, l->locator, &opts);
	if (!(l->kind->traits & LINK_OPENED))
		return fdl_endpoint_new(ep, &l->fd, 1, &opts);
	opts.mode = FDL_MODE_ADAPTIVE;
	snprintf(locator, sizeof(locator), "packet:%s,queues=2", l->dev);
	return fdl_open(ep, locator, &opts);
}

/* With the nth call failing. Returns false when there were fewer calls. */
static bool try_with_fault(struct link *l, unsigned nth, int err)
{
	struct fdl_endpoint *const untouched = (struct fdl_endpoint *)l;
	struct fdl_endpoint *ep = untouched;
	const int flags = fcntl(l->fd, F_GETFL);
	bool hit;
	int r;

	fault_set(FAULT_ANY, nth, 1, err);
	said.lines = 0;
	r = make(l, &ep);
	hit = fault_clear();
	if (r == 0) {
		assert_ptr_not_equal(ep, untouched);
		fdl_endpoint_free(ep);
	} else {
		assert_true(hit);
		assert_ptr_equal(ep, untouched);
		assert_true(is_right_errno(r, err));
		if (r == -err)
			expect_said(r);
	}
	if (!hit || fault_last() != FAULT_SET_FLAGS)
		assert_int_equal(fcntl(l->fd, F_GETFL), flags);
	return hit;
}

static void every_call_may_fail(const struct link_kind *kind, int err)
{
	struct fault_usage usage;
	unsigned nth, fds;
	struct link l;

	if (link_make(&l, kind, 0) < 0)
		skip();
	assert_false(try_with_fault(&l, MOST_CALLS, err));
	fds = usage_entries("/proc/self/fd");
	usage = fault_usage();
	for (nth = 1; try_with_fault(&l, nth, err); nth++) {
		assert_true(nth < MOST_CALLS);
		assert_int_equal(usage_entries("/proc/self/fd"), fds);
		expect_held(&usage);
	}
	assert_true(nth > 5);
	link_free(&l);
}

static void no_failure_leaves_anything(void **state)
{
	static const int errs[] = { EMFILE, ENFILE };
	size_t i;

	for (i = 0; i < COUNT_OF(errs); i++)
		every_call_may_fail(*state, errs[i]);
}

/* Of the socket that the endpoint is over, before and after. */
enum {
	VERSION = TPACKET_V2,
	RESERVE = 40,
};

static int set_option(int fd, int name, int val)
{
	return setsockopt(fd, SOL_PACKET, name, &val, sizeof(val));
}

static int option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int val = -1;

	assert_int_equal(getsockopt(fd, SOL_PACKET, name, &val, &len), 0);
	return val;
}

/* The version can be set where there is no ring, and only there. */
static void expect_no_ring(int fd)
{
	assert_int_equal(option(fd, PACKET_VERSION), VERSION);
	assert_int_equal(option(fd, PACKET_RESERVE), RESERVE);
	assert_int_equal(set_option(fd, PACKET_VERSION, VERSION), 0);
}

static void no_ring_is_left(void **state)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .mode = FDL_MODE_PACKET_MMAP,
					  .flags = FDL_ETHERNET };
	const struct link_kind *kind = *state;
	struct fdl_endpoint *ep;
	unsigned nth, failed = 0;
	struct link l;
	bool hit;
	int r;

	if (link_make(&l, kind, 0) < 0)
		skip();
	assert_int_equal(set_option(l.fd, PACKET_VERSION, VERSION), 0);
	assert_int_equal(set_option(l.fd, PACKET_RESERVE, RESERVE), 0);
	for (nth = 1, hit = true; hit; nth++) {
		fault_set(FAULT_ANY, nth, 1, ENOMEM);
		r = fdl_endpoint_new(&ep, &l.fd, 1, &opts);
		hit = fault_clear();
		if (r == 0)
			fdl_endpoint_free(ep);
		failed += r < 0;
		expect_no_ring(l.fd);
	}
	assert_true(failed > 5);
	link_free(&l);
}

static int name_null(struct link *l)
{
	strcpy(l->locator, "null:");
	l->dev[0] = '\0';
	return 0;
}

static int name_pair(struct link *l)
{
	strcpy(l->locator, "pair:fault");
	l->dev[0] = '\0';
	return 0;
}

/* They need nobody at the other end. */
static const struct link_kind alone[] = {
	{ "null", LINK_NAMED, FDL_ETHERNET, name_null, NULL },
	{ "pair", LINK_NAMED, FDL_ETHERNET, name_pair, NULL },
};

static struct CMUnitTest test_of(const struct link_kind *kind)
{
	return (struct CMUnitTest){
		.name = kind->name,
		.test_func = no_failure_leaves_anything,
		.initial_state = (void *)(uintptr_t)kind,
	};
}

int main(int argc, char *argv[])
{
	struct CMUnitTest tests[16];
	const struct link_kind *kind;
	size_t n = 0;

	(void)argc;
	netns_enter(argv);
	for (kind = link_kinds; kind->name; kind++) {
		if (kind->traits & LINK_NAMED)
			continue;	/* each try would say hello */
		tests[n++] = test_of(kind);
		if (!strcmp(kind->name, "veth"))
			tests[n++] = (struct CMUnitTest){
				.name = "veth: no ring is left",
				.test_func = no_ring_is_left,
				.initial_state = (void *)(uintptr_t)kind,
			};
	}
	for (kind = alone; kind < alone + COUNT_OF(alone); kind++)
		tests[n++] = test_of(kind);
	return _cmocka_run_group_tests("new", tests, n, NULL, NULL) ?
		       EXIT_FAILURE :
		       EXIT_SUCCESS;
}
