/* SPDX-License-Identifier: Apache-2.0 */
/* An attached endpoint over a socket pair, and nothing to do for it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fdlink/attach.h>

static int keep_none(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		     int n)
{
	(void)ctx;
	(void)q;
	(void)v;
	(void)n;
	return 0;
}

int main(void)
{
	const struct fdl_dispatcher d = { .deliver = keep_none };
	struct fdl_endpoint *ep;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) < 0 ||
	    fdl_endpoint_new(&ep, fds, 1, NULL) || fdl_attach(ep, &d))
		return EXIT_FAILURE;
	puts("attached");
	fflush(stdout);
	pause();
	return EXIT_SUCCESS;
}
