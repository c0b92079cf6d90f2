/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of a character device. O_NONBLOCK belongs to all who hold the open
 * file, and any of them may clear it: where the kernel has RWF_NOWAIT for it,
 * each call says itself that it must not block.
 */
#include <errno.h>

#include "io/io.h"
#include "os.h"

ssize_t io_read_device(struct io *io, struct iovec *room)
{
	ssize_t r;

	if (io->nowait_read) {
		r = os_readv_now(io->fd, room, 1);
		if (r != -EOPNOTSUPP)
			return r;
		io->nowait_read = false;
	}
	return os_read(io->fd, room->iov_base, room->iov_len);
}

ssize_t io_write_device(struct io *io, const struct iovec *iov, int cnt)
{
	ssize_t r;

	if (io->nowait_write) {
		r = os_writev_now(io->fd, iov, cnt);
		if (r != -EOPNOTSUPP)
			return r;
		io->nowait_write = false;
	}
	/* One piece costs less by the call that takes just that. */
	if (cnt > 1)
		return os_writev(io->fd, iov, cnt);
	return os_write(io->fd, iov->iov_base, iov->iov_len);
}
