/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending: writev(2) per packet on a TUN or TAP, sendmmsg(2) on a socket, and
 * plain write(2) or send(2) where a limit leaves room for nothing else.
 */
#include "io/io.h"
#include "io/stream.h"
#include "os.h"

enum {
	MESSAGE_COST = 64,	/* sizeof(struct mmsghdr) with 64-bit
				 * pointers */
	PIECE_COST = 16,	/* sizeof(struct iovec) */
	MAX_PIECES = 1024,	/* IOV_MAX */
};

unsigned io_max_pieces(const struct io *io)
{
	const unsigned fixed = io_is_device(io) ? 0 : MESSAGE_COST;
	unsigned n;

	/* One is for the length before a message. */
	if (io->framed)
		return MAX_PIECES - 1;
	if (!io->max_header_bytes)
		return MAX_PIECES;
	if (io->max_header_bytes < fixed + 2 * PIECE_COST)
		return 1;
	n = (io->max_header_bytes - fixed) / PIECE_COST;
	return n < MAX_PIECES ? n : MAX_PIECES;
}

/* How many of the messages one call may take. */
static unsigned fit(const struct io *io, const struct mmsghdr msg[], unsigned n)
{
	size_t cost = 0;
	unsigned i;

	if (!io->max_header_bytes)
		return n;
	for (i = 0; i < n; i++) {
		cost += MESSAGE_COST + PIECE_COST * msg_pieces(&msg[i].msg_hdr);
		if (i > 0 && cost > io->max_header_bytes)
			break;
	}
	return i;
}

static ssize_t write_one(struct io *io, const struct msghdr *msg)
{
	return io_write_device(io, msg->msg_iov, (int)msg->msg_iovlen);
}

/* One piece costs less by the call that takes just that. */
static ssize_t send_one(struct io *io, const struct msghdr *msg)
{
	const struct iovec *iov = msg->msg_iov;

	if (msg->msg_iovlen > 1 || msg->msg_name)
		return os_sendmsg(io->fd, msg, MSG_DONTWAIT);
	return os_send(io->fd, iov->iov_base, iov->iov_len, MSG_DONTWAIT);
}

static inline unsigned each(ssize_t (*one)(struct io *io,
					   const struct msghdr *msg),
			    struct io *io, struct mmsghdr msg[], unsigned n,
			    int *err)
{
	unsigned i;
	ssize_t r;

	for (i = 0; i < n; i++) {
		r = one(io, &msg[i].msg_hdr);
		if (r < 0) {
			*err = (int)r;
			break;
		}
		msg[i].msg_len = (unsigned)r;
	}
	return i;
}

/* Returns the first byte behind the virtio-net header. */
static unsigned first_byte(const struct io *io, const struct msghdr *msg)
{
	size_t at = io->vnet_hdr_len, i;

	for (i = 0; i < msg_pieces(msg); i++) {
		if (at < msg->msg_iov[i].iov_len)
			return ((uint8_t *)msg->msg_iov[i].iov_base)[at];
		at -= msg->msg_iov[i].iov_len;
	}
	return 0;
}

static void name_protocols(struct io *io, struct mmsghdr msg[], unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		struct msghdr *m = &msg[i].msg_hdr;

		m->msg_name = &io->to[first_byte(io, m) >> 4 == 6];
		m->msg_namelen = sizeof(io->to[0]);
	}
}

void io_follow(struct io *io)
{
	if (io->framed)
		stream_follow(io);
}

unsigned io_send(struct io *io, struct mmsghdr msg[], unsigned n, int *err)
{
	int r;

	if (io->framed)
		return stream_send(io, msg, n, err);
	*err = 0;
	if (io_is_device(io))
		return each(write_one, io, msg, n, err);
	if (io->to[0].sll_family)
		name_protocols(io, msg, n);
	if (io->max_pieces == 1)
		return each(send_one, io, msg, n, err);
	n = fit(io, msg, n);
	if (n == 1)
		return each(send_one, io, msg, 1, err);
	r = os_sendmmsg(io->fd, msg, n, MSG_DONTWAIT);
	if (r >= 0)
		return (unsigned)r;
	*err = r;
	return 0;
}
