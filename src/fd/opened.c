/* SPDX-License-Identifier: Apache-2.0 */
#include "fd/opened.h"

#include <sys/socket.h>

#include "os.h"

static int raise_buffer(int fd, int force, int name, uint32_t size)
{
	int err = os_setsockopt(fd, SOL_SOCKET, force, &size, sizeof(size));

	/* Without the privilege to go beyond it: as much as the system
	 * allows. */
	if (err)
		err = os_setsockopt(fd, SOL_SOCKET, name, &size, sizeof(size));
	return err;
}

void raise_send_buffer(int fd)
{
	raise_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SOCKET_BUFFER);
}

void raise_receive_buffer(int fd, uint32_t size)
{
	raise_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, size);
}

void raise_buffers(int fd)
{
	raise_send_buffer(fd);
	raise_receive_buffer(fd, SOCKET_BUFFER);
}

void opened_undo(struct opened *opened)
{
	unsigned fds = opened->paired ? opened->n * 2 : opened->n;

	bound_release(&opened->bound);
	while (fds > 0 && !opened->borrowed)
		os_close(opened->fd[--fds]);
	opened->n = 0;
	opened->paired = false;
}
