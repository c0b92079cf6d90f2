/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One system call per packet: read(2) on a TUN or TAP, recv(2) on a socket, or
 * recvmsg(2) where it tells more of a packet than its bytes. Into one contiguous
 * slot: more pieces only cost.
 */
#include "io/io.h"

#include <errno.h>
#include <stdlib.h>

#include "io/message.h"
#include "io/notes.h"
#include "io/spill.h"
#include "os.h"

static int readv_open(struct io *io, const struct fdl_options *opts)
{
	struct spill *spill;

	if (!io->notes)
		return 0;
	spill = calloc(1, sizeof(*spill));
	if (!spill)
		return -ENOMEM;
	if (io->auxdata)
		spill_open(spill, opts->batch, opts);
	io->state = spill;
	return 0;
}

static void readv_close(struct io *io)
{
	if (io->state)
		spill_close(io->state);
	free(io->state);
	io->state = NULL;
}

static ssize_t read_noted(struct io *io, struct io_frame *f, unsigned i,
			  struct iovec room)
{
	struct spill *spill = io->state;
	struct iovec pieces[2] = { room, spill_room(spill, i) };
	struct mmsghdr msg = { .msg_hdr = {
				       .msg_iov = pieces,
				       .msg_iovlen = spill_is_on(spill) ? 2 : 1,
			       } };
	struct notes notes;
	ssize_t r;

	notes_listen(io, &msg.msg_hdr, &notes);
	r = os_recvmsg(io->fd, &msg.msg_hdr, MSG_DONTWAIT | MSG_TRUNC);
	if (r < 0)
		return r;
	msg.msg_len = (unsigned)r;
	message_fill(io, f, (size_t)r);
	/* The notes tell of bytes that did not come, too. */
	if (msg.msg_hdr.msg_iovlen == 2)
		spill_give(spill, f, i);
	notes_read(io, &msg, &notes, f, 1);
	spill_note(spill, 1, (size_t)r);
	return r;
}

static ssize_t read_one(struct io *io, struct io_frame *f, unsigned i)
{
	struct iovec room = message_room(io, f->pkt);
	ssize_t r;

	if (io->notes)
		return read_noted(io, f, i, room);
	if (!io->socket)
		r = io_read_device(io, &room);
	else	/* With MSG_TRUNC r is the message's real length. */
		r = os_recv(io->fd, room.iov_base, room.iov_len,
			    MSG_DONTWAIT | MSG_TRUNC);
	if (r >= 0)
		message_fill(io, f, (size_t)r);
	return r;
}

/* What it says behind a message is told beside: it says so only once, and a
 * packet may be lost by it. */
static int stop(struct io *io, int got, int err)
{
	if (got == 0)
		return err;
	if (err != -EAGAIN)
		io->error = err;
	return got;
}

static int readv_recv(struct io *io, struct io_frame f[], int n, int fresh)
{
	ssize_t r;
	int i;

	(void)fresh;
	for (i = 0; i < n; i++) {
		r = read_one(io, &f[i], (unsigned)i);
		if (r < 0)
			return stop(io, i, (int)r);
		if (r == 0)
			return i + 1;
	}
	return n;
}

const struct io_ops io_readv = {
	.mode = FDL_MODE_READV,
	.name = "readv",
	.one_by_one = true,
	.headers = IO_HEADERS_OF_NOTES,
	.not_served = "its packets are not read one by one",
	.open = readv_open,
	.close = readv_close,
	.recv = readv_recv,
};
