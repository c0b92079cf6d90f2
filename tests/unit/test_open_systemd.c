/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints over fds that systemd passed by name. */
#include <errno.h>
#include <stdlib.h>

#include "open_bed.h"

/* The pair's first fd is the last one of those passed. */
static void pass_by_name(int fd)
{
	char names[256] = "", text[16];

	for (int i = 3; i < fd; i++)
		strcat(names, "web:");
	strcat(names, "link:more");
	setenv("LISTEN_FDNAMES", names, 1);
	snprintf(text, sizeof(text), "%d", fd - 2);
	setenv("LISTEN_FDS", text, 1);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
}

static void fds_of_systemd(void **state)
{
	struct fdl_info info;
	int sv[2];

	(void)state;
	expect_refused("fd:link", -ENOENT, "no fds were passed");
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sv),
			 0);
	pass_by_name(sv[0]);
	expect_probe("fd:link", &info);
	assert_int_equal(info.kind, FDL_KIND_DGRAM);
	expect_refused("fd:lin", -ENOENT, "link:more");
	expect_refused("fd:more", -ENOENT, "no fd was passed under that name");
	setenv("LISTEN_PID", "1", 1);
	expect_refused("fd:link", -ENOENT, "no fds were passed");
	pass_by_name(sv[0]);
	unsetenv("LISTEN_FDNAMES");
	expect_refused("fd:link", -ENOENT, "which is not set");
	setenv("LISTEN_FDS", "x", 1);
	expect_refused("fd:link", -ENOENT, "no fds were passed");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	close(sv[0]);
	close(sv[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fds_of_systemd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
