/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"

enum {
	REPORT = 16384,		/* bytes; the longest report has fewer */
	LAST_MS = 1000,
	PAUSE_MS = 10,
};

/* A pipe is writable when it has room for a part. Each page of it may be filled
 * in part: count half of them. */
static bool pipe_has_room(int size)
{
	int queued = 0;

	if (ioctl(STDOUT_FILENO, FIONREAD, &queued) < 0)
		return true;
	return !queued || size / 2 - queued >= REPORT;
}

bool output_has_room(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	const int size = fcntl(STDOUT_FILENO, F_GETPIPE_SZ);

	if (poll(&out, 1, 0) != 1)
		return false;
	/* Writing tells of an error. */
	return size < 0 || out.revents != POLLOUT || pipe_has_room(size);
}

bool output_await_room(void)
{
	unsigned waited;

	for (waited = 0; !output_has_room(); waited += PAUSE_MS) {
		if (waited >= LAST_MS)
			break;
		poll(NULL, 0, PAUSE_MS);
	}
	if (waited < LAST_MS)
		return true;
	cli_say("nobody reads standard output: the last counters are lost: "
		"send it to where it is read");
	return false;
}
