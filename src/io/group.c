/* SPDX-License-Identifier: Apache-2.0 */
#include "io/group.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>

#include "os.h"

static void close_spares(struct io_group *group, unsigned n)
{
	while (n-- > 0)
		os_close(group->spare[n]);
}

int group_new(struct io_group **out, const int *spare, unsigned queues)
{
	struct io_group *group = calloc(1, sizeof(*group));
	unsigned i;
	int fd;

	if (!group)
		return -ENOMEM;
	for (i = 0; i < queues; i++) {
		fd = os_dup(spare[i]);
		if (fd < 0) {
			close_spares(group, i);
			free(group);
			return fd;
		}
		group->spare[i] = fd;
		group->member[i] = (uint8_t)i;
	}
	group->queues = queues;
	atomic_init(&group->holders, 1);
	pthread_mutex_init(&group->lock, NULL);
	*out = group;
	return 0;
}

void group_hold(struct io_group *group)
{
	if (group)
		atomic_fetch_add(&group->holders, 1);
}

void group_drop(struct io_group *group)
{
	if (!group || atomic_fetch_sub(&group->holders, 1) > 1)
		return;
	close_spares(group, group->queues);
	pthread_mutex_destroy(&group->lock);
	free(group);
}

int group_next(const struct io_group *group)
{
	return group->spare[group->entered];
}

/* A socket that is in no group gets every packet from bind(2) on. */
static int bind_like(int fd, int plain)
{
	struct sockaddr_ll addr = { 0 };
	socklen_t len = sizeof(addr);
	int err;

	err = os_getsockname(plain, (struct sockaddr *)&addr, &len);
	return err ? err : os_bind(fd, (struct sockaddr *)&addr, sizeof(addr));
}

static int join(int fd, int plain)
{
	socklen_t len = sizeof(int);
	int arg, err;

	err = os_getsockopt(plain, SOL_PACKET, PACKET_FANOUT, &arg, &len);
	return err ? err :
		     os_setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &arg, len);
}

static int unmute(int fd)
{
	const int unused = 0;

	return os_setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused,
			     sizeof(unused));
}

int group_use(struct io_group *group, int fd, unsigned queue, unsigned member)
{
	const uint8_t before = group->member[queue];
	struct steer_program p;
	struct sock_fprog program = { .filter = p.code };
	int err;

	group->member[queue] = (uint8_t)member;
	steer_make(&p, group->queues, group->member);
	program.len = p.n;
	err = os_setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &program,
			    sizeof(program));
	if (err)
		group->member[queue] = before;
	return err;
}

/*
 * Set the program of all queues once more, the same as before: to the kernel it
 * is a new one, and that waits for a grace period. Closing a socket would wait,
 * too, but by now the process may not open one.
 */
static int await_grace_period(struct io_group *group, int fd)
{
	return group_use(group, fd, 0, group->member[0]);
}

int group_enter(struct io_group *group, int plain)
{
	const int fd = group_next(group);
	unsigned number;
	int err;

	err = bind_like(fd, plain);
	if (!err)
		err = join(fd, plain);
	if (err)
		return err;
	number = group->queues + group->entered++;
	/* Packets that the socket got between bind(2) and now may still be on
	 * their way to its filter, and are another socket's. */
	err = await_grace_period(group, plain);
	/* The socket cannot leave the group again. With the filter on, packets
	 * that the group gives it would be lost. */
	if (!err)
		err = unmute(fd);
	return err ? err : (int)number;
}
