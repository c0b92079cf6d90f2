/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One system call per packet: read(2) on a TUN or TAP, recv(2) on a socket, or
 * recvmsg(2) where it tells more of a packet than its bytes. Into one
 * contiguous slot: more pieces only cost.
 */
#include "io/io.h"

#include <errno.h>

#include "io/message.h"
#include "io/notes.h"
#include "os.h"

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

static int recv_noted(struct io *io, struct io_frame f[], int n)
{
	struct iovec room;
	struct mmsghdr msg = { .msg_hdr = { .msg_iov = &room,
					    .msg_iovlen = 1 } };
	struct notes notes;
	ssize_t r;
	int i;

	notes_listen(io, &msg.msg_hdr, &notes);
	for (i = 0; i < n; i++) {
		room = message_room(io, f[i].pkt);
		r = os_recvmsg(io->fd, &msg.msg_hdr, MSG_DONTWAIT | MSG_TRUNC);
		if (r < 0)
			return stop(io, i, (int)r);
		msg.msg_len = (unsigned)r;
		message_fill(io, &f[i], (size_t)r);
		notes_read(io, &msg, &notes, &f[i], 1);
		if (r == 0)
			return i + 1;
	}
	return n;
}

static inline ssize_t read_one(struct io *io, struct iovec *room)
{
	if (!io->socket)
		return io_read_device(io, room);
	/* With MSG_TRUNC it is the message's real length. */
	return os_recv(io->fd, room->iov_base, room->iov_len,
		       MSG_DONTWAIT | MSG_TRUNC);
}

static int readv_recv(struct io *io, struct io_frame f[], int n, int fresh)
{
	struct iovec room;
	ssize_t r;
	int i;

	(void)fresh;
	if (io->notes)
		return recv_noted(io, f, n);
	for (i = 0; i < n; i++) {
		room = message_room(io, f[i].pkt);
		r = read_one(io, &room);
		if (r < 0)
			return stop(io, i, (int)r);
		message_fill(io, &f[i], (size_t)r);
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
	.recv = readv_recv,
};
