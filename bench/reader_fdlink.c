/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdlink in one of its modes, driven by fdl_queue_poll. On a device it opens
 * the link itself, as not every mode takes a caller's socket.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <fdlink/open.h>

#include "reader.h"

enum { BATCH = 64 };

static enum fdl_mode find_mode(const char *name)
{
	const char *known;
	int mode;

	for (mode = 0; (known = fdl_mode_name((enum fdl_mode)mode)); mode++) {
		if (!strcmp(known, name))
			return (enum fdl_mode)mode;
	}
	bench_die(name, EINVAL);
}

static bool any(const struct bench_link *link)
{
	(void)link;
	return true;
}

static void log_line(void *ctx, int level, const char *msg)
{
	(void)ctx;
	if (level <= FDL_LOG_WARNING)
		fprintf(stderr, "bench: %s\n", msg);
}

static int open_link(struct fdl_endpoint **ep, const struct bench_link *link,
		     const struct fdl_options *options)
{
	if (link->fd >= 0)
		return fdl_endpoint_new(ep, &link->fd, 1, options);
	return fdl_open(ep, link->locator, options);
}

static void open_fdlink(struct reader *r)
{
	struct fdl_options options = {
		.size = sizeof(options),
		.flags = FDL_ETHERNET | FDL_NO_METADATA,
		.mode = find_mode(r->mode),
		.address = { BENCH_ADDRESS },
		.log = log_line,
	};
	struct fdl_endpoint *ep;
	int rc;

	/* As large as the rings it is beside; other modes know best. */
	if (options.mode == FDL_MODE_PACKET_MMAP)
		options.ring_bytes = BENCH_BUFFER;
	rc = open_link(&ep, r->link, &options);
	if (rc < 0)
		bench_die(r->mode, -rc);
	r->state = fdl_get_queue(ep, 0);
}

static int step_fdlink(struct reader *r)
{
	struct fdl_packet *v[BATCH];
	int i, n;

	n = fdl_recv(r->state, v, BATCH);
	if (n < 0)
		bench_die("fdl_recv", -n);
	for (i = 0; i < n; i++)
		bench_got(r->shared, v[i]->data);
	fdl_release(v, n);
	return n;
}

static void wait_fdlink(struct reader *r)
{
	fdl_queue_poll(r->state, -1);
}

const struct reader_ops reader_fdlink = {
	.name = "fdlink",
	.fits = any,
	.opens = true,
	.open = open_fdlink,
	.step = step_fdlink,
	.wait = wait_fdlink,
};
