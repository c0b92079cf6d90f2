/* SPDX-License-Identifier: Apache-2.0 */
/* Files that another process opens for one that gave its privileges up. */
#include <errno.h>
#include <sys/resource.h>

#include <fdlink/open.h>

#include "fd_common.h"
#include "opener.h"

static const struct fdl_options options = {
	.size = sizeof(options),
	.mode = FDL_MODE_ADAPTIVE,
};

enum {
	SOCKETS = 4,		/* of two queues in mode adaptive */
	STUCK_S = 30,
};

static void close_each(int fds[], int n)
{
	while (n > 0)
		close(fds[--n]);
}

/* Its answer may take longer than a wire waits at a time. */
static int ask(struct opener *opener, int fds[], unsigned n)
{
	int rc;

	alarm(STUCK_S);
	do
		rc = opener_ask(opener, true, fds, n);
	while (rc == -EAGAIN);
	alarm(0);
	return rc;
}

/* Only so many more files may be open. */
static void leave_room(unsigned fds, struct rlimit *before)
{
	const int next = dup(STDIN_FILENO);
	struct rlimit limit;

	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
	limit = *before;
	limit.rlim_cur = (rlim_t)next + fds;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void ask_without_room(struct opener *opener, unsigned fds)
{
	struct rlimit before;
	int taken[SOCKETS];

	leave_room(fds, &before);
	assert_int_equal(ask(opener, taken, SOCKETS), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void files_beyond_the_limit_do_not_come(void **state)
{
	struct opener *opener;
	int fds[SOCKETS], before;
	unsigned room;

	(void)state;
	assert_int_equal(opener_start(&opener, "packet:lo,queues=2", &options),
			 0);
	before = count_fds();
	for (room = 0; room < SOCKETS; room++)
		ask_without_room(opener, room);
	assert_int_equal(count_fds(), before);
	assert_int_equal(ask(opener, fds, SOCKETS), SOCKETS);
	close_each(fds, SOCKETS);
	opener_stop(opener);
}

static void no_more_come_than_there_is_room_for(void **state)
{
	int fds[SOCKETS] = { [SOCKETS - 1] = -1 }, before;
	struct opener *opener;

	(void)state;
	assert_int_equal(opener_start(&opener, "packet:lo,queues=2", &options),
			 0);
	before = count_fds();
	assert_int_equal(ask(opener, fds, SOCKETS - 1), -EMFILE);
	assert_int_equal(fds[SOCKETS - 1], -1);
	assert_int_equal(count_fds(), before);
	opener_stop(opener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_beyond_the_limit_do_not_come),
		cmocka_unit_test(no_more_come_than_there_is_room_for),
	};

	if (!have_network())
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
