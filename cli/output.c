/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	REPORT = 16384,		/* bytes; the longest report has fewer */
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

bool output_await_room(unsigned ms)
{
	unsigned waited;

	for (waited = 0; !output_has_room(); waited += PAUSE_MS) {
		if (waited >= ms)
			return false;
		poll(NULL, 0, PAUSE_MS);
	}
	return true;
}
