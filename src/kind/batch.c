/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first queue that asks opens the device for all queues. The others notice
 * later that their device is gone, and find their new file here. A queue that
 * finds none has taken it already, and that device has gone, too.
 */
#include "kind/batch.h"

#include <errno.h>

#include "fd/netns.h"
#include "io/group.h"
#include "kind/kind.h"
#include "os.h"

enum {
	/* Whoever deletes a device may be about to make it anew. */
	OTHERS_MS = 1000,
};

static int open_here(void *arg, const struct log *log)
{
	struct life *life = arg;

	return life->kind->open(&life->loc, &life->opened, log);
}

static int open_there(struct life *life)
{
	static const struct log silent;

	if (!*life->loc.netns &&
	    os_same_file(life->netns, "/proc/thread-self/ns/net") == 0)
		return netns_run(life->netns, open_here, life, &silent);
	return netns_run_in(life->loc.netns, open_here, life, &silent);
}

static void close_each(int *fd, unsigned n)
{
	for (; n > 0; n--, fd++)
		if (*fd >= 0)
			os_close(*fd);
}

void batch_close(struct life *life)
{
	struct opened *opened = &life->opened;

	close_each(opened->fd, opened->n);
	*opened = (struct opened){ 0 };
	group_drop(life->group);
	life->group = NULL;
	life->settled = 0;
}

/* The spare sockets of mode adaptive are the group's then. */
static int group_spares(struct life *life)
{
	struct opened *opened = &life->opened;
	int err;

	if (!opened->paired)
		return 0;
	err = group_new(&life->group, opened->fd + opened->n, opened->n);
	close_each(opened->fd + opened->n, opened->n);
	opened->paired = false;
	return err;
}

static int open_batch(struct life *life)
{
	const int64_t now = os_now_ms();
	int err;

	batch_close(life);
	if (!life->gone_at)
		life->gone_at = now;
	life->loc.existing = !life->made || now - life->gone_at < OTHERS_MS;
	err = open_there(life);
	if (!err)
		err = group_spares(life);
	if (err) {
		batch_close(life);
		return err == -EAGAIN ? -EBUSY : err;
	}
	life->gone_at = 0;
	life->batch++;
	return 0;
}

int batch_take(struct life *life, unsigned queue, struct io_group **group)
{
	int fd, err = 0;

	if (queue >= life->opened.n || life->opened.fd[queue] < 0)
		err = open_batch(life);
	if (err)
		return err;
	fd = life->opened.fd[queue];
	life->opened.fd[queue] = -1;
	group_hold(life->group);
	*group = life->group;
	return fd;
}

void batch_settle(struct life *life, unsigned queue, int fd)
{
	const struct opened *opened = &life->opened;
	int err;

	life->place[queue] = fd;
	if (++life->settled < opened->n || !opened->group)
		return;
	err = life->kind->join(life->place, opened->n, opened->group, true,
			       life->loc.name, &life->log);
	if (err)
		log_say(&life->log, FDL_LOG_WARNING,
			"%s:%s: the queues have no fanout group any more, and "
			"receive nothing: open the link anew",
			life->loc.kind->locator, life->loc.name);
}
