/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mode adaptive is quick when idle and cheap under load. Each queue has two
 * sockets in one fanout group, and a BPF program tells the kernel which of them
 * to use: a plain socket, read by recvmmsg, while packets are few; one with a
 * ring, read by packet_mmap, while they are many. Both have the virtio-net
 * header. The sockets of several queues are one group, whose program chooses
 * the queue first (io/steer.h): each queue is in a phase of its own.
 *
 * Replacing the program returns after an RCU grace period, when no packet is on
 * its way to the former socket any more. Packets that the former socket then
 * holds are older than all that the other one holds. So the former socket is
 * read to its end first, and no packet is lost or overtaken. The grace period
 * takes some milliseconds. A call that never blocks cannot wait for it; a
 * thread does.
 *
 *	PLAIN		the plain socket is read
 *	TO_RING		still, while the thread replaces the program
 *	DRAIN_PLAIN	still, until it is empty
 *	RING		the ring is read
 *	TO_PLAIN	still, while the thread replaces the program
 *	DRAIN_RING	still, until it is empty. The block that the kernel has
 *			open closes by its timeout, which is waited for
 *
 * A block of the ring does not hold a super-packet of BIG TCP. So the program
 * gives those to the plain socket in any phase. The first one that comes in
 * RING may overtake packets of the ring's open block. It makes the phase
 * TO_PLAIN, and the queue does not go back to the ring.
 *
 * Everything that can wake is in one epoll set. The plain socket is watched for
 * its level, except in TO_PLAIN: there it fills and is not read, so it is not
 * watched until the thread says that it matters again. The ring is watched for
 * edges, and in PLAIN not at all. Nothing watches the rate while no packet
 * comes: the first packets after a pause in RING come by the ring, and make the
 * phase TO_PLAIN.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "io/changes.h"
#include "io/io.h"
#include "io/packet_mmap.h"
#include "io/pair.h"
#include "os.h"

static int take_error(int fd)
{
	socklen_t len = sizeof(int);
	int err = 0;

	os_getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return -err;
}

/*
 * Forget the edges so far, because the ring is looked at after this; and the
 * errors of the ring, because the plain socket has them too. Returns the errors
 * of the plain socket while it is not read.
 */
static int settle(struct pair *pair)
{
	struct epoll_event ev[SOURCES];
	int i, n, err = 0;

	n = os_epoll_wait(pair->set, ev, SOURCES, 0);
	for (i = 0; i < n; i++) {
		if (!(ev[i].events & EPOLLERR))
			continue;
		if (ev[i].data.u32 == FROM_RING)
			take_error(pair->ring.fd);
		else if (pair->masked)
			err = take_error(pair->plain.fd);
	}
	return err;
}

/* Edges were forgotten, and there are packets: make the set tell again of those
 * that the caller leaves. */
static void remind(const struct pair *pair)
{
	pair_watch(pair, EPOLL_CTL_MOD, FROM_RING, EPOLLIN | (uint32_t)EPOLLET);
}

static int recv_plain(struct pair *pair, struct io_frame f[], int n)
{
	int fresh = pair->fresh;

	pair->fresh = 0;
	n = io_recvmmsg.recv(&pair->plain, f, n, fresh);
	if (pair->phase != PLAIN)	/* There load_is_high does. */
		load_look(&pair->load, f, n);
	return n;
}

static int recv_ring(struct pair *pair, struct io_frame f[], int n)
{
	int err, got = io_packet_mmap.recv(&pair->ring, f, n, 0);

	if (got != -EAGAIN)
		return got;
	err = settle(pair);
	if (err)
		return err;
	got = io_packet_mmap.recv(&pair->ring, f, n, 0);
	if (got > 0)
		remind(pair);
	return got;
}

static int in_plain(struct pair *pair, struct io_frame f[], int n)
{
	int got = recv_plain(pair, f, n);

	if (got > 0 && load_is_high(&pair->load, f, got, pair->opts))
		pair_begin_to_ring(pair);
	/* When a link goes down its sockets leave the group one by one. A
	 * packet that comes meanwhile goes to the ring. */
	if (got < 0 && got != -EAGAIN && pair->ring.state &&
	    !pair_watch(pair, EPOLL_CTL_ADD, FROM_RING,
			EPOLLIN | (uint32_t)EPOLLET))
		pair->phase = DRAIN_RING;
	return got;
}

static int in_ring(struct pair *pair, struct io_frame f[], int n)
{
	int got = recv_ring(pair, f, n);

	if (got > 0)
		load_count(&pair->load, got);
	/* The ring socket, when it was the only one in the group, got errors,
	 * and what came as the link went up. The plain one gets what is too
	 * long for the ring. */
	if (got == -EAGAIN)
		got = recv_plain(pair, f, n);
	if (load_is_big(&pair->load) || (got < n && load_is_low(&pair->load)))
		pair_begin_to_plain(pair);
	return got;
}

static int drain_plain(struct pair *pair, struct io_frame f[], int n)
{
	int got = recv_plain(pair, f, n);

	if (got != -EAGAIN)
		return got;
	pair->phase = RING;
	load_start(&pair->load);
	return in_ring(pair, f, n);
}

static int to_ring(struct pair *pair, struct io_frame f[], int n)
{
	int got = recv_plain(pair, f, n);

	if (got != -EAGAIN)
		return got;
	settle(pair);
	/* The forgotten edge may be the one that tells of the end of the
	 * switch. */
	pair_end_swap(pair);
	if (pair->phase != DRAIN_PLAIN)
		return -EAGAIN;
	/* Or the edge may tell of packets in the ring, and the plain socket is
	 * read first. */
	remind(pair);
	return drain_plain(pair, f, n);
}

/* The kernel closes a block that is not full after its timeout, and the ring
 * tells. It tells nothing if no block was open: the timer is for that. */
static void wait_for_block(struct pair *pair)
{
	pair_mask_plain(pair, true);
	os_timerfd_set(pair->timer, (pair->opts->ring_timeout_ms + 1) * 1000);
}

static int drain_ring(struct pair *pair, struct io_frame f[], int n)
{
	int got = recv_ring(pair, f, n);

	if (got != -EAGAIN)
		return got;
	if (packet_mmap_is_filling(&pair->ring)) {
		wait_for_block(pair);
		return -EAGAIN;
	}
	os_timerfd_set(pair->timer, 0);
	pair_watch(pair, EPOLL_CTL_DEL, FROM_RING, 0);
	pair_mask_plain(pair, false);
	pair->phase = PLAIN;
	load_start(&pair->load);
	return in_plain(pair, f, n);
}

/* What a socket told of its other holders. */
static void pass_on(struct io *io, struct io *from)
{
	io->disturbed |= from->disturbed;
	io->strayed |= from->strayed;
	from->disturbed = from->strayed = false;
}

static int adaptive_recv(struct io *io, struct io_frame f[], int n, int fresh)
{
	static int (*const read[])(struct pair *, struct io_frame[], int) = {
		[PLAIN] = in_plain,	     [TO_RING] = to_ring,
		[DRAIN_PLAIN] = drain_plain, [RING] = in_ring,
		[TO_PLAIN] = recv_ring,	     [DRAIN_RING] = drain_ring,
	};
	struct pair *pair = io->state;
	int got;

	if (pair->fresh < fresh)
		pair->fresh = fresh;
	pair_end_swap(pair);
	got = read[pair->phase](pair, f, n);
	pass_on(io, &pair->plain);
	pass_on(io, &pair->ring);
	return got;
}

static int open_set(struct pair *pair)
{
	int err;

	pair->set = os_epoll_create();
	if (pair->set < 0)
		return pair->set;
	pair->timer = os_timerfd();
	err = pair->timer;
	if (err < 0)
		goto close_set;
	err = pair_watch(pair, EPOLL_CTL_ADD, FROM_TIMER, EPOLLIN);
	if (!err)
		err = pair_watch(pair, EPOLL_CTL_ADD, FROM_PLAIN, EPOLLIN);
	if (err)
		goto close_timer;
	return 0;

close_timer:
	os_close(pair->timer);
close_set:
	os_close(pair->set);
	return err;
}

static int adaptive_open(struct io *io, const struct fdl_options *opts)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	int err;

	if (!pair)
		return -ENOMEM;
	pair->plain = *io;
	pair->ring = *io;
	pair->ring.changes = &pair->ring_changes;
	pair->io = io;
	pair->opts = opts;
	err = io_recvmmsg.open(&pair->plain, opts);
	if (err)
		goto free_state;
	err = open_set(pair);
	if (err)
		goto close_plain;
	load_start(&pair->load);
	io->state = pair;
	io->poll_fd = pair->set;
	return 0;

close_plain:
	io_recvmmsg.close(&pair->plain);
free_state:
	free(pair);
	return err;
}

static void adaptive_close(struct io *io)
{
	struct pair *pair = io->state;

	if (!pair)
		return;
	atomic_store(&io->second, -1);
	if (pair->phase == TO_RING || pair->phase == TO_PLAIN)
		pthread_join(pair->thread, NULL);
	os_close(pair->timer);
	os_close(pair->set);
	if (pair->ring.state) {
		io_packet_mmap.close(&pair->ring);
		changes_undo(&pair->ring_changes, pair->ring.fd);
	}
	io_recvmmsg.close(&pair->plain);
	free(pair);
	io->state = NULL;
}

static const char *adaptive_refusal(const struct fdl_info *info)
{
	if (!info->adaptive)
		return "it takes a second socket for each queue: "
		       "'packet:IFACE' has them, with several queues if its "
		       "fanout is hash";
	return NULL;
}

const struct io_ops io_adaptive = {
	.mode = FDL_MODE_ADAPTIVE,
	.name = "adaptive",
	.by_block = true,
	.of_file = true,
	.headers = IO_HEADERS,
	.not_served = "it is no AF_PACKET socket",
	.refusal = adaptive_refusal,
	.open = adaptive_open,
	.close = adaptive_close,
	.recv = adaptive_recv,
};
