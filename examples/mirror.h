/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Send each packet of a link back to where it came from: what mirror_uv.c and
 * mirror_ev.c have in common, whatever the event loop. Nothing here waits, and
 * no packet is dropped for lack of room.
 */
#ifndef MIRROR_H
#define MIRROR_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fdlink/open.h>

enum { POOL = 256 };

struct mirror {
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	struct fdl_packet *held[POOL + 1];
	int n;
};

static inline void say(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	fprintf(stderr, "%s\n", msg);
}

/* Returns the fd to watch, or a negative errno. */
static inline int mirror_open(struct mirror *m, const char *locator)
{
	struct fdl_options options = {
		.size = sizeof(options),
		.pool = POOL,
		.log = say,
	};
	int err = fdl_open(&m->ep, locator, &options);

	if (err < 0)
		return err;
	m->q = fdl_get_queue(m->ep, 0);
	return fdl_queue_fd(m->q);
}

/* What to do when that fd is readable. Returns 0, or why the link has
 * ended. */
static inline int mirror_turn(struct mirror *m)
{
	int got, sent, i;

	/* -ENOBUFS: all of the pool is held. From now on the fd tells of room
	 * only, and the peer waits, or loses packets. */
	got = fdl_recv(m->q, m->held + m->n, POOL + 1 - m->n);
	if (got < 0 && got != -ENOBUFS)
		return got;
	m->n += got > 0 ? got : 0;
	sent = fdl_send(m->q, m->held, m->n);
	if (sent < 0)
		return sent;
	m->n -= sent;
	for (i = 0; i < m->n; i++)
		m->held[i] = m->held[i + sent];
	/* A stream may have sent half of its last packet. */
	return fdl_want_write(m->q, m->n > 0 || fdl_flush(m->q) == -EAGAIN);
}

static inline void mirror_close(struct mirror *m)
{
	fdl_release(m->held, m->n);
	fdl_endpoint_free(m->ep);
}

#endif
