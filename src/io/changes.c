/* SPDX-License-Identifier: Apache-2.0 */
#include "io/changes.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include "os.h"

enum {
	FILE_FLAGS = -1,
	OFFLOADS = -2,
};

/* The change is noted before it is made: half of it may be. */
static struct change *note(struct changes *changes, int level, int name,
			   socklen_t len)
{
	struct change *change = &changes->list[changes->n++];

	*change = (struct change){ .level = level, .name = name, .len = len };
	return change;
}

int changes_set(struct changes *changes, int fd, int level, int name, int value)
{
	socklen_t len = sizeof(int);
	int before = 0, err;

	err = os_getsockopt(fd, level, name, &before, &len);
	if (err || before == value)
		return err;
	note(changes, level, name, sizeof(int))->before.number = before;
	return os_setsockopt(fd, level, name, &value, sizeof(value));
}

int changes_set_ring(struct changes *changes, int fd,
		     const struct tpacket_req3 *ring)
{
	note(changes, SOL_PACKET, PACKET_RX_RING, sizeof(*ring));
	return os_setsockopt(fd, SOL_PACKET, PACKET_RX_RING, ring,
			     sizeof(*ring));
}

int changes_set_nonblocking(struct changes *changes, int fd)
{
	int flags = os_get_flags(fd);

	if (flags < 0 || flags & O_NONBLOCK)
		return flags < 0 ? flags : 0;
	note(changes, FILE_FLAGS, 0, sizeof(int))->before.number = O_NONBLOCK;
	return os_set_flags(fd, flags | O_NONBLOCK);
}

static int set_offload(int fd, uint32_t offloads)
{
	return os_ioctl(fd, TUNSETOFFLOAD, (void *)(uintptr_t)offloads);
}

int changes_set_offload(struct changes *changes, int fd, uint32_t before,
			uint32_t offloads)
{
	if (before != offloads)
		note(changes, OFFLOADS, 0, sizeof(int))->before.number =
			(int)before;
	return set_offload(fd, offloads);
}

/* Others may have set more of them meanwhile. */
static void clear_flags(int fd, int which)
{
	int flags = os_get_flags(fd);

	if (flags >= 0)
		os_set_flags(fd, flags & ~which);
}

void changes_undo(struct changes *changes, int fd)
{
	const struct change *change;

	while (changes->n > 0) {
		change = &changes->list[--changes->n];
		if (change->level == FILE_FLAGS)
			clear_flags(fd, change->before.number);
		else if (change->level == OFFLOADS)
			set_offload(fd, (uint32_t)change->before.number);
		else
			os_setsockopt(fd, change->level, change->name,
				      &change->before, change->len);
	}
}
