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
 * Everything that can wake is in one epoll set. The plain socket is watched for
 * its level, except in TO_PLAIN: there it fills and is not read, so it is not
 * watched until the thread says that it matters again. The ring is watched for
 * edges, and in PLAIN not at all. Nothing watches the rate while no packet
 * comes: the first packets after a pause in RING come by the ring, and make the
 * phase TO_PLAIN.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "io/changes.h"
#include "io/group.h"
#include "io/io.h"
#include "io/packet_mmap.h"
#include "log.h"
#include "os.h"

enum {
	/*
	 * The ring pays above some ten thousand packets per second, but there
	 * each packet waits for its block. So go up under load only, and come
	 * down early.
	 */
	BUSY_PPS = 64000,
	IDLE_PPS = 32000,
	/* So many packets make a load: more than a burst, and more than what
	 * gathers while the reader was kept from running. */
	BUSY_PACKETS = 256,
	BUSY_US = 4000,
	BUSY_TIMES = 3,
	/* Idle for so long: more than the pause between two bursts of one
	 * load. */
	IDLE_US = 200000,
	/* The ring has to hold the packets of a grace period, with about so
	 * many bytes before each. */
	GRACE_US = 16000,
	FRAME_COST = 128,
};

enum phase {
	PLAIN,
	TO_RING,
	DRAIN_PLAIN,
	RING,
	TO_PLAIN,
	DRAIN_RING,
};

/* What in the set is ready. */
enum source {
	FROM_PLAIN,
	FROM_RING,
	FROM_TIMER,
	SOURCES,
};

struct state {
	struct io plain, ring;
	struct changes ring_changes;
	struct io *io;		/* the queue's own */
	unsigned member;	/* the ring socket's number, once it has one */
	const struct fdl_options *opts;
	enum phase phase;
	bool masked;		/* the plain socket is watched for nothing */
	int set;
	int timer;
	int fresh;		/* f[0..fresh) are new to recvmmsg */

	uint64_t packets, bytes; /* since, in microseconds */
	int64_t since;
	unsigned busy;		/* times in a row */

	pthread_t thread;
	_Atomic bool swapped;	/* by the thread, which ends */
	int error;		/* why it did not: never tried again */
};

static int watch(const struct state *st, int op, enum source source,
		 uint32_t events)
{
	const int fds[SOURCES] = {
		[FROM_PLAIN] = st->plain.fd,
		[FROM_RING] = st->ring.fd,
		[FROM_TIMER] = st->timer,
	};
	struct epoll_event ev = { .events = events, .data.u32 = source };

	return os_epoll_ctl(st->set, op, fds[source], &ev);
}

static void mask_plain(struct state *st, bool mask)
{
	if (st->masked == mask)
		return;
	watch(st, EPOLL_CTL_MOD, FROM_PLAIN, mask ? 0 : (uint32_t)EPOLLIN);
	st->masked = mask;
}

static void start_meter(struct state *st)
{
	st->packets = 0;
	st->bytes = 0;
	st->since = os_now_us();
}

static int set_up_ring_socket(const struct state *st)
{
	if (!st->ring.vnet_hdr_len)
		return 0;
	return changes_set(st->ring.changes, st->ring.fd, SOL_PACKET,
			   PACKET_VNET_HDR, 1);
}

/* Add the ring, once: it is not made before it is needed. */
static int add_ring(struct state *st)
{
	int member, err;

	st->ring.fd = group_next(st->ring.group);
	err = set_up_ring_socket(st);
	if (!err)
		err = io_packet_mmap.open(&st->ring, st->opts);
	if (err)
		goto undo;
	member = group_enter(st->ring.group, st->plain.fd);
	if (member < 0) {
		err = member;
		goto close_ring;
	}
	st->member = (unsigned)member;
	atomic_store(&st->io->second, st->ring.fd);
	return 0;

close_ring:
	io_packet_mmap.close(&st->ring);
undo:
	changes_undo(&st->ring_changes, st->ring.fd);
	return err;
}

static int use(const struct state *st, unsigned member)
{
	return group_use(st->plain.group, st->plain.fd, st->plain.index,
			 member);
}

static int swap_to_ring(struct state *st)
{
	int err = st->ring.state ? 0 : add_ring(st);

	/* Watched for edges only, because an error is reported in any case. */
	if (!err)
		err = watch(st, EPOLL_CTL_ADD, FROM_RING, (uint32_t)EPOLLET);
	if (err)
		return err;
	err = use(st, st->member);
	if (err)
		watch(st, EPOLL_CTL_DEL, FROM_RING, 0);
	return err;
}

/* Replace the program. While another queue does that, this waits, and the
 * former socket is read. */
static void *swap(void *arg)
{
	struct state *st = arg;
	const bool to_ring = st->phase == TO_RING;

	pthread_mutex_lock(&st->plain.group->lock);
	if (to_ring)
		st->error = swap_to_ring(st);
	else
		st->error = use(st, st->plain.index);
	pthread_mutex_unlock(&st->plain.group->lock);
	/* The phase must be known before anybody is woken. */
	atomic_store_explicit(&st->swapped, true, memory_order_release);
	if (!to_ring)
		watch(st, EPOLL_CTL_MOD, FROM_PLAIN, EPOLLIN);
	else if (!st->error)
		watch(st, EPOLL_CTL_MOD, FROM_RING,
		      EPOLLIN | (uint32_t)EPOLLET);
	return NULL;
}

static int start_thread(struct state *st)
{
	sigset_t all, before;
	int err;

	atomic_store_explicit(&st->swapped, false, memory_order_relaxed);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&st->thread, NULL, swap, st);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

/* Begin to change to the ring. If that fails, all stays as it is. */
static void begin_to_ring(struct state *st)
{
	if (st->error)
		return;
	st->busy = 0;
	st->phase = TO_RING;
	if (start_thread(st))
		st->phase = PLAIN;
}

static void begin_to_plain(struct state *st)
{
	if (st->error)
		return;
	mask_plain(st, true);
	st->phase = TO_PLAIN;
	if (!start_thread(st))
		return;
	st->phase = RING;
	mask_plain(st, false);
}

/* Once, for it is not tried again. */
static void say_why_not(const struct state *st)
{
	const struct log log = { st->opts->log, st->opts->log_ctx };

	log_say(&log, FDL_LOG_WARNING,
		"mode adaptive cannot change how queue %u receives (%s): it "
		"goes on by %s; a smaller ring_bytes, or more memory, may help",
		st->io->index, strerror(-st->error),
		st->phase == TO_RING ? "recvmmsg under load, too" :
				       "its ring when idle, too");
}

static void join(struct state *st)
{
	pthread_join(st->thread, NULL);
	if (st->error)
		say_why_not(st);
	if (st->phase == TO_RING) {
		st->phase = st->error ? PLAIN : DRAIN_PLAIN;
	} else {
		st->masked = false;
		st->phase = st->error ? RING : DRAIN_RING;
	}
}

static void end_swap(struct state *st)
{
	if (st->phase != TO_RING && st->phase != TO_PLAIN)
		return;
	if (atomic_load_explicit(&st->swapped, memory_order_acquire))
		join(st);
}

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
static int settle(struct state *st)
{
	struct epoll_event ev[SOURCES];
	int i, n, err = 0;

	n = os_epoll_wait(st->set, ev, SOURCES, 0);
	for (i = 0; i < n; i++) {
		if (!(ev[i].events & EPOLLERR))
			continue;
		if (ev[i].data.u32 == FROM_RING)
			take_error(st->ring.fd);
		else if (st->masked)
			err = take_error(st->plain.fd);
	}
	return err;
}

/* Edges were forgotten, and there are packets: make the set tell again of those
 * that the caller leaves. */
static void remind(const struct state *st)
{
	watch(st, EPOLL_CTL_MOD, FROM_RING, EPOLLIN | (uint32_t)EPOLLET);
}

static int recv_plain(struct state *st, struct io_frame f[], int n)
{
	int fresh = st->fresh;

	st->fresh = 0;
	return io_recvmmsg.recv(&st->plain, f, n, fresh);
}

static int recv_ring(struct state *st, struct io_frame f[], int n)
{
	int err, got = io_packet_mmap.recv(&st->ring, f, n, 0);

	if (got != -EAGAIN)
		return got;
	err = settle(st);
	if (err)
		return err;
	got = io_packet_mmap.recv(&st->ring, f, n, 0);
	if (got > 0)
		remind(st);
	return got;
}

/* Whether there are many packets, and not more than the ring can hold while it
 * is not read. */
static bool is_busy(struct state *st, const struct io_frame f[], int got)
{
	int64_t us;
	bool busy;
	int i;

	for (i = 0; i < got; i++)
		st->bytes += f[i].wire_len + FRAME_COST;
	st->packets += (unsigned)got;
	if (st->packets < BUSY_PACKETS)
		return false;
	us = os_now_us() - st->since;
	if (us < BUSY_US)
		return false;
	busy = st->packets * 1000000 / (uint64_t)us >= BUSY_PPS &&
	       st->bytes * GRACE_US / (uint64_t)us <= st->opts->ring_bytes;
	start_meter(st);
	st->busy = busy ? st->busy + 1 : 0;
	return st->busy >= BUSY_TIMES;
}

static bool is_idle(struct state *st)
{
	int64_t us = os_now_us() - st->since;
	bool idle;

	if (us < IDLE_US)
		return false;
	idle = st->packets * 1000000 / (uint64_t)us < IDLE_PPS;
	start_meter(st);
	return idle;
}

static int in_plain(struct state *st, struct io_frame f[], int n)
{
	int got = recv_plain(st, f, n);

	if (got > 0 && is_busy(st, f, got))
		begin_to_ring(st);
	/* When a link goes down its sockets leave the group one by one. A
	 * packet that comes meanwhile goes to the ring. */
	if (got < 0 && got != -EAGAIN && st->ring.state &&
	    !watch(st, EPOLL_CTL_ADD, FROM_RING, EPOLLIN | (uint32_t)EPOLLET))
		st->phase = DRAIN_RING;
	return got;
}

static int in_ring(struct state *st, struct io_frame f[], int n)
{
	int got = recv_ring(st, f, n);

	if (got > 0)
		st->packets += (unsigned)got;
	/* The ring socket, when it was the only one in the group, got errors,
	 * and what came as the link went up. */
	if (got == -EAGAIN)
		got = recv_plain(st, f, n);
	if (got < n && is_idle(st))
		begin_to_plain(st);
	return got;
}

static int drain_plain(struct state *st, struct io_frame f[], int n)
{
	int got = recv_plain(st, f, n);

	if (got != -EAGAIN)
		return got;
	st->phase = RING;
	start_meter(st);
	return in_ring(st, f, n);
}

static int to_ring(struct state *st, struct io_frame f[], int n)
{
	int got = recv_plain(st, f, n);

	if (got != -EAGAIN)
		return got;
	settle(st);
	/* The forgotten edge may be the one that tells of the end of the
	 * switch. */
	end_swap(st);
	if (st->phase != DRAIN_PLAIN)
		return -EAGAIN;
	/* Or the edge may tell of packets in the ring, and the plain socket is
	 * read first. */
	remind(st);
	return drain_plain(st, f, n);
}

/* The kernel closes a block that is not full after its timeout, and the ring
 * tells. It tells nothing if no block was open: the timer is for that. */
static void wait_for_block(struct state *st)
{
	mask_plain(st, true);
	os_timerfd_set(st->timer, (st->opts->ring_timeout_ms + 1) * 1000);
}

static int drain_ring(struct state *st, struct io_frame f[], int n)
{
	int got = recv_ring(st, f, n);

	if (got != -EAGAIN)
		return got;
	if (packet_mmap_is_filling(&st->ring)) {
		wait_for_block(st);
		return -EAGAIN;
	}
	os_timerfd_set(st->timer, 0);
	watch(st, EPOLL_CTL_DEL, FROM_RING, 0);
	mask_plain(st, false);
	st->phase = PLAIN;
	start_meter(st);
	return in_plain(st, f, n);
}

static int adaptive_recv(struct io *io, struct io_frame f[], int n, int fresh)
{
	static int (*const read[])(struct state *, struct io_frame[], int) = {
		[PLAIN] = in_plain,	     [TO_RING] = to_ring,
		[DRAIN_PLAIN] = drain_plain, [RING] = in_ring,
		[TO_PLAIN] = recv_ring,	     [DRAIN_RING] = drain_ring,
	};
	struct state *st = io->state;

	if (st->fresh < fresh)
		st->fresh = fresh;
	end_swap(st);
	return read[st->phase](st, f, n);
}

static int open_set(struct state *st)
{
	int err;

	st->set = os_epoll_create();
	if (st->set < 0)
		return st->set;
	st->timer = os_timerfd();
	err = st->timer;
	if (err < 0)
		goto close_set;
	err = watch(st, EPOLL_CTL_ADD, FROM_TIMER, EPOLLIN);
	if (!err)
		err = watch(st, EPOLL_CTL_ADD, FROM_PLAIN, EPOLLIN);
	if (err)
		goto close_timer;
	return 0;

close_timer:
	os_close(st->timer);
close_set:
	os_close(st->set);
	return err;
}

static int adaptive_open(struct io *io, const struct fdl_options *opts)
{
	struct state *st = calloc(1, sizeof(*st));
	int err;

	if (!st)
		return -ENOMEM;
	st->plain = *io;
	st->ring = *io;
	st->ring.changes = &st->ring_changes;
	st->io = io;
	st->opts = opts;
	/* A ring tells the time of arrival, so the plain socket is made to tell
	 * it too. */
	err = changes_set(io->changes, io->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	if (!err)
		err = io_recvmmsg.open(&st->plain, opts);
	if (err)
		goto free_state;
	err = open_set(st);
	if (err)
		goto close_plain;
	start_meter(st);
	io->state = st;
	io->poll_fd = st->set;
	return 0;

close_plain:
	io_recvmmsg.close(&st->plain);
free_state:
	free(st);
	return err;
}

static void adaptive_close(struct io *io)
{
	struct state *st = io->state;

	if (st->phase == TO_RING || st->phase == TO_PLAIN)
		pthread_join(st->thread, NULL);
	os_close(st->timer);
	os_close(st->set);
	if (st->ring.state) {
		io_packet_mmap.close(&st->ring);
		changes_undo(&st->ring_changes, st->ring.fd);
	}
	io_recvmmsg.close(&st->plain);
	free(st);
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
	.headers = IO_HEADERS,
	.not_served = "it is no AF_PACKET socket",
	.refusal = adaptive_refusal,
	.open = adaptive_open,
	.close = adaptive_close,
	.recv = adaptive_recv,
};
