/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mode readv on a stream: many frames in a read and in a write. What was read
 * lies in a buffer of our own, from which each frame is copied into its packet.
 * Of a message that was written in part, we know how much of it is still to
 * come.
 */
#include "io/stream.h"

#include <errno.h>
#include <string.h>

#include "io/message.h"
#include "os.h"
#include "proto/bytes.h"

enum {
	BUFFER = 1 << 18,
	SPACE = 1 << 17,	/* in it, at least, before a read */
	PREFIX = 4,
	MAX_PIECES = 1024,	/* IOV_MAX */
};

struct stream {
	size_t at, end;			/* buffer[at..end) is to be looked at */
	size_t most;			/* bytes that a packet holds */
	/* The send side's fd: io->fd or, if the file behind that may change at
	 * any time, a duplicate. So half of a message of one connection cannot
	 * go on another one. */
	int out;
	size_t owed;			/* bytes of a message that went in
					 * part, */
	unsigned prefix_at;		/* and where its prefix goes on */
	uint8_t partial[PREFIX];
	uint8_t prefix[IO_MAX_BATCH][PREFIX];
	struct iovec piece[MAX_PIECES];
	uint8_t buffer[BUFFER];
};

static int stream_open(struct io *io, const struct fdl_options *opts)
{
	struct stream *st = os_map(sizeof(*st));

	(void)opts;
	if (!st)
		return -ENOMEM;
	st->out = io->lasts ? os_dup(io->fd) : io->fd;
	if (st->out < 0) {
		const int err = st->out;

		os_unmap(st, sizeof(*st));
		return err;
	}
	st->prefix_at = PREFIX;
	io->state = st;
	io->framed = true;
	return 0;
}

static void stream_close(struct io *io)
{
	struct stream *st = io->state;

	if (st->out != io->fd)
		os_close(st->out);
	os_unmap(st, sizeof(*st));
	io->state = NULL;
}

static void stream_renew(struct io *io)
{
	struct stream *st = io->state;

	st->at = st->end = 0;
}

void stream_follow(struct io *io)
{
	struct stream *st = io->state;

	if (st->out != io->fd)
		os_dup_to(io->fd, st->out);
	st->owed = 0;
	st->prefix_at = PREFIX;
}

/* The next frame, its length as the peer said. False: not all of it is there,
 * and it may still be one. */
static bool next_frame(const struct stream *st, const uint8_t **frame,
		       size_t *len)
{
	const size_t have = st->end - st->at;

	if (have < PREFIX)
		return false;
	*frame = st->buffer + st->at + PREFIX;
	*len = get_be32(st->buffer + st->at);
	return *len <= have - PREFIX || *len > st->most;
}

/* Returns how many frames were in the buffer, or -EMSGSIZE: the next one is too
 * long for any packet, and what follows it cannot be found. */
static int take_frames(struct io *io, struct io_frame f[], int n)
{
	struct stream *st = io->state;
	const uint8_t *frame;
	struct iovec room;
	size_t len;
	int k;

	for (k = 0; k < n; k++) {
		room = message_room(io, f[k].pkt);
		st->most = room.iov_len;
		if (!next_frame(st, &frame, &len))
			break;
		if (len > room.iov_len)
			return k ? k : -EMSGSIZE;
		memcpy(room.iov_base, frame, len);
		message_fill(io, &f[k], len);
		st->at += PREFIX + len;
	}
	return k;
}

/* Returns 0, or why nothing could be read. */
static int fill(struct io *io)
{
	struct stream *st = io->state;
	ssize_t r;

	if (st->at == st->end || BUFFER - st->end < SPACE) {
		memmove(st->buffer, st->buffer + st->at, st->end - st->at);
		st->end -= st->at;
		st->at = 0;
	}
	r = os_recv(io->fd, st->buffer + st->end, BUFFER - st->end,
		    MSG_DONTWAIT);
	if (r < 0)
		return (int)r;
	st->end += (size_t)r;
	return r ? 0 : -EPIPE;
}

static int stream_recv(struct io *io, struct io_frame f[], int n, int fresh)
{
	int got = take_frames(io, f, n), err;

	(void)fresh;
	if (got)
		return got;
	err = fill(io);
	if (err)
		return err;
	got = take_frames(io, f, n);
	return got ? got : -EAGAIN;
}

static bool stream_holds(const struct io *io)
{
	const uint8_t *frame;
	size_t len;

	return next_frame(io->state, &frame, &len);
}

/* The bytes that go before message i: what is left of a prefix, if the message
 * is the rest of one that went in part. */
static struct iovec prefix_of(struct stream *st, unsigned i, size_t len)
{
	if (i == 0 && st->owed)
		return (struct iovec){ st->partial + st->prefix_at,
				       PREFIX - st->prefix_at };
	put_be32(st->prefix[i], (uint32_t)len);
	return (struct iovec){ st->prefix[i], PREFIX };
}

/* Lay out messages with their prefixes. Returns how many fit; *pieces: in so
 * many. */
static unsigned lay_out(struct stream *st, const struct mmsghdr msg[],
			unsigned n, unsigned *pieces)
{
	const struct msghdr *hdr;
	unsigned i, at = 0;

	if (n > IO_MAX_BATCH)
		n = IO_MAX_BATCH;
	for (i = 0; i < n; i++) {
		hdr = &msg[i].msg_hdr;
		if (at + 1 + msg_pieces(hdr) > MAX_PIECES)
			break;
		st->piece[at++] = prefix_of(st, i, io_message_len(hdr));
		memcpy(st->piece + at, hdr->msg_iov,
		       msg_pieces(hdr) * sizeof(struct iovec));
		at += (unsigned)msg_pieces(hdr);
	}
	*pieces = at;
	return i;
}

/* Note what is still to come of a message of which so many bytes went. */
static void note_part(struct stream *st, const struct iovec *prefix,
		      struct mmsghdr *msg, size_t len, size_t went)
{
	const size_t of_prefix = went < prefix->iov_len ? went :
							  prefix->iov_len;

	st->prefix_at = (unsigned)(PREFIX - (prefix->iov_len - of_prefix));
	memmove(st->partial + st->prefix_at,
		(const uint8_t *)prefix->iov_base + of_prefix,
		prefix->iov_len - of_prefix);
	msg->msg_len = (unsigned)(went - of_prefix);
	st->owed = len - msg->msg_len;
}

/* Returns how many of the messages went by so many bytes, the last one maybe in
 * part. */
static unsigned account(struct stream *st, struct mmsghdr msg[], unsigned n,
			size_t went)
{
	const struct iovec *prefix = st->piece;
	unsigned i;
	size_t len;

	for (i = 0; i < n && went; i++) {
		len = io_message_len(&msg[i].msg_hdr);
		if (went < prefix->iov_len + len) {
			note_part(st, prefix, &msg[i], len, went);
			return i + 1;
		}
		went -= prefix->iov_len + len;
		msg[i].msg_len = (unsigned)len;
		st->owed = 0;
		prefix += 1 + msg_pieces(&msg[i].msg_hdr);
	}
	return i;
}

unsigned stream_send(struct io *io, struct mmsghdr msg[], unsigned n, int *err)
{
	struct stream *st = io->state;
	struct msghdr all = { .msg_iov = st->piece };
	unsigned pieces;
	ssize_t r;

	n = lay_out(st, msg, n, &pieces);
	msg_set_pieces(&all, pieces);
	r = os_sendmsg(st->out, &all, MSG_DONTWAIT);
	*err = r < 0 ? (int)r : 0;
	return r < 0 ? 0 : account(st, msg, n, (size_t)r);
}

const struct io_ops io_stream = {
	.mode = FDL_MODE_READV,
	.name = "readv",
	.open = stream_open,
	.close = stream_close,
	.renew = stream_renew,
	.recv = stream_recv,
	.holds = stream_holds,
};
