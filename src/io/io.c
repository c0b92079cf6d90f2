/* SPDX-License-Identifier: Apache-2.0 */
/* What all modes share. */
#include <asm/ioctls.h>
#include <poll.h>
#include <sys/socket.h>

#include "io/io.h"
#include "os.h"

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
