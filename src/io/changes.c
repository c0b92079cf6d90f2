/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several holders of a socket have to know of each other, the kernel keeps
 * with the open file: locks of bytes (fcntl(2), F_OFD_SETLK), which mean
 * nothing to a socket. A byte stands for a switch that was off before, and one
 * for each holder. Whoever leaves last switches off what was off.
 *
 * Such locks exclude nobody. So whoever comes is a holder before looking at any
 * switch; and whoever has left last, and switched off, looks for holders once
 * more: one who came in between may have found the switches on.
 */
#include "io/changes.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include "os.h"

enum {
	FILE_FLAGS = -1,
	OFFLOADS = -2,
	SWITCHES = 256,			/* of each of two levels */
	FIRST_HOLDER = 2 * SWITCHES,
	FD_BITS = 24,
};

static off_t byte_of_switch(const struct change *change)
{
	return change->level == SOL_PACKET ? change->name :
					     SWITCHES + change->name;
}

static off_t byte_of_holder(int fd)
{
	return FIRST_HOLDER + ((off_t)os_getpid() << FD_BITS) + fd;
}

/* The change is noted before it is made: half of it may be. */
static struct change *note(struct changes *changes, int level, int name,
			   socklen_t len)
{
	struct change *change = &changes->list[changes->n++];

	*change = (struct change){ .level = level, .name = name, .len = len };
	return change;
}

static bool is_switch(int level, int name, int value)
{
	return (level == SOL_PACKET || level == SOL_SOCKET) && name >= 0 &&
	       name < SWITCHES && value == 1;
}

/* Where the kernel keeps no locks, each holder is the only one. */
static void hold(struct changes *changes, int fd)
{
	if (!changes->holds)
		changes->holds = !os_lock_byte(fd, byte_of_holder(fd), true);
}

static void share(struct changes *changes, struct change *change, int fd,
		  int before)
{
	change->shared = changes->holds;
	if (change->shared && !before)
		os_lock_byte(fd, byte_of_switch(change), true);
}

int changes_set(struct changes *changes, int fd, int level, int name, int value)
{
	socklen_t len = sizeof(int);
	struct change *change;
	bool shared = is_switch(level, name, value);
	int before = 0, err;

	if (shared)
		hold(changes, fd);
	err = os_getsockopt(fd, level, name, &before, &len);
	shared &= before == 0 || before == 1;
	if (err || (before == value && !shared))
		return err;
	change = note(changes, level, name, sizeof(int));
	change->before.number = before;
	if (shared)
		share(changes, change, fd, before);
	if (before == value)
		return 0;
	return os_setsockopt(fd, level, name, &value, sizeof(value));
}

int changes_set_ring(struct changes *changes, int fd,
		     const struct tpacket_req3 *ring)
{
	note(changes, SOL_PACKET, PACKET_RX_RING, sizeof(*ring));
	return os_setsockopt(fd, SOL_PACKET, PACKET_RX_RING, ring,
			     sizeof(*ring));
}

int changes_join(struct changes *changes, int fd,
		 const struct packet_mreq *membership)
{
	int err = os_setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP,
				membership, sizeof(*membership));

	/* Asking again to leave would leave what others asked for. */
	if (!err)
		note(changes, SOL_PACKET, PACKET_DROP_MEMBERSHIP,
		     sizeof(*membership))
			->before.membership = *membership;
	return err;
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

/* Is another endpoint left on the open file? */
static bool leave(struct changes *changes, int fd)
{
	if (!changes->holds)
		return false;
	changes->holds = false;
	os_lock_byte(fd, byte_of_holder(fd), false);
	return os_has_lock(fd, FIRST_HOLDER, 0) == 1;
}

/* A switch that any of the endpoints has switched on is to be off again when
 * none needs it. */
static bool was_off(const struct change *change, int fd)
{
	const off_t byte = byte_of_switch(change);

	if (os_has_lock(fd, byte, 1) != 1)
		return false;
	os_lock_byte(fd, byte, false);
	return true;
}

static void undo(struct change *change, int fd, bool others)
{
	if (change->level == FILE_FLAGS) {
		clear_flags(fd, change->before.number);
		return;
	}
	if (change->level == OFFLOADS) {
		set_offload(fd, (uint32_t)change->before.number);
		return;
	}
	if (change->shared) {
		if (others || !was_off(change, fd))
			return;
		change->before.number = 0;
		change->undone = true;
	}
	os_setsockopt(fd, change->level, change->name, &change->before,
		      change->len);
}

/* While this endpoint switched it off, another one came that had found it on:
 * switch it on again. */
static void redo(const struct change *change, int fd)
{
	const int on = 1;

	if (!change->undone)
		return;
	os_lock_byte(fd, byte_of_switch(change), true);
	os_setsockopt(fd, change->level, change->name, &on, sizeof(on));
}

void changes_undo(struct changes *changes, int fd)
{
	const bool held = changes->holds, others = leave(changes, fd);
	unsigned i = changes->n;

	while (i > 0)
		undo(&changes->list[--i], fd, others);
	if (held && !others && os_has_lock(fd, FIRST_HOLDER, 0) == 1)
		while (i < changes->n)
			redo(&changes->list[i++], fd);
	changes->n = 0;
}
