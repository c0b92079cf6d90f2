/* SPDX-License-Identifier: Apache-2.0 */
/* Life cycle of a queue. */
#include "queue.h"

#include <errno.h>

#include "io/group.h"
#include "kind/kind.h"
#include "kind/life.h"
#include "kind/probe.h"
#include "os.h"
#include "proto/eth.h"
#include "rx/receive.h"
#include "tx/defer.h"
#include "tx/put.h"

static void set_up_io(struct fdl_queue *q)
{
	const struct kind *kind = q->shared->kind;

	q->io.kind = kind;
	q->io.socket = kind->socket;
	q->io.notes = kind->notes;
	q->io.index = q->index;
	q->io.second = -1;
	q->io.changes = &q->changes;
	q->io.bell = -1;
	q->io.lasts = q->absence.life && q->absence.life->lasts;
	q->absence.timer = -1;
}

/* The send side rings it where that alone finds that nobody is there. */
static int open_absence(struct fdl_queue *q)
{
	struct absence *a = &q->absence;
	int err;

	if (!a->life)
		return 0;
	a->timer = os_timerfd();
	if (a->timer < 0)
		return a->timer;
	if (a->life->lasts && q->io.kind->forgets_peer)
		q->io.bell = a->timer;
	err = ready_await(&q->ready, a->timer);
	if (err)
		os_close(a->timer);
	return err;
}

static void close_absence(struct fdl_queue *q)
{
	if (q->absence.timer >= 0)
		os_close(q->absence.timer);
}

/* The length of the header is a property of the fd, its place one of the
 * mode. */
static int set_up_fd(struct fdl_queue *q, const struct fdl_info *info)
{
	/* What is to be said of a device is said once. */
	static const struct log silent;
	const struct set_up how = {
		.info = info,
		.opts = &q->shared->opts,
		.borrowed = q->shared->borrowed,
		.has_address = q->shared->has_address,
		.no_outgoing = q->shared->no_outgoing,
		.log = q->index ? &silent : &q->shared->log,
	};
	int err = q->io.kind->set_up(&q->io, &how);

	q->io.vnet_hdr_at = q->io.vnet_hdr_len;
	if (q->io.vnet_hdr_len && q->ops->header_at)
		q->io.vnet_hdr_at = q->ops->header_at;
	return err;
}

static void close_mode(struct fdl_queue *q)
{
	if (q->ops->close)
		q->ops->close(&q->io);
}

static unsigned ready_flags(const struct fdl_queue *q)
{
	unsigned flags = q->ops->edge ? (unsigned)READY_EDGE : 0;

	/* Leftovers come from super-packets, cut into more segments than the
	 * caller has room for, and those only with a header; from messages
	 * that are several; and from modes that read more than the caller has
	 * room for. */
	if (q->io.vnet_hdr_len || q->io.bundles || q->io.kind->follow ||
	    q->ops->holds)
		flags |= READY_LEFTOVERS;
	return flags;
}

static int open_rx(struct fdl_queue *q)
{
	q->rx.shared = q->shared;
	q->rx.ops = q->ops;
	q->rx.io = &q->io;
	q->rx.ready = &q->ready;
	q->rx.counters = &q->counters;
	return rx_open(&q->rx);
}

static int open_tx(struct fdl_queue *q)
{
	int err;

	q->tx.shared = q->shared;
	q->tx.io = &q->io;
	q->tx.ready = &q->ready;
	q->tx.counters = &q->counters;
	err = tx_open(&q->tx);
	if (err)
		return err;
	err = defer_open(&q->tx);
	if (err)
		tx_close(&q->tx);
	return err;
}

static void close_tx(struct fdl_queue *q)
{
	defer_close(&q->tx);
	tx_close(&q->tx);
}

/* Without room for BIG TCP such packets are lost, and all others pass. */
static int open_pool(struct fdl_queue *q)
{
	const struct fdl_options *opts = &q->shared->opts;

	return pool_new(&q->io.pool, opts->pool, opts->headroom,
			opts->flags & FDL_ETHERNET ? ETH_HDR_LEN : 0,
			q->io.kind->big ? POOL_MORE : 0);
}

int queue_open(struct fdl_queue *q, int fd)
{
	const struct fdl_options *opts = &q->shared->opts;
	int err;

	set_up_io(q);
	q->io.fd = os_dup(fd);
	if (q->io.fd < 0)
		return q->io.fd;
	group_hold(q->io.group);
	q->io.poll_fd = q->io.fd;
	err = set_up_fd(q, &q->info);
	if (err)
		goto close_fd;
	err = open_pool(q);
	if (err)
		goto close_fd;
	if (q->ops->open)
		err = q->ops->open(&q->io, opts);
	if (err)
		goto free_pool;
	err = open_tx(q);
	if (err)
		goto close_mode;
	err = open_rx(q);
	if (err)
		goto close_tx;
	err = ready_open(&q->ready, q->io.poll_fd, q->io.fd,
			 pool_refill_fd(q->io.pool), ready_flags(q));
	if (err)
		goto close_rx;
	err = open_absence(q);
	if (err)
		goto close_ready;
	q->watch.shared = q->shared;
	q->watch.ready = &q->ready;
	q->watch.fd = q->io.fd;
	q->watch.by_block = q->ops->by_block;
	return 0;

close_ready:
	ready_close(&q->ready);
close_rx:
	rx_close(&q->rx);
close_tx:
	close_tx(q);
close_mode:
	close_mode(q);
free_pool:
	pool_orphan(q->io.pool);
close_fd:
	changes_undo(&q->changes, q->io.fd);
	os_close(q->io.fd);
	group_drop(q->io.group);
	return err;
}

void queue_close(struct fdl_queue *q)
{
	watch_close(&q->watch);
	ready_close(&q->ready);
	close_absence(q);
	close_tx(q);
	rx_close(&q->rx);
	close_mode(q);
	pool_orphan(q->io.pool);
	changes_undo(&q->changes, q->io.fd);
	os_close(q->io.fd);
	group_drop(q->io.group);
}

/* Changes made on the former file are gone with it. */
static int open_anew(struct fdl_queue *q, const struct fdl_info *info)
{
	int err;

	q->changes = (struct changes){ 0 };
	q->io.poll_fd = q->io.fd;
	err = set_up_fd(q, info);
	if (!err && q->ops->of_file)
		err = q->ops->open(&q->io, &q->shared->opts);
	return err;
}

static void count_drops(struct fdl_queue *q, int fd)
{
	struct kernel_drops drops = { 0 };

	q->shared->kind->read_drops(&q->io, fd, &drops);
	atomic_fetch_add_explicit(&q->counters.v[RX_DROP_KERNEL], drops.packets,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&q->counters.v[RX_RING_FROZEN], drops.freezes,
				  memory_order_relaxed);
}

static void count_all_drops(struct fdl_queue *q)
{
	const int second = atomic_load(&q->io.second);

	count_drops(q, q->io.fd);
	if (second >= 0)
		count_drops(q, second);
}

/* Another thread may be replacing, and closing, the second socket. */
void queue_count_drops(struct fdl_queue *q)
{
	struct life *life = q->absence.life;

	if (!q->shared->kind->read_drops)
		return;
	if (life)
		pthread_mutex_lock(&life->lock);
	count_all_drops(q);
	if (life)
		pthread_mutex_unlock(&life->lock);
}

/* Another device is behind the fd, perhaps of another kind. */
static int look_again(struct fdl_queue *q, struct fdl_info *info)
{
	static const struct log silent;
	const struct kind *kind;
	int err;

	*info = q->info;
	if (!q->io.kind->device)
		return 0;
	err = probe_fd(q->io.fd, &kind, info, &silent);
	info->adaptive = q->info.adaptive;
	if (!err && (kind != q->io.kind || info->ethernet != q->info.ethernet))
		err = -EPROTOTYPE;
	return err;
}

static int take_file(struct fdl_queue *q, int fd)
{
	struct fdl_info info;
	int err = os_dup_to(fd, q->io.fd);

	if (err < 0)
		return err;
	err = look_again(q, &info);
	if (!err)
		err = open_anew(q, &info);
	if (err)
		return err;
	ready_renew(&q->ready, q->io.poll_fd);
	return ready_rearm(&q->ready);
}

/* As long as the queue has the new file, a device lets nobody else open it, and
 * a peer takes it for received. */
static void put_back(struct fdl_queue *q, int former)
{
	ready_disarm(&q->ready);
	q->changes = (struct changes){ 0 };
	os_dup_to(former, q->io.fd);
}

static int replace(struct fdl_queue *q, int fd, struct io_group *group)
{
	const int former = os_dup(q->io.fd);
	int err;

	if (q->io.kind->read_drops)
		count_all_drops(q);
	if (q->ops->of_file)
		close_mode(q);
	group_drop(q->io.group);
	q->io.group = group;
	if (former < 0)
		return former;
	err = take_file(q, fd);
	if (err)
		put_back(q, former);
	os_close(former);
	return err;
}

int queue_replace(struct fdl_queue *q, int fd, struct io_group *group)
{
	struct life *life = q->absence.life;
	int err;

	pthread_mutex_lock(&life->lock);
	err = replace(q, fd, group);
	pthread_mutex_unlock(&life->lock);
	if (!err)
		os_close(fd);
	return err;
}

int fdl_alloc(struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	int k;

	if (n < 0)
		return -EINVAL;
	k = pool_take(q->io.pool, v, n);
	return k || n == 0 ? k : -ENOBUFS;
}
