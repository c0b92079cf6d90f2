/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pollable fds in a foreign level-triggered loop, and the queue's own poll,
 * hammered: never readable for nothing twice in a row, never silent with a
 * packet waiting.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "contract.h"
#include "netns.h"

enum {
	PACKETS = 4000,
	IN_FLIGHT = 20,		/* and what is handed over: fewer than any
				 * link holds, if each takes a block of a
				 * ring, of which there are 32 */
	QUEUES = 4,
	HANDED = 8,		/* packets on their way to the releaser */
	BATCH = 16,
	TIMER_MS = 2,		/* of mode adaptive, for a block of its ring */
};

struct hammer {
	struct link *l[QUEUES];
	unsigned n_links;
	struct fdl_endpoint *ep;
	int fd;				/* the pollable fd that is watched; -1:
					 * the first queue's poll */
	atomic_uint fed, got;
	sem_t room;			/* packets that may be fed */
	/* A ring of packets to be released by another thread, which is told by
	 * the semaphore. */
	struct fdl_packet *_Atomic handed[HANDED];
	sem_t given;
	atomic_bool done;
	bool hand_over;
	bool wrong;
	int result;			/* of the call that was wrong, */
	unsigned queue, seq;		/* or the number of its packet */
	unsigned in_vain;		/* wake-ups in a row, */
	long long since;		/* after this time */
	unsigned seed;
	unsigned next[QUEUES];		/* number of each queue's next packet */
	bool starved[QUEUES];		/* the last call said -ENOBUFS */
};

/* Bursts and pauses, so that the reader often finds the queue just empty. */
static void *feed_all(void *arg)
{
	struct hammer *h = arg;
	unsigned seq, seed = 1;
	uint8_t frame[100];

	for (seq = 0; seq < PACKETS; seq++) {
		struct link *l = h->l[seq % h->n_links];
		struct pollfd p = { .fd = l->peer, .events = POLLOUT };

		frame_make(l, false, frame, sizeof(frame), seq / h->n_links);
		sem_wait(&h->room);
		if (atomic_load(&h->done))
			return NULL;
		while (!link_try_feed(l, frame, sizeof(frame))) {
			if (atomic_load(&h->done))
				return NULL;
			poll(&p, 1, 1);
		}
		atomic_fetch_add(&h->fed, 1);
		l->rx_offered++;
		if (rand_r(&seed) % 16 == 0)
			usleep(20);
	}
	return NULL;
}

static void *release_all(void *arg)
{
	struct hammer *h = arg;
	struct fdl_packet *pkt;
	unsigned i;

	while (!atomic_load(&h->done)) {
		sem_wait(&h->given);
		for (i = 0; i < HANDED; i++) {
			pkt = atomic_exchange(&h->handed[i], NULL);
			if (pkt)
				fdl_release(&pkt, 1);
		}
	}
	return NULL;
}

static void dispose(struct hammer *h, struct fdl_packet *pkt)
{
	unsigned i;

	for (i = 0; h->hand_over && i < HANDED; i++) {
		struct fdl_packet *none = NULL;

		if (atomic_compare_exchange_strong(&h->handed[i], &none, pkt)) {
			sem_post(&h->given);
			return;
		}
	}
	fdl_release(&pkt, 1);
}

static void note_wrong(struct hammer *h, int result, unsigned i, unsigned seq)
{
	if (h->wrong)
		return;
	h->wrong = true;
	h->result = result;
	h->queue = i;
	h->seq = seq;
}

/* One call per queue, as a loop would make it. Returns how much there was to
 * give or to tell. */
static unsigned sweep(struct hammer *h)
{
	struct fdl_packet *v[BATCH];
	unsigned i, seq, told = 0;
	int n, k;

	for (i = 0; i < h->n_links; i++) {
		n = fdl_recv(fdl_get_queue(h->ep, i), v,
			     1 + rand_r(&h->seed) % BATCH);
		/* An empty pool is told of once, until packets came again. */
		if (n == -ENOBUFS)
			told += !h->starved[i];
		else if (n < 0)
			note_wrong(h, n, i, 0);
		h->starved[i] = n == -ENOBUFS;
		for (k = 0; k < n; k++) {
			seq = frame_seq(h->l[i], v[k]->data);
			if (seq != h->next[i])
				note_wrong(h, n, i, seq);
			else
				h->next[i]++;
			dispose(h, v[k]);
			sem_post(&h->room);
			told++;
		}
		if (n > 0)
			atomic_fetch_add(&h->got, (unsigned)n);
	}
	return told;
}

/*
 * Wake-ups for nothing that may follow each other: one per queue, for a release
 * and no packet to go with it; one for a release that a call for another queue
 * made use of before the releaser told of it; where there is a ring one for a
 * block that was read between the kernel's closing it and its telling so; and
 * the timer's, as long as the kernel leaves a block open.
 */
static unsigned late_signals(const struct hammer *h)
{
	const enum fdl_mode mode = fdl_get_mode(h->ep);
	const bool ring = mode == FDL_MODE_PACKET_MMAP ||
			  mode == FDL_MODE_ADAPTIVE;
	unsigned n = h->n_links;

	if (h->hand_over && h->n_links > 1)
		n++;
	if (h->hand_over && ring)
		n++;
	if (mode == FDL_MODE_ADAPTIVE)
		n += (unsigned)((netns_now_ms() - h->since) / TIMER_MS);
	return n;
}

static bool is_woken(struct hammer *h, int set)
{
	struct epoll_event ev;

	if (h->fd < 0)
		return fdl_queue_poll(h->l[0]->q, WAIT_MS) == FDL_READABLE;
	return epoll_wait(set, &ev, 1, WAIT_MS) == 1;
}

/* False: it did not wake, and a packet was there all the time. */
static bool wait_for_more(struct hammer *h, int set)
{
	bool waits;

	do {
		waits = atomic_load(&h->fed) > atomic_load(&h->got);
		if (is_woken(h, set))
			return true;
	} while (!waits);
	return false;
}

/*
 * Until all is received: no silence, and no wake-ups in a row for nothing but
 * late signals. Returns what went wrong, or NULL.
 */
static const char *serve(struct hammer *h, int set)
{
	h->since = netns_now_ms();
	while (atomic_load(&h->got) < PACKETS && !h->wrong) {
		if (!wait_for_more(h, set))
			return "silent with a packet waiting";
		h->in_vain++;
		if (sweep(h)) {
			h->in_vain = 0;
			h->since = netns_now_ms();
		}
		if (h->in_vain > late_signals(h))
			return "readable for nothing";
	}
	return h->wrong ? "wrong packet or result" : NULL;
}

static unsigned count_handed(const struct hammer *h)
{
	unsigned i, n = 0;

	for (i = 0; i < HANDED; i++)
		n += atomic_load(&h->handed[i]) != NULL;
	return n;
}

/* All that may tell why. */
static void report(struct hammer *h, const char *wrong)
{
	struct fdl_stats st;
	unsigned i;

	for (i = 0; i < h->n_links; i++) {
		fdl_get_queue_stats(fdl_get_queue(h->ep, i), &st, sizeof(st));
		print_error(
			"queue %u: next is %u, fd %sreadable%s; "
			"%llu received, %llu times without a packet, "
			"%llu dropped by the kernel, ring frozen %llu "
			"times\n",
			i, h->next[i],
			fd_readable(fdl_queue_fd(fdl_get_queue(h->ep, i)), 0) ?
				"" :
				"not ",
			h->starved[i] ? ", pool empty" : "",
			(unsigned long long)st.rx_packets,
			(unsigned long long)st.rx_pool_empty,
			(unsigned long long)st.rx_drop_kernel,
			(unsigned long long)st.rx_ring_frozen);
	}
	if (h->wrong)
		print_error("queue %u: %d, packet %u\n", h->queue, h->result,
			    h->seq);
	print_error("%u wake-ups for nothing since %lld ms\n", h->in_vain,
		    netns_now_ms() - h->since);
	fail_msg("%s: %u fed, %u received, %u handed over", wrong,
		 atomic_load(&h->fed), atomic_load(&h->got), count_handed(h));
}

static void hammer(struct hammer *h)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int set = epoll_create1(EPOLL_CLOEXEC);
	pthread_t feeder, releaser;
	const char *wrong;

	h->seed = 7;
	sem_init(&h->room, 0, IN_FLIGHT);
	sem_init(&h->given, 0, 0);
	if (h->fd >= 0)
		assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, h->fd, &ev), 0);
	assert_int_equal(pthread_create(&feeder, NULL, feed_all, h), 0);
	assert_int_equal(pthread_create(&releaser, NULL, release_all, h), 0);
	wrong = serve(h, set);
	atomic_store(&h->done, true);
	sem_post(&h->room);
	sem_post(&h->given);
	pthread_join(feeder, NULL);
	pthread_join(releaser, NULL);
	sem_destroy(&h->room);
	sem_destroy(&h->given);
	close(set);
	if (wrong)
		report(h, wrong);
}

static void release_handed(struct hammer *h)
{
	struct fdl_packet *pkt;
	unsigned i;

	for (i = 0; i < HANDED; i++) {
		pkt = atomic_exchange(&h->handed[i], NULL);
		fdl_release(&pkt, 1);
	}
}

static void run(struct link *l, int fd, bool hand_over)
{
	struct hammer h = { .l = { l },
			    .n_links = 1,
			    .ep = l->ep,
			    .fd = fd,
			    .hand_over = hand_over };
	struct fdl_packet *pkt;

	hammer(&h);
	release_handed(&h);
	/* A release may wake once more. */
	assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	expect_quiet(l);
}

static void the_queues_fd_is_honest(struct link *l)
{
	run(l, fdl_queue_fd(l->q), false);
}

static void the_endpoints_fd_is_honest(struct link *l)
{
	run(l, fdl_fd(l->ep), false);
}

static void the_queues_poll_is_honest(struct link *l)
{
	run(l, -1, true);
}

static void and_so_with_releases_elsewhere(struct link *l)
{
	run(l, fdl_queue_fd(l->q), true);
}

static void and_so_while_room_to_send_comes_and_goes(struct link *l)
{
	assert_int_equal(fdl_want_write(l->q, true), 0);
	assert_int_equal(fdl_want_write(l->q, false), 0);
	run(l, fdl_fd(l->ep), true);
}

static void run_queues(struct link *l, unsigned pool, bool hand_over)
{
	const struct fdl_options opts = { .pool = pool,
					  .flags = l->kind->flags };
	struct hammer h = { .n_links = QUEUES, .hand_over = hand_over };
	struct link links[QUEUES];
	struct fdl_stats st;
	int fds[QUEUES];
	unsigned i;

	for (i = 0; i < QUEUES; i++) {
		assert_int_equal(link_make(&links[i], l->kind, i + 1), 0);
		h.l[i] = &links[i];
		fds[i] = links[i].fd;
	}
	assert_int_equal(fdl_endpoint_new(&h.ep, fds, QUEUES, &opts), 0);
	h.fd = fdl_fd(h.ep);
	hammer(&h);
	release_handed(&h);
	sweep(&h);
	assert_false(fd_readable(h.fd, 0));
	fdl_get_stats(h.ep, &st, sizeof(st));
	assert_int_equal(st.rx_packets, PACKETS);
	fdl_endpoint_free(h.ep);
	for (i = 0; i < QUEUES; i++)
		link_free(&links[i]);
}

static void one_fd_over_several_queues_is_honest(struct link *l)
{
	run_queues(l, 0, false);
	run_queues(l, 4, true);
}

static const struct expectation table[] = {
	{ .name = "the queue's fd is honest", .test = the_queues_fd_is_honest },
	{ .name = "the endpoint's fd is honest",
	  .test = the_endpoints_fd_is_honest },
	{ .name = "and so with a pool of 2",
	  .opts.pool = 2,
	  .test = the_endpoints_fd_is_honest },
	{ .name = "and so with a pool of 2 and releases elsewhere",
	  .test = and_so_with_releases_elsewhere,
	  .opts.pool = 2 },
	{ .name = "and so with a pool of 5 and releases elsewhere",
	  .test = and_so_with_releases_elsewhere,
	  .opts.pool = 5 },
	{ .name = "and so while room to send comes and goes",
	  .test = and_so_while_room_to_send_comes_and_goes,
	  .opts.pool = 3 },
	{ .name = "the queue's poll is honest",
	  .test = the_queues_poll_is_honest },
	{ .name = "the queue's poll is honest with a pool of 2",
	  .test = the_queues_poll_is_honest,
	  .opts.pool = 2 },
	{ .name = "one fd over several queues is honest",
	  .needs = LINK_UNIX,
	  .not_on = LINK_NAMED,
	  .test = one_fd_over_several_queues_is_honest },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("ready", argv, table, COUNT_OF(table));
}
