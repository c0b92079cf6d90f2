/* SPDX-License-Identifier: Apache-2.0 */
/* Owned threads: delivery, the end, and what a callback may not do. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach_bed.h"

static void packets_are_delivered_in_order(struct link *l)
{
	struct sink s;

	sink_init(&s, l);
	sink_feed(l, 0, 20);
	sink_attach(&s);
	sink_feed(l, 20, 20);
	sink_await(&s, 40, 0);
	assert_int_equal(fdl_detach(l->ep), 0);
	sink_await(&s, 40, 1);
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
		sink_attach(&s);
		sink_feed(l, 0, 10);
		assert_int_equal(fdl_detach(l->ep), 0);
		seen = s.delivered;	/* no lock: nobody else is there */
		assert_int_equal(s.closed, i + 1);
		assert_in_range(seen, 0, 10);
		sink_feed(l, 10, 1);
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
		sink_attach(&s);
		sink_feed(l, i * 3, 3);
		sink_await(&s, i * 3 + 3, i);
		assert_int_equal(fdl_detach(l->ep), 0);
		assert_int_equal(fdl_detach(l->ep), 0);
		sink_await(&s, i * 3 + 3, i + 1);
		assert_int_equal(s.reasons[0], 0);
	}
}

static void attaching_twice_is_refused(struct link *l)
{
	const struct fdl_dispatcher none = { NULL, sink_closed, NULL };
	const struct fdl_dispatcher d = { sink_deliver, sink_closed, NULL };
	struct sink s;

	sink_init(&s, l);
	assert_int_equal(fdl_attach(l->ep, NULL), -EINVAL);
	assert_int_equal(fdl_attach(l->ep, &none), -EINVAL);
	assert_false(fdl_is_attached(l->ep));
	sink_attach(&s);
	assert_int_equal(fdl_attach(l->ep, &d), -EBUSY);
	sink_feed(l, 0, 1);
	sink_await(&s, 1, 0);
	fdl_detach(l->ep);
}

static void a_peers_close_is_told_once(struct link *l)
{
	struct sink s;

	sink_init(&s, l);
	sink_attach(&s);
	sink_feed(l, 0, 30);
	link_hang_up(l);
	sink_await(&s, 30, 1);
	assert_int_equal(s.reasons[0], -ESHUTDOWN);
	assert_int_equal(fdl_wait(l->ep), 0);
	assert_true(fdl_is_attached(l->ep));
	assert_int_equal(fdl_detach(l->ep), 0);
	sink_await(&s, 30, 1);
	/* And again for who attaches to what has ended. */
	sink_attach(&s);
	sink_await(&s, 30, 2);
	assert_int_equal(s.reasons[0], -ESHUTDOWN);
}

static void a_deleted_device_is_told_once(struct link *l)
{
	struct sink s;

	sink_init(&s, l);
	sink_attach(&s);
	link_delete_device(l);
	sink_await(&s, 0, 1);
	assert_int_equal(s.reasons[0], -ENODEV);
	assert_int_equal(fdl_wait(l->ep), 0);
}

static void a_callback_cannot_detach(struct link *l)
{
	struct sink s;
	int i;

	sink_init(&s, l);
	s.try_calls = true;
	sink_attach(&s);
	sink_feed(l, 0, 1);
	sink_await(&s, 1, 0);
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
	sink_attach(&s);
	sink_feed(l, 0, 3);
	sink_await(&s, 3, 0);
	l->uncounted = true;
	assert_int_equal(fdl_endpoint_free(l->ep), 0);
	l->ep = NULL;
	sink_await(&s, 3, 1);
	assert_int_equal(s.reasons[0], 0);
}

static void kept_packets_stay_readable(struct link *l)
{
	uint8_t want[FRAME_MAX];
	struct sink s;
	int i;

	sink_init(&s, l);
	s.keep = 2;
	sink_attach(&s);
	for (i = 0; i < 20; i++) {
		sink_feed(l, (unsigned)i, 1);
		sink_await(&s, (unsigned)i + 1, 0);
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
	sink_attach(&s);
	sink_feed(l, 0, 6);
	sink_await(&s, 4, 0);
	for (i = 0; i < 2; i++) {
		pthread_mutex_lock(&s.lock);
		fdl_release(&s.kept[i], 1);
		pthread_mutex_unlock(&s.lock);
		sink_await(&s, 5 + i, 0);
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
	sink_attach(&s);
	for (seq = 0; seq < 20; seq++) {
		sink_feed(l, seq, 1);
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
	sink_attach(&s);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_readers, l->ep),
			 0);
	sink_feed(l, 0, 1);
	sink_await(&s, 1, 0);
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
	sink_attach(&s);
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
	sink_attach(&s);
	close(peers[1]);
	sink_await(&s, 0, 1);
	assert_int_equal(s.reasons[1], -ESHUTDOWN);
	close(peers[0]);
	sink_await(&s, 0, 2);
	fdl_detach(ep);
	sink_await(&s, 0, QUEUES);
	assert_int_equal(s.reasons[0], -ESHUTDOWN);
	assert_int_equal(s.reasons[2], 0);
	fdl_endpoint_free(ep);
	close(peers[2]);
	for (i = 0; i < QUEUES; i++)
		close(fds[i]);
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
	{ .name = "each queue is closed once",
	  .needs = LINK_EOF | LINK_IP,
	  .test = each_queue_is_closed_once },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("attach", argv, table, COUNT_OF(table));
}
