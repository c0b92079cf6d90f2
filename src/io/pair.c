/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pair.h"

#include <linux/if_packet.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>

#include "io/group.h"
#include "io/packet_mmap.h"
#include "log.h"
#include "os.h"

int pair_watch(const struct pair *pair, int op, enum source source,
	       uint32_t events)
{
	const int fds[SOURCES] = {
		[FROM_PLAIN] = pair->plain.fd,
		[FROM_RING] = pair->ring.fd,
		[FROM_TIMER] = pair->timer,
	};
	struct epoll_event ev = { .events = events, .data.u32 = source };

	return os_epoll_ctl(pair->set, op, fds[source], &ev);
}

void pair_mask_plain(struct pair *pair, bool mask)
{
	if (pair->masked == mask)
		return;
	pair_watch(pair, EPOLL_CTL_MOD, FROM_PLAIN,
		   mask ? 0 : (uint32_t)EPOLLIN);
	pair->masked = mask;
}

static int set_up_ring_socket(const struct pair *pair)
{
	if (!pair->ring.vnet_hdr_len)
		return 0;
	return changes_set(pair->ring.changes, pair->ring.fd, SOL_PACKET,
			   PACKET_VNET_HDR, 1);
}

/* Add the ring, once: it is not made before it is needed. */
static int add_ring(struct pair *pair)
{
	int member, err;

	pair->ring.fd = group_next(pair->ring.group);
	err = set_up_ring_socket(pair);
	if (!err)
		err = io_packet_mmap.open(&pair->ring, pair->opts);
	if (err)
		goto undo;
	member = group_enter(pair->ring.group, pair->plain.fd);
	if (member < 0) {
		err = member;
		goto close_ring;
	}
	pair->member = (unsigned)member;
	atomic_store(&pair->io->second, pair->ring.fd);
	return 0;

close_ring:
	io_packet_mmap.close(&pair->ring);
undo:
	changes_undo(&pair->ring_changes, pair->ring.fd);
	return err;
}

static int use(const struct pair *pair, unsigned member)
{
	return group_use(pair->plain.group, pair->plain.fd, pair->plain.index,
			 member);
}

static int swap_to_ring(struct pair *pair)
{
	int err = pair->ring.state ? 0 : add_ring(pair);

	/* Watched for edges only, because an error is reported in any case. */
	if (!err)
		err = pair_watch(pair, EPOLL_CTL_ADD, FROM_RING,
				 (uint32_t)EPOLLET);
	if (err)
		return err;
	err = use(pair, pair->member);
	if (err)
		pair_watch(pair, EPOLL_CTL_DEL, FROM_RING, 0);
	return err;
}

/* Replace the program. While another queue does that, this waits, and the
 * former socket is read. */
static void *swap(void *arg)
{
	struct pair *pair = arg;
	const bool to_ring = pair->phase == TO_RING;

	pthread_mutex_lock(&pair->plain.group->lock);
	if (to_ring)
		pair->error = swap_to_ring(pair);
	else
		pair->error = use(pair, pair->plain.index);
	pthread_mutex_unlock(&pair->plain.group->lock);
	/* The phase must be known before anybody is woken. */
	atomic_store_explicit(&pair->swapped, true, memory_order_release);
	if (!to_ring)
		pair_watch(pair, EPOLL_CTL_MOD, FROM_PLAIN, EPOLLIN);
	else if (!pair->error)
		pair_watch(pair, EPOLL_CTL_MOD, FROM_RING,
			   EPOLLIN | (uint32_t)EPOLLET);
	return NULL;
}

static int start_thread(struct pair *pair)
{
	sigset_t all, before;
	int err;

	atomic_store_explicit(&pair->swapped, false, memory_order_relaxed);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&pair->thread, NULL, swap, pair);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

/* Begin to change to the ring. If that fails, all stays as it is. */
void pair_begin_to_ring(struct pair *pair)
{
	if (pair->error)
		return;
	pair->load.busy = 0;
	pair->phase = TO_RING;
	if (start_thread(pair))
		pair->phase = PLAIN;
}

void pair_begin_to_plain(struct pair *pair)
{
	if (pair->error)
		return;
	pair_mask_plain(pair, true);
	pair->phase = TO_PLAIN;
	if (!start_thread(pair))
		return;
	pair->phase = RING;
	pair_mask_plain(pair, false);
}

/* Once, for it is not tried again. */
static void say_why_not(const struct pair *pair)
{
	const struct log log = { pair->opts->log, pair->opts->log_ctx };

	log_say(&log, FDL_LOG_WARNING,
		"mode adaptive cannot change how queue %u receives (%s): it "
		"goes on by %s; a smaller ring_bytes, or more memory, may help",
		pair->io->index, strerror(-pair->error),
		pair->phase == TO_RING ? "recvmmsg under load, too" :
					 "its ring when idle, too");
}

static void join(struct pair *pair)
{
	pthread_join(pair->thread, NULL);
	if (pair->error)
		say_why_not(pair);
	if (pair->phase == TO_RING) {
		pair->phase = pair->error ? PLAIN : DRAIN_PLAIN;
	} else {
		pair->masked = false;
		pair->phase = pair->error ? RING : DRAIN_RING;
	}
}

void pair_end_swap(struct pair *pair)
{
	if (pair->phase != TO_RING && pair->phase != TO_PLAIN)
		return;
	if (atomic_load_explicit(&pair->swapped, memory_order_acquire))
		join(pair);
}
