/* SPDX-License-Identifier: Apache-2.0 */
#include "watch_bed.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "netns.h"

struct fdl_link state_of(struct link *l)
{
	struct fdl_link state;

	assert_int_equal(fdl_link_state(l->ep, &state, sizeof(state)), 0);
	return state;
}

struct fdl_link expect_change(struct link *l, uint64_t *changes)
{
	struct fdl_packet *pkt;
	struct fdl_link state;

	assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
	assert_true(fd_readable(fdl_fd(l->ep), 0));
	assert_int_equal(fdl_queue_poll(l->q, 0), FDL_READABLE);
	assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	expect_quiet(l);
	state = state_of(l);
	assert_true(state.changes > *changes);
	*changes = state.changes;
	return state;
}

void expect_ended(struct link *l)
{
	struct fdl_packet *pkt;
	struct fdl_link state;
	int i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(fdl_recv(l->q, &pkt, 1), -ENODEV);
		assert_int_equal(fdl_queue_poll(l->q, 0), -ENODEV);
	}
	assert_false(fd_readable(fdl_queue_fd(l->q), 0));
	assert_false(fd_readable(fdl_fd(l->ep), 0));
	assert_int_equal(fdl_link_state(l->ep, &state, sizeof(state)), -ENODEV);
}

pid_t start_elsewhere(void)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) || write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	/* No device there sends anything of itself. */
	netns_command("nsenter -t %d -n sh -c 'cd /proc/sys/net/ipv6/conf && "
		      "echo 1 > default/disable_ipv6'",
		      (int)pid);
	return pid;
}

void stop_elsewhere(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}
