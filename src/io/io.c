/* SPDX-License-Identifier: Apache-2.0 */
/* What all modes share. */
#include <asm/ioctls.h>
#include <poll.h>
#include <sys/socket.h>

#include "io/io.h"
#include "os.h"

static bool is_device(const struct io *io)
{
	return io->kind == FDL_KIND_TUN || io->kind == FDL_KIND_TAP;
}

ssize_t io_write(const struct io *io, const struct iovec *iov, int cnt)
{
	struct msghdr msg = {
		.msg_iov = (struct iovec *)(uintptr_t)iov,
		.msg_iovlen = (size_t)cnt,
	};

	if (is_device(io))
		return os_writev(io->fd, iov, cnt);
	return os_sendmsg(io->fd, &msg, MSG_DONTWAIT);
}

bool io_at_end(const struct io *io)
{
	struct pollfd hup = { .fd = io->fd, .events = POLLRDHUP };
	int queued = 0;

	if (io->kind != FDL_KIND_SEQPACKET)
		return false;
	if (os_poll(&hup, 1, 0) <= 0 || !(hup.revents & (POLLHUP | POLLRDHUP)))
		return false;
	return os_ioctl(io->fd, FIONREAD, &queued) < 0 || queued == 0;
}
