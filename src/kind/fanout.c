/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel chooses the group's id: one made up here could be that of somebody
 * else's group. A group has a device hook of its own. So IGNORE_OUTGOING of its
 * sockets is lost, and every member must ask for it again.
 */
#include "kind/fanout.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "os.h"

#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING /* Linux 5.12 headers */
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif

/* Of linux/if_packet.h. */
static const unsigned types[] = {
	[FDL_FANOUT_AUTO] = PACKET_FANOUT_HASH,
	[FDL_FANOUT_HASH] = PACKET_FANOUT_HASH,
	[FDL_FANOUT_LB] = PACKET_FANOUT_LB,
	[FDL_FANOUT_CPU] = PACKET_FANOUT_CPU,
	[FDL_FANOUT_ROLLOVER] = PACKET_FANOUT_ROLLOVER,
	[FDL_FANOUT_RND] = PACKET_FANOUT_RND,
	[FDL_FANOUT_QM] = PACKET_FANOUT_QM,
	[FDL_FANOUT_CBPF] = PACKET_FANOUT_CBPF,
};

static unsigned type_and_flags(const struct fanout *fanout)
{
	unsigned type = types[fanout->how];

	if (fanout->rollover)
		type |= PACKET_FANOUT_FLAG_ROLLOVER;
	if (!fanout->outgoing)
		type |= PACKET_FANOUT_FLAG_IGNORE_OUTGOING;
	return type;
}

static int join(int fd, unsigned id, unsigned type)
{
	const uint32_t arg = id | type << 16;

	return os_setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof(arg));
}

/* Find a group. The kernel may give any id of 16 bits, 0 too. */
static int found(int fd, unsigned type, unsigned *id)
{
	uint32_t arg = 0;
	socklen_t len = sizeof(arg);
	int err;

	err = join(fd, 0, type | PACKET_FANOUT_FLAG_UNIQUEID);
	if (!err)
		err = os_getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arg, &len);
	*id = arg & 0xffff;
	return err;
}

static int join_all(const int *fd, unsigned n, const struct fanout *fanout)
{
	unsigned type = type_and_flags(fanout);
	unsigned i, id;
	int err;

	err = found(fd[0], type, &id);
	if (!err && fanout->program)
		err = os_setsockopt(fd[0], SOL_PACKET, PACKET_FANOUT_DATA,
				    fanout->program, sizeof(*fanout->program));
	for (i = 1; !err && i < n; i++)
		err = join(fd[i], id, type);
	return err;
}

int fanout_join(const int *fd, unsigned n, const struct fanout *fanout,
		const char *name, const struct log *log)
{
	int err = join_all(fd, n, fanout);

	if (err == -EALREADY)
		log_say(log, FDL_LOG_ERR,
			"a socket on %s is in a fanout group already: ask for "
			"no fanout",
			name);
	else if (err == -EINVAL)
		log_say(log, FDL_LOG_ERR,
			"the kernel makes no fanout group of %u sockets on "
			"%s: set the device up first, bind all to the same "
			"protocol, and see that a program is valid",
			n, name);
	else if (err)
		log_say(log, FDL_LOG_ERR,
			"the kernel makes no fanout group of %u sockets on "
			"%s: %s",
			n, name, strerror(-err));
	return err;
}
