/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link that takes everything and gives nothing. Its fd is a datagram socket
 * that is connected to itself, with a filter that lets nothing in. The kernel
 * frees each message sent and reports success. Nobody else can send to the
 * socket, because it is connected.
 */
#include <errno.h>
#include <linux/filter.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "kind/agreed.h"
#include "kind/kind.h"
#include "kind/socket.h"
#include "os.h"

static int take_name(struct locator *loc, char *to, const char *value,
		     const struct log *log)
{
	(void)loc;
	*to = '\0';
	if (!*value)
		return 0;
	log_say(log, FDL_LOG_ERR,
		"null:%.40s: this kind takes no name: leave the name out",
		value);
	return -EINVAL;
}

static int swallow_all(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = { 1, &nothing };

	return os_setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			     sizeof(program));
}

/* The kernel chooses the address. */
static int connect_to_itself(int fd)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(name);
	int err = os_bind(fd, (const struct sockaddr *)&name,
			  offsetof(struct sockaddr_un, sun_path));

	if (!err)
		err = os_getsockname(fd, (struct sockaddr *)&name, &len);
	return err ? err : os_connect(fd, (const struct sockaddr *)&name, len);
}

static int open_null(const struct locator *loc, struct opened *opened,
		     const struct log *log)
{
	int fd = os_socket(AF_UNIX, SOCK_DGRAM, 0), err = fd;

	if (fd >= 0) {
		opened->fd[opened->n++] = fd;
		raise_send_buffer(fd);
		err = swallow_all(fd);
	}
	if (!err)
		err = connect_to_itself(fd);
	if (!err)
		return 0;
	opened_undo(opened);
	return socket_refused(loc, err, log);
}

static int look_up(const struct locator *loc, struct fdl_info *info,
		   const struct log *log)
{
	(void)log;
	info->vnet_hdr_len = agreed_header_len(loc);
	return 0;
}

static const struct io_ops *const modes[] = { &io_recvmmsg, &io_readv, NULL };

const struct kind kind_null = {
	.name = "null",
	.number = FDL_KIND_DGRAM,
	.locator = "null",
	.form = "",
	.options = 1 << OPTION_MTU | 1 << OPTION_OFFLOAD,
	.medium = FDL_MEDIUM_AGREED,
	.header = HEADER_AGREED,
	.modes = modes,
	.take_name = take_name,
	.merge = agreed_merge,
	.open = open_null,
	.look_up = look_up,
	.set_up = agreed_set_up,
	.socket = true,
};
