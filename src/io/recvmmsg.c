/* SPDX-License-Identifier: Apache-2.0 */
/* A batch per system call, recvmmsg(2), on any socket. */
#include <errno.h>
#include <stdlib.h>

#include "io/io.h"
#include "io/message.h"
#include "io/notes.h"
#include "os.h"

struct state {
	int known;		/* slot[0..known) hold an earlier call's room */
	struct mmsghdr *msg;
	struct iovec *room;
	struct notes *notes;	/* NULL: none are read */
};

static void recvmmsg_close(struct io *io)
{
	struct state *st = io->state;

	if (!st)
		return;
	free(st->notes);
	free(st->room);
	free(st->msg);
	free(st);
	io->state = NULL;
}

static int recvmmsg_open(struct io *io, const struct fdl_options *opts)
{
	const uint32_t batch = opts->batch;
	struct state *st = calloc(1, sizeof(*st));
	uint32_t i;

	io->state = st;
	if (!st)
		return -ENOMEM;
	st->msg = calloc(batch, sizeof(*st->msg));
	st->room = calloc(batch, sizeof(*st->room));
	if (io->notes)
		st->notes = calloc(batch, sizeof(*st->notes));
	if (!st->msg || !st->room || (io->notes && !st->notes)) {
		recvmmsg_close(io);
		return -ENOMEM;
	}
	for (i = 0; i < batch; i++) {
		st->msg[i].msg_hdr.msg_iov = &st->room[i];
		st->msg[i].msg_hdr.msg_iovlen = 1;
		if (st->notes)
			notes_listen(io, &st->msg[i].msg_hdr, &st->notes[i]);
	}
	return 0;
}

static void make_room(const struct io *io, struct io_frame f[], int from,
		      int to)
{
	struct iovec *const room = ((struct state *)io->state)->room;
	const struct pool_place place = io->pool->place;
	const unsigned hdr_len = io->vnet_hdr_len;
	int i;

	for (i = from; i < to; i++)
		room[i] = message_room_at(&place, hdr_len, f[i].pkt);
}

static void prepare(const struct io *io, struct io_frame f[], int n, int fresh)
{
	struct state *st = io->state;

	make_room(io, f, 0, fresh < n ? fresh : n);
	if (st->known < n)
		make_room(io, f, st->known, n);
	/* Fresh slots that this call does not use have no room noted either. */
	if (fresh > n || st->known < n)
		st->known = n;
}

static void finish(struct io *io, struct io_frame f[], int n)
{
	const struct state *st = io->state;
	struct mmsghdr *msg = st->msg;
	int i;

	for (i = 0; i < n; i++)
		message_fill(io, &f[i], msg[i].msg_len);
	if (st->notes)
		notes_read(io, msg, st->notes, f, n);
}

static int recvmmsg_recv(struct io *io, struct io_frame f[], int n, int fresh)
{
	struct state *st = io->state;
	int got;

	prepare(io, f, n, fresh);
	got = os_recvmmsg(io->fd, st->msg, (unsigned)n,
			  MSG_DONTWAIT | MSG_TRUNC);
	if (got > 0)
		finish(io, f, got);
	return got;
}

const struct io_ops io_recvmmsg = {
	.mode = FDL_MODE_RECVMMSG,
	.name = "recvmmsg",
	.headers = IO_HEADERS,
	.not_served = "it is no socket that keeps packet boundaries",
	.open = recvmmsg_open,
	.close = recvmmsg_close,
	.recv = recvmmsg_recv,
};
