/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forward packets between two links, for a program that knows nothing of
 * offloads: each packet it sees is complete and no longer than the MTU. Both
 * links still get and give super-packets, because the library cuts what comes
 * and merges what is written until fdl_flush().
 *
 *	forward tap:tap0 tap:tap1
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <fdlink/open.h>

enum { BATCH = 64 };

static void say(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	fprintf(stderr, "%s\n", msg);
}

/* What finds no room is dropped, and counted. Returns 0, or why the link that
 * is received from has ended. */
static int forward(struct fdl_queue *from, struct fdl_queue *to)
{
	struct fdl_packet *v[BATCH];
	struct iovec iov;
	int i, n;

	n = fdl_recv(from, v, BATCH);
	for (i = 0; i < n; i++) {
		iov = (struct iovec){ v[i]->data, v[i]->len };
		fdl_write(to, &iov, 1, NULL);
	}
	if (n > 0) {
		fdl_flush(to);
		fdl_release(v, n);
	}
	return n < 0 && n != -ENOBUFS ? n : 0;
}

int main(int argc, char **argv)
{
	struct fdl_options options = {
		.size = sizeof(options),
		.flags = FDL_COALESCE,
		.log = say,
	};
	struct pollfd pfd[2] = { { .events = POLLIN }, { .events = POLLIN } };
	struct fdl_endpoint *ep[2];
	int i, err = 0;

	if (argc != 3)
		return fprintf(stderr, "usage: forward LOCATOR LOCATOR\n"), 2;
	for (i = 0; i < 2; i++) {
		if (fdl_open(&ep[i], argv[1 + i], &options) < 0)
			return 1;
		pfd[i].fd = fdl_fd(ep[i]);
	}
	while (!err && (poll(pfd, 2, -1) >= 0 || errno == EINTR)) {
		for (i = 0; i < 2 && !err; i++) {
			if (pfd[i].revents)
				err = forward(fdl_get_queue(ep[i], 0),
					      fdl_get_queue(ep[!i], 0));
		}
	}
	fprintf(stderr, "forward: a link has ended: %s\n", strerror(-err));
	return 1;
}
