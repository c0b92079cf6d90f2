/* SPDX-License-Identifier: Apache-2.0 */
/* Owned threads: delivery, the end, and what a callback may not do. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>

#include "contract.h"
#include "netns.h"

enum { QUEUES = 3, KEPT_MAX = 64 };

/* What the callbacks saw; they must not assert, being on other threads. */
struct sink {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct link *l;
	unsigned delivered;
	bool wrong;			/* a frame was not the next one */
	unsigned closed;
	int reasons[QUEUES];
	int keep;			/* keep so many of each batch */
	struct fdl_packet *kept[KEPT_MAX];
	int nkept;
	int from_callback[3];		/* what detach, wait, free returned */
	bool try_calls;
	bool echo;
};

static void sink_init(struct sink *s, struct link *l)
{
	*s = (struct sink){ .l = l, .reasons = { 1, 1, 1 } };
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
}

static void try_calls(struct sink *s)
{
	s->from_callback[0] = fdl_detach(s->l->ep);
	s->from_callback[1] = fdl_wait(s->l->ep);
	s->from_callback[2] = fdl_endpoint_free(s->l->ep);
}

static void look_at(struct sink *s, const struct fdl_packet *pkt)
{
	uint8_t want[FRAME_MAX];

	frame_make(s->l, false, want, pkt->len, s->delivered);
	if (pkt->len != frame_len(s->delivered) ||
	    memcmp(pkt->data, want, pkt->len) != 0)
		s->wrong = true;
	s->delivered++;
}

static int deliver(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		   int n)
{
	struct sink *s = ctx;
	int i, k = 0;

	pthread_mutex_lock(&s->lock);
	for (i = 0; i < n; i++)
		look_at(s, v[i]);
	while (k < s->keep && k < n && s->nkept < KEPT_MAX)
		s->kept[s->nkept++] = v[k++];
	if (s->try_calls)
		try_calls(s);
	if (s->echo)
		k = fdl_send(q, v, n);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return k;
}

static void closed(void *ctx, struct fdl_queue *q, int reason)
{
	struct sink *s = ctx;

	pthread_mutex_lock(&s->lock);
	s->closed++;
	s->reasons[fdl_queue_index(q)] = reason;
	if (s->try_calls)
		try_calls(s);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void attach(struct sink *s)
{
	const struct fdl_dispatcher d = { deliver, closed, s };

	assert_int_equal(fdl_attach(s->l->ep, &d), 0);
	assert_true(fdl_is_attached(s->l->ep));
}

/* Wait until so many were delivered and closed. */
static void await(struct sink *s, unsigned delivered, unsigned ends)
{
	struct timespec end;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += WAIT_MS / 1000;
	pthread_mutex_lock(&s->lock);
	while (!err && (s->delivered < delivered || s->closed < ends))
		err = pthread_cond_timedwait(&s->changed, &s->lock, &end);
	assert_int_equal(s->delivered, delivered);
	assert_int_equal(s->closed, ends);
	assert_false(s->wrong);
	pthread_mutex_unlock(&s->lock);
}

static void feed_many(struct link *l, unsigned from, unsigned n)
{
	unsigned seq;

	for (seq = from; seq < from + n; seq++)
		link_feed(l, frame_len(seq), seq);
}

static void packets_are_delivered_in_order(struct link *l)
{
	struct sink s;

	sink_init(&s, l);
	feed_many(l, 0, 20);
	attach(&s);
	feed_many(l, 20, 20);
	await(&s, 40, 0);
	assert_int_equal(fdl_detach(l->ep), 0);
	await(&s, 40, 1);
	assert_int_equal(s.reasons[0], 0);
	assert_false(fdl_is_attached(l->ep));
}

static void nothing_is_delivered_after_detach(struct link *l)
{
	struct sink s;
	unsigned i;

	sink_init(&s, l);
	for (i = 0; i < 20; i++) {
		unsigned seen;

		s.delivered = 0;
		attach(&s);
		feed_many(l, 0, 10);
		assert_int_equal(fdl_detach(l->ep), 0);
		seen = s.delivered;	/* no lock: nobody else is there */
		assert_int_equal(s.closed, i + 1);
		assert_in_range(seen, 0, 10);
		feed_many(l, 10, 1);
		/* What is left is there for the caller himself. */
		for (; seen < 11; seen++)
			expect_received(l, frame_len(seen), seen);
	}
	assert_false(s.wrong);
}

static void attaching_again_works(struct link *l)
{
	struct sink s;
	unsigned i;

	sink_init(&s, l);
	for (i = 0; i < 10; i++) {
		attach(&s);
		feed_many(l, i * 3, 3);
		await(&s, i * 3 + 3, i);
		assert_int_equal(fdl_detach(l->ep), 0);
		assert_int_equal(fdl_detach(l->ep), 0);
		await(&s, i * 3 + 3, i + 1);
		assert_int_equal(s.reasons[0], 0);
	}
}

static void attaching_twice_is_refused(struct link *l)
{
	const struct fdl_dispatcher none = { NULL, closed, NULL };
	const struct fdl_dispatcher d = { deliver, closed, NULL };
	struct sink s;

	sink_init(&s, l);
	assert_int_equal(fdl_attach(l->ep, NULL), -EINVAL);
	assert_int_equal(fdl_attach(l->ep, &none), -EINVAL);
	assert_false(fdl_is_attached(l->ep));
	attach(&s);
	assert_int_equal(fdl_attach(l->ep, &d), -EBUSY);
	feed_many(l, 0, 1);
	await(&s, 1, 0);
	fdl_detach(l->ep);
}

static void a_peers_close_is_told_once(struct link *l)
{
	struct sink s;

	sink_init(&s, l);
	attach(&s);
	feed_many(l, 0, 30);
	link_hang_up(l);
	await(&s, 30, 1);
	assert_int_equal(s.reasons[0], -ESHUTDOWN);
	assert_int_equal(fdl_wait(l->ep), 0);
	assert_true(fdl_is_attached(l->ep));
	assert_int_equal(fdl_detach(l->ep), 0);
	await(&s, 30, 1);
	/* And again for who attaches to what has ended. */
	attach(&s);
	await(&s, 30, 2);
	assert_int_equal(s.reasons[0], -ESHUTDOWN);
}

static void a_deleted_device_is_told_once(struct link *l)
{
	struct sink s;

	sink_init(&s, l);
	attach(&s);
	link_delete_device(l);
	await(&s, 0, 1);
	assert_int_equal(s.reasons[0], -ENODEV);
	assert_int_equal(fdl_wait(l->ep), 0);
}

static void a_callback_cannot_detach(struct link *l)
{
	struct sink s;
	int i;

	sink_init(&s, l);
	s.try_calls = true;
	attach(&s);
	feed_many(l, 0, 1);
	await(&s, 1, 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(s.from_callback[i], -EDEADLK);
	memset(s.from_callback, 0, sizeof(s.from_callback));
	assert_int_equal(fdl_detach(l->ep), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(s.from_callback[i], -EDEADLK);
}

static void a_free_detaches(struct link *l)
{
	struct sink s;

	sink_init(&s, l);
	attach(&s);
	feed_many(l, 0, 3);
	await(&s, 3, 0);
	l->uncounted = true;
	assert_int_equal(fdl_endpoint_free(l->ep), 0);
	l->ep = NULL;
	await(&s, 3, 1);
	assert_int_equal(s.reasons[0], 0);
}

static void kept_packets_stay_readable(struct link *l)
{
	uint8_t want[FRAME_MAX];
	struct sink s;
	int i;

	sink_init(&s, l);
	s.keep = 2;
	attach(&s);
	for (i = 0; i < 20; i++) {
		feed_many(l, (unsigned)i, 1);
		await(&s, (unsigned)i + 1, 0);
	}
	fdl_detach(l->ep);
	assert_int_equal(s.nkept, 20);
	for (i = 0; i < 20; i++) {
		frame_make(l, false, want, frame_len((unsigned)i), (unsigned)i);
		assert_memory_equal(s.kept[i]->data, want,
				    frame_len((unsigned)i));
	}
	fdl_release(s.kept, s.nkept);
}

/* A dispatcher that keeps all stops the flow until it releases, no more. */
static void an_empty_pool_pauses_delivery(struct link *l)
{
	struct sink s;
	unsigned i;

	sink_init(&s, l);
	s.keep = KEPT_MAX;
	attach(&s);
	feed_many(l, 0, 6);
	await(&s, 4, 0);
	for (i = 0; i < 2; i++) {
		pthread_mutex_lock(&s.lock);
		fdl_release(&s.kept[i], 1);
		pthread_mutex_unlock(&s.lock);
		await(&s, 5 + i, 0);
	}
	fdl_detach(l->ep);
	fdl_release(s.kept + 2, s.nkept - 2);
}

static void a_callback_may_send(struct link *l)
{
	uint8_t got[FRAME_MAX];
	struct sink s;
	unsigned seq;

	sink_init(&s, l);
	s.echo = true;
	attach(&s);
	for (seq = 0; seq < 20; seq++) {
		feed_many(l, seq, 1);
		l->tx_offered++;
		assert_int_equal(link_collect(l, got, sizeof(got), WAIT_MS),
				 frame_len(seq));
		assert_int_equal(frame_seq(l, got), seq);
	}
	fdl_detach(l->ep);
}

static void *wait_for_readers(void *arg)
{
	fdl_wait(arg);
	return NULL;
}

static void wait_ends_with_the_readers(struct link *l)
{
	pthread_t thread;
	struct sink s;

	assert_int_equal(fdl_wait(l->ep), 0);
	sink_init(&s, l);
	attach(&s);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_readers, l->ep),
			 0);
	feed_many(l, 0, 1);
	await(&s, 1, 0);
	fdl_detach(l->ep);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

/* Signals are for the program's own threads: none reaches a reader. */
static void readers_take_no_signals(struct link *l)
{
	const struct timespec soon = { .tv_sec = 1 };
	sigset_t set, old;
	struct sink s;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sink_init(&s, l);
	attach(&s);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	kill(getpid(), SIGUSR2);	/* would kill the process */
	assert_int_equal(sigtimedwait(&set, NULL, &soon), SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	fdl_detach(l->ep);
}

/* As many ends as queues, each with its own reason. */
static void each_queue_is_closed_once(struct link *l)
{
	int fds[QUEUES], peers[QUEUES], pair[2], i;
	struct fdl_endpoint *ep;
	struct link multi;
	struct sink s;

	for (i = 0; i < QUEUES; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair),
				 0);
		fds[i] = pair[0];
		peers[i] = pair[1];
	}
	assert_int_equal(fdl_endpoint_new(&ep, fds, QUEUES, NULL), 0);
	assert_int_equal(fdl_queues(ep), QUEUES);
	multi = (struct link){ .kind = l->kind, .ep = ep };
	sink_init(&s, &multi);
	attach(&s);
	close(peers[1]);
	await(&s, 0, 1);
	assert_int_equal(s.reasons[1], -ESHUTDOWN);
	close(peers[0]);
	await(&s, 0, 2);
	fdl_detach(ep);
	await(&s, 0, QUEUES);
	assert_int_equal(s.reasons[0], -ESHUTDOWN);
	assert_int_equal(s.reasons[2], 0);
	fdl_endpoint_free(ep);
	close(peers[2]);
	for (i = 0; i < QUEUES; i++)
		close(fds[i]);
}

/* What is left for who waits for the fd. */
static void wake_and_close(void *ctx, struct fdl_queue *q, int reason)
{
	struct sink *s = ctx;

	fdl_wake(s->l->ep);
	closed(ctx, q, reason);
}

static void a_wake_while_attached_is_the_callers(struct link *l)
{
	struct sink s;

	sink_init(&s, l);
	attach(&s);
	fdl_wake(l->ep);
	feed_many(l, 0, 3);
	await(&s, 3, 0);
	assert_int_equal(fdl_detach(l->ep), 0);
	assert_int_equal(fdl_poll(l->ep, -1), 0);
	assert_int_equal(fdl_queue_poll(l->q, -1), 0);
}

static void a_wake_as_readers_end_is_the_callers(struct link *l)
{
	struct fdl_dispatcher d = { deliver, wake_and_close, NULL };
	struct sink s;
	int i;

	for (i = 0; i < 10; i++) {
		sink_init(&s, l);
		d.ctx = &s;
		assert_int_equal(fdl_attach(l->ep, &d), 0);
		assert_int_equal(fdl_detach(l->ep), 0);
		await(&s, 0, 1);
		assert_int_equal(fdl_poll(l->ep, -1), 0);
		assert_int_equal(fdl_queue_poll(l->q, -1), 0);
	}
}

static void no_wake_is_left_by_a_detach(struct link *l)
{
	const long long start = netns_now_ms();
	struct sink s;

	sink_init(&s, l);
	attach(&s);
	assert_int_equal(fdl_detach(l->ep), 0);
	assert_int_equal(fdl_poll(l->ep, 20), 0);
	assert_int_equal(fdl_queue_poll(l->q, 20), 0);
	assert_true(netns_now_ms() - start >= 40);
}

/* Receives, till it is told that others do. */
static void *receive_till_busy(void *arg)
{
	struct sink *s = arg;
	struct fdl_packet *v[4];
	int i, n;

	while ((n = fdl_recv(s->l->q, v, 4)) >= 0) {
		pthread_mutex_lock(&s->lock);
		for (i = 0; i < n; i++)
			look_at(s, v[i]);
		pthread_mutex_unlock(&s->lock);
		fdl_release(v, n);
	}
	return (void *)(intptr_t)n;
}

/* Each packet goes to one of them, and none is lost between. */
static void attach_takes_the_turn_of_a_receive(struct link *l)
{
	pthread_t thread;
	struct sink s;
	void *result;
	unsigned i;

	sink_init(&s, l);
	for (i = 0; i < 50; i++) {
		assert_int_equal(
			pthread_create(&thread, NULL, receive_till_busy, &s),
			0);
		feed_many(l, i * 8, 4);
		attach(&s);
		feed_many(l, i * 8 + 4, 4);
		await(&s, i * 8 + 8, i);
		pthread_join(thread, &result);
		assert_int_equal((intptr_t)result, -EBUSY);
		assert_int_equal(fdl_detach(l->ep), 0);
	}
}

/* As a program does that confines itself: poll(2) takes no more fds than the
 * limit says, be they open already. */
static void readers_outlive_a_lowered_fd_limit(struct link *l)
{
	struct rlimit before, low;
	struct sink s;

	sink_init(&s, l);
	attach(&s);
	feed_many(l, 0, 3);
	await(&s, 3, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	feed_many(l, 3, 3);
	await(&s, 6, 0);
	fdl_wake(l->ep);
	feed_many(l, 6, 3);
	await(&s, 9, 0);
	assert_int_equal(fdl_detach(l->ep), 0);
	assert_int_equal(s.reasons[0], 0);
	assert_int_equal(fdl_queue_poll(l->q, -1), 0);
	assert_int_equal(fdl_poll(l->ep, -1), 0);
	feed_many(l, 9, 1);
	assert_int_equal(fdl_poll(l->ep, -1), FDL_READABLE);
	expect_received(l, frame_len(9), 9);
	assert_int_equal(fdl_queue_poll(l->q, QUIET_MS), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* How many fds the process's epoll sets watch. */
static unsigned watched_fds(void)
{
	char path[PATH_MAX], line[256];
	DIR *dir = opendir("/proc/self/fdinfo");
	struct dirent *e;
	unsigned n = 0;
	FILE *info;

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", e->d_name);
		info = fopen(path, "re");
		while (info && fgets(line, sizeof(line), info))
			n += !strncmp(line, "tfd:", 4);
		if (info)
			fclose(info);
	}
	closedir(dir);
	return n;
}

/* Who never asked for a pollable fd does not pay for one. */
static void an_attachment_watches_no_fds(struct link *l)
{
	int fds[2], peers[2];
	struct fdl_endpoint *ep;
	struct link multi;
	unsigned before;
	struct sink s;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, peers), 0);
	assert_int_equal(
		fdl_endpoint_new(&ep, (int[]){ fds[0], peers[0] }, 2, NULL), 0);
	multi = (struct link){ .kind = l->kind, .ep = ep };
	sink_init(&s, &multi);
	before = watched_fds();
	attach(&s);
	fdl_detach(ep);
	assert_int_equal(watched_fds(), before);
	fdl_endpoint_free(ep);
	close(fds[0]);
	close(fds[1]);
	close(peers[0]);
	close(peers[1]);
}

static const struct expectation table[] = {
	{ .name = "packets are delivered in order",
	  .test = packets_are_delivered_in_order },
	{ .name = "nothing is delivered after detach",
	  .test = nothing_is_delivered_after_detach },
	{ .name = "attaching again works", .test = attaching_again_works },
	{ .name = "attaching twice is refused",
	  .test = attaching_twice_is_refused },
	{ .name = "a peer's close is told once",
	  .test = a_peers_close_is_told_once,
	  .needs = LINK_EOF },
	{ .name = "a deleted device is told once",
	  .test = a_deleted_device_is_told_once,
	  .needs = LINK_TUNTAP },
	{ .name = "a callback cannot detach",
	  .test = a_callback_cannot_detach },
	{ .name = "a free detaches", .test = a_free_detaches },
	{ .name = "kept packets stay readable",
	  .test = kept_packets_stay_readable },
	{ .name = "an empty pool pauses delivery",
	  .test = an_empty_pool_pauses_delivery,
	  .opts.pool = 4 },
	{ .name = "a callback may send", .test = a_callback_may_send },
	{ .name = "wait ends with the readers",
	  .test = wait_ends_with_the_readers },
	{ .name = "readers take no signals", .test = readers_take_no_signals },
	{ .name = "a wake while attached is the caller's",
	  .test = a_wake_while_attached_is_the_callers },
	{ .name = "a wake as readers end is the caller's",
	  .test = a_wake_as_readers_end_is_the_callers },
	{ .name = "no wake is left by a detach",
	  .test = no_wake_is_left_by_a_detach },
	{ .name = "attach takes the turn of a receive",
	  .test = attach_takes_the_turn_of_a_receive },
	{ .name = "readers outlive a lowered fd limit",
	  .test = readers_outlive_a_lowered_fd_limit },
	{ .name = "an attachment watches no fds",
	  .needs = LINK_EOF | LINK_IP,
	  .test = an_attachment_watches_no_fds },
	{ .name = "each queue is closed once",
	  .needs = LINK_EOF | LINK_IP,
	  .test = each_queue_is_closed_once },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("attach", argv, table, COUNT_OF(table));
}
