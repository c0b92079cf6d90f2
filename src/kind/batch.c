/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first queue that asks opens the device for all queues. The others notice
 * later that their device is gone, and find their new file here. A queue that
 * finds none has taken it already, and that device has gone, too.
 */
#include "kind/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "fd/device.h"
#include "fd/netns.h"
#include "io/group.h"
#include "kind/kind.h"
#include "os.h"

enum {
	/* Whoever deletes a device may be about to make it anew. */
	OTHERS_MS = 1000,
};

static const char own_netns[] = "/proc/thread-self/ns/net";

/* A device is opened anew in the namespace where it was, even if the caller's
 * thread has moved to another one. */
int batch_begin(struct batch *batch)
{
	int fd;

	batch->netns = -1;
	if (!batch->kind->device || *batch->loc->netns || batch->outside.reopen)
		return 0;
	fd = os_open(own_netns, O_RDONLY);
	if (fd >= 0)
		batch->netns = fd;
	return fd < 0 ? fd : 0;
}

static int open_here(void *arg, const struct log *log)
{
	struct batch *batch = arg;

	return batch->kind->open(batch->loc, &batch->opened, log);
}

static int open_there(struct batch *batch)
{
	static const struct log silent;

	if (!*batch->loc->netns && os_same_file(batch->netns, own_netns) == 0)
		return netns_run(batch->netns, open_here, batch, &silent);
	return netns_run_in(batch->loc->netns, open_here, batch, &silent);
}

/* Somebody else opens them. Where there are twice as many as queues, the rest
 * are the spare sockets of mode adaptive. */
static int ask_outside(struct batch *batch)
{
	const unsigned queues = batch->loc->queues;
	struct opened *opened = &batch->opened;
	int n = batch->outside.reopen(batch->outside.ctx, batch->loc->existing,
				      opened->fd, LOCATOR_MAX_QUEUES);

	if (n < 0)
		return n;
	opened->n = (unsigned)n;
	if ((unsigned)n == 2 * queues && batch->kind->join) {
		opened->n = queues;
		opened->paired = true;
	}
	return opened->n == queues ? 0 : -EPROTO;
}

static void close_each(int *fd, unsigned n)
{
	for (; n > 0; n--, fd++)
		if (*fd >= 0)
			os_close(*fd);
}

static void close_all(struct batch *batch)
{
	struct opened *opened = &batch->opened;

	close_each(opened->fd, opened->paired ? 2 * opened->n : opened->n);
	*opened = (struct opened){ 0 };
	group_drop(batch->group);
	batch->group = NULL;
	batch->settled = 0;
}

/* The spare sockets of mode adaptive are the group's then. */
static int group_spares(struct batch *batch)
{
	struct opened *opened = &batch->opened;
	int err;

	if (!opened->paired)
		return 0;
	err = group_new(&batch->group, opened->fd + opened->n, opened->n);
	close_each(opened->fd + opened->n, opened->n);
	opened->paired = false;
	return err;
}

static int open_all(struct batch *batch)
{
	const int64_t now = os_now_ms();
	int err;

	close_all(batch);
	if (!batch->gone_at)
		batch->gone_at = now;
	batch->loc->existing = !batch->made || now - batch->gone_at < OTHERS_MS;
	err = batch->outside.reopen ? ask_outside(batch) : open_there(batch);
	if (!err)
		err = group_spares(batch);
	if (err) {
		close_all(batch);
		return err == -EAGAIN ? -EBUSY : err;
	}
	memset(batch->failed, 0, sizeof(batch->failed));
	batch->gone_at = 0;
	batch->number++;
	return 0;
}

void batch_end(struct batch *batch)
{
	close_all(batch);
	if (batch->netns >= 0)
		os_close(batch->netns);
}

int batch_take(struct batch *batch, unsigned queue, struct io_group **group)
{
	int fd, err = 0;

	if (queue >= batch->opened.n || batch->opened.fd[queue] < 0)
		err = open_all(batch);
	if (err)
		return err;
	fd = batch->opened.fd[queue];
	batch->opened.fd[queue] = -1;
	group_hold(batch->group);
	*group = batch->group;
	return fd;
}

/*
 * The other queues have files of this batch, which go with it alone: it is
 * tried again before another batch is opened.
 */
void batch_return(struct batch *batch, unsigned queue, int fd, int err)
{
	struct opened *opened = &batch->opened;
	const bool again = device_may_pass(err) || !batch->failed[queue];

	if (queue >= opened->n || opened->fd[queue] >= 0 || !again) {
		os_close(fd);
		return;
	}
	opened->fd[queue] = fd;
	batch->failed[queue] = true;
}

void batch_settle(struct batch *batch, unsigned queue, int fd)
{
	const struct opened *opened = &batch->opened;
	int err;

	/* It is of a batch before this one, and the queue takes another. */
	if (queue >= opened->n || opened->fd[queue] >= 0)
		return;
	batch->place[queue] = fd;
	batch->failed[queue] = false;
	if (++batch->settled < opened->n || !opened->group)
		return;
	err = batch->kind->join(batch->place, opened->n, opened->group, true,
				batch->loc->name, batch->log);
	if (err)
		log_say(batch->log, FDL_LOG_WARNING,
			"%s:%s: the queues have no fanout group any more, and "
			"receive nothing: open the link anew",
			batch->loc->kind->locator, batch->loc->name);
}
