/* SPDX-License-Identifier: Apache-2.0 */
/* Life cycle of a queue. */
#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/ioctl.h>

#include "kind/kind.h"
#include "os.h"
#include "proto/eth.h"
#include "rx/receive.h"
#include "tx/defer.h"
#include "tx/put.h"

static int set_nonblocking(struct fdl_queue *q)
{
	int flags = os_get_flags(q->io.fd);

	/* A socket is told call by call. A device has only the flag, which
	 * all duplicates of the fd share. */
	if (flags < 0 || flags & O_NONBLOCK)
		return flags < 0 ? flags : 0;
	q->restore_flags = true;
	return os_set_flags(q->io.fd, flags | O_NONBLOCK);
}

/*
 * Always, for a veth hands out super-packets and partial checksums whether the
 * socket can tell them or not.
 */
static int set_vnet_hdr(struct fdl_queue *q)
{
	const int on = 1;

	q->io.vnet_hdr_len = q->info.vnet_hdr_len;
	if (q->io.vnet_hdr_len)
		return 0;
	q->io.vnet_hdr_len = FDL_VNET_HDR_LEN;
	q->restore_vnet_hdr = true;
	return os_setsockopt(q->io.fd, SOL_PACKET, PACKET_VNET_HDR, &on,
			     sizeof(on));
}

static int set_auxdata(struct fdl_queue *q)
{
	socklen_t len = sizeof(int);
	int on = 0, err;

	err = os_getsockopt(q->io.fd, SOL_PACKET, PACKET_AUXDATA, &on, &len);
	if (err || on)
		return err;
	on = 1;
	q->restore_auxdata = true;
	return os_setsockopt(q->io.fd, SOL_PACKET, PACKET_AUXDATA, &on,
			     sizeof(on));
}

/* Reading it clears it: what was dropped before is not ours to count. */
static int forget_drops(struct fdl_queue *q)
{
	struct tpacket_stats st;
	socklen_t len = sizeof(st);

	return os_getsockopt(q->io.fd, SOL_PACKET, PACKET_STATISTICS, &st,
			     &len);
}

/* A TUN's or TAP's header has the order it was told, else the machine's. */
static enum fdl_order vnet_order(const struct fdl_queue *q)
{
	int on = 0;

	if (!os_ioctl(q->io.fd, TUNGETVNETLE, &on) && on)
		return FDL_ORDER_LITTLE;
	if (!os_ioctl(q->io.fd, TUNGETVNETBE, &on) && on)
		return FDL_ORDER_BIG;
	return FDL_ORDER_NATIVE;
}

static int set_up_device(struct fdl_queue *q)
{
	q->io.vnet_hdr_len = q->info.vnet_hdr_len;
	if (q->io.vnet_hdr_len)
		q->io.order = vnet_order(q);
	return set_nonblocking(q);
}

/* It tells frames that this machine sends, and whom the others are for where our
 * own address does not. */
static bool asks_sender(const struct shared *s)
{
	if (!s->no_outgoing)
		return true;
	return s->opts.flags & FDL_ETHERNET && !s->has_address;
}

static int set_up_fd(struct fdl_queue *q)
{
	int err;

	switch (q->info.kind) {
	case FDL_KIND_TUN:
	case FDL_KIND_TAP:
		return set_up_device(q);
	case FDL_KIND_PACKET:
		q->io.asks_sender = asks_sender(q->shared);
		err = set_vnet_hdr(q);
		if (!err)
			err = set_auxdata(q);
		return err ? err : forget_drops(q);
	default:
		if (q->shared->opts.flags & FDL_VNET_HDR)
			q->io.vnet_hdr_len = FDL_VNET_HDR_LEN;
		return 0;
	}
}

static void restore_fd(struct fdl_queue *q)
{
	int flags, off = 0;

	if (q->restore_vnet_hdr)
		os_setsockopt(q->io.fd, SOL_PACKET, PACKET_VNET_HDR, &off,
			      sizeof(off));
	if (q->restore_auxdata)
		os_setsockopt(q->io.fd, SOL_PACKET, PACKET_AUXDATA, &off,
			      sizeof(off));
	if (!q->restore_flags)
		return;
	flags = os_get_flags(q->io.fd);
	if (flags >= 0)
		os_set_flags(q->io.fd, flags & ~O_NONBLOCK);
}

static void close_mode(struct fdl_queue *q)
{
	if (q->ops->close)
		q->ops->close(&q->io);
}

static unsigned ready_flags(const struct fdl_queue *q)
{
	unsigned flags = q->ops->edge ? (unsigned)READY_EDGE : 0;

	/* Only a super-packet is more than the caller has room for. */
	return flags | (q->io.vnet_hdr_len ? (unsigned)READY_LEFTOVERS : 0);
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

int queue_open(struct fdl_queue *q, int fd)
{
	const struct fdl_options *opts = &q->shared->opts;
	int err;

	q->io.kind = q->shared->kind;
	q->io.socket = q->io.kind->socket;
	q->io.notes = q->io.kind->notes;
	q->io.index = q->index;
	q->io.second = -1;
	q->io.fd = os_dup(fd);
	if (q->io.fd < 0)
		return q->io.fd;
	q->io.poll_fd = q->io.fd;
	err = set_up_fd(q);
	if (err)
		goto close_fd;
	err = pool_new(&q->io.pool, opts->pool, opts->headroom,
		       opts->flags & FDL_ETHERNET ? ETH_HDR_LEN : 0);
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
	return 0;

close_rx:
	rx_close(&q->rx);
close_tx:
	close_tx(q);
close_mode:
	close_mode(q);
free_pool:
	pool_orphan(q->io.pool);
close_fd:
	restore_fd(q);
	os_close(q->io.fd);
	return err;
}

void queue_close(struct fdl_queue *q)
{
	watch_close(q);
	ready_close(&q->ready);
	close_tx(q);
	rx_close(&q->rx);
	close_mode(q);
	pool_orphan(q->io.pool);
	restore_fd(q);
	os_close(q->io.fd);
}

int fdl_alloc(struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	int k;

	if (n < 0)
		return -EINVAL;
	k = pool_take(q->io.pool, v, n);
	return k || n == 0 ? k : -ENOBUFS;
}
