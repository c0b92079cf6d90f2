/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting: what ends a poll and what does not. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>

#include "contract.h"
#include "netns.h"

static void a_poll_times_out(struct link *l)
{
	const long long start = netns_now_ms();

	assert_int_equal(fdl_poll(l->ep, 0), 0);
	assert_int_equal(fdl_queue_poll(l->q, 0), 0);
	assert_int_equal(fdl_poll(l->ep, 20), 0);
	assert_int_equal(fdl_queue_poll(l->q, 20), 0);
	assert_in_range(netns_now_ms() - start, 39, WAIT_MS);
}

static void a_poll_tells_of_a_packet(struct link *l)
{
	link_feed(l, 100, 1);
	assert_int_equal(fdl_poll(l->ep, WAIT_MS), FDL_READABLE);
	assert_int_equal(fdl_queue_poll(l->q, WAIT_MS), FDL_READABLE);
	assert_int_equal(fdl_poll(l->ep, -1), FDL_READABLE);
	expect_received(l, 100, 1);
	expect_quiet(l);
	assert_int_equal(fdl_poll(l->ep, 0), 0);
}

static void a_wake_before_a_poll_ends_the_next_one(struct link *l)
{
	fdl_wake(l->ep);
	assert_int_equal(fdl_poll(l->ep, -1), 0);
	assert_int_equal(fdl_poll(l->ep, 5), 0);
	fdl_wake(l->ep);
	fdl_wake(l->ep);
	assert_int_equal(fdl_queue_poll(l->q, -1), 0);
	link_feed(l, 100, 1);
	assert_int_equal(fdl_queue_poll(l->q, -1), FDL_READABLE);
	assert_int_equal(fdl_poll(l->ep, -1), FDL_READABLE);
}

static void a_wake_does_not_touch_the_pollable_fds(struct link *l)
{
	expect_quiet(l);
	fdl_wake(l->ep);
	assert_false(fd_readable(fdl_fd(l->ep), 0));
	assert_false(fd_readable(fdl_queue_fd(l->q), 0));
	assert_int_equal(fdl_poll(l->ep, -1), 0);
}

struct waker {
	struct link *l;
	atomic_bool polled;
};

static void *wake_often(void *arg)
{
	struct waker *w = arg;

	while (!atomic_load(&w->polled)) {
		fdl_wake(w->l->ep);
		usleep(500);
	}
	return NULL;
}

static void a_wake_from_another_thread_ends_a_poll(struct link *l)
{
	struct waker w = { .l = l };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, wake_often, &w), 0);
	assert_int_equal(fdl_poll(l->ep, -1), 0);
	assert_int_equal(fdl_queue_poll(l->q, -1), 0);
	atomic_store(&w.polled, true);
	pthread_join(thread, NULL);
	fdl_poll(l->ep, 0);
}

struct poller {
	struct fdl_queue *q;
	atomic_int ended;
	int result;
};

static void *poll_for_ever(void *arg)
{
	struct poller *p = arg;

	p->result = fdl_queue_poll(p->q, -1);
	atomic_fetch_add(&p->ended, 1);
	return NULL;
}

static bool is_polling(struct poller *p)
{
	return atomic_load(&p->ended) == 0;
}

/* One wake ends the polls of all queues that are in progress. */
static void a_wake_ends_every_poll_in_progress(struct link *l)
{
	const long long end = netns_now_ms() + WAIT_MS;
	struct poller p[2];
	struct link other;
	struct fdl_endpoint *ep;
	pthread_t threads[2];
	unsigned i;
	int fds[2];

	assert_int_equal(link_make(&other, l->kind, 1), 0);
	fds[0] = l->fd;
	fds[1] = other.fd;
	assert_int_equal(fdl_endpoint_new(&ep, fds, 2,
					  &(struct fdl_options){
						  .flags = l->kind->flags }),
			 0);
	for (i = 0; i < 2; i++) {
		p[i] = (struct poller){ .q = fdl_get_queue(ep, i) };
		assert_int_equal(
			pthread_create(&threads[i], NULL, poll_for_ever, &p[i]),
			0);
	}
	/* Whether they poll already cannot be seen: if not, the wake is for
	 * their next poll, and reaches only one of them; so repeat it. */
	while ((is_polling(&p[0]) || is_polling(&p[1])) &&
	       netns_now_ms() < end) {
		fdl_wake(ep);
		usleep(1000);
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(atomic_load(&p[i].ended), 1);
		assert_int_equal(p[i].result, 0);
		pthread_join(threads[i], NULL);
	}
	fdl_endpoint_free(ep);
	link_free(&other);
}

/* The fd is asked for while, or before, the poll begins: both tell. */
static void a_poll_and_the_fd_tell_of_the_same(struct link *l)
{
	struct poller p = { .q = l->q };
	pthread_t thread;
	int fd;

	assert_int_equal(pthread_create(&thread, NULL, poll_for_ever, &p), 0);
	fd = fdl_queue_fd(l->q);
	assert_false(fd_readable(fd, 0));
	assert_true(is_polling(&p));
	link_feed(l, 100, 0);
	assert_true(fd_readable(fd, WAIT_MS));
	pthread_join(thread, NULL);
	assert_int_equal(p.result, FDL_READABLE);
	expect_received(l, 100, 0);
	assert_false(fd_readable(fd, 0));
}

/* Writability is told only to who asked, and no longer. */
static void want_write_reports_room(struct link *l)
{
	struct epoll_event ev;
	int ep = epoll_create1(EPOLL_CLOEXEC);

	assert_int_equal(fdl_poll(l->ep, 0), 0);
	assert_int_equal(fdl_want_write(l->q, true), 0);
	assert_int_equal(fdl_queue_poll(l->q, WAIT_MS), FDL_WRITABLE);
	assert_int_equal(fdl_poll(l->ep, WAIT_MS), FDL_WRITABLE);
	ev = (struct epoll_event){ .events = EPOLLIN };
	epoll_ctl(ep, EPOLL_CTL_ADD, fdl_fd(l->ep), &ev);
	assert_int_equal(epoll_wait(ep, &ev, 1, WAIT_MS), 1);
	assert_int_equal(fdl_want_write(l->q, true), 0);
	link_feed(l, 100, 1);
	while (fdl_poll(l->ep, WAIT_MS) == FDL_WRITABLE)
		;
	assert_int_equal(fdl_poll(l->ep, WAIT_MS), FDL_READABLE | FDL_WRITABLE);
	assert_int_equal(fdl_queue_poll(l->q, WAIT_MS),
			 FDL_READABLE | FDL_WRITABLE);
	expect_received(l, 100, 1);
	assert_int_equal(fdl_want_write(l->q, false), 0);
	assert_int_equal(fdl_want_write(l->q, false), 0);
	assert_int_equal(epoll_wait(ep, &ev, 1, 0), 0);
	close(ep);
	expect_quiet(l);
}

struct sleeper {
	struct poller poller;
	atomic_int tid;
};

static void *sleep_for_ever(void *arg)
{
	struct sleeper *s = arg;

	atomic_store(&s->tid, gettid());
	return poll_for_ever(&s->poller);
}

/* It polls, and nothing is ready: there is no other place for it to sleep. */
static void await_sleep(struct sleeper *s)
{
	char path[64], state = 'R';
	FILE *stat;

	while (state != 'S') {
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
			 atomic_load(&s->tid));
		stat = fopen(path, "re");
		if (!stat)
			continue;
		if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
			state = 'R';
		fclose(stat);
	}
}

static void *poll_the_endpoint(void *arg)
{
	struct sleeper *s = arg;

	atomic_store(&s->tid, gettid());
	s->poller.result = fdl_poll(fdl_queue_endpoint(s->poller.q), -1);
	atomic_fetch_add(&s->poller.ended, 1);
	return NULL;
}

/* Asked for by the sending thread, while the receiving one polls. */
static void expect_room(struct link *l, void *(*poll)(void *arg))
{
	struct sleeper s = { .poller.q = l->q };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, poll, &s), 0);
	await_sleep(&s);
	assert_int_equal(fdl_want_write(l->q, true), 0);
	pthread_join(thread, NULL);
	assert_int_equal(s.poller.result, FDL_WRITABLE);
	assert_int_equal(fdl_want_write(l->q, false), 0);
}

static void room_is_told_of_in_a_poll_in_progress(struct link *l)
{
	expect_room(l, sleep_for_ever);
}

static void room_is_told_of_in_a_poll_of_the_endpoint(struct link *l)
{
	expect_room(l, poll_the_endpoint);
}

static void who_asks_for_room_ends_no_poll(struct link *l)
{
	const long long start = netns_now_ms();

	assert_int_equal(fdl_want_write(l->q, true), 0);
	assert_int_equal(fdl_want_write(l->q, false), 0);
	assert_int_equal(fdl_poll(l->ep, 40), 0);
	assert_true(netns_now_ms() - start >= 39);
	assert_int_equal(fdl_want_write(l->q, true), 0);
	assert_int_equal(fdl_want_write(l->q, false), 0);
	fdl_wake(l->ep);
	assert_int_equal(fdl_queue_poll(l->q, -1), 0);
}

static int ignore(void *ctx, struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	(void)ctx;
	(void)q;
	(void)v;
	(void)n;
	return 0;
}

static void polls_are_refused_while_attached(struct link *l)
{
	const struct fdl_dispatcher d = { .deliver = ignore };
	struct fdl_packet *pkt;

	assert_int_equal(fdl_attach(l->ep, &d), 0);
	assert_int_equal(fdl_poll(l->ep, 0), -EBUSY);
	assert_int_equal(fdl_queue_poll(l->q, 0), -EBUSY);
	assert_int_equal(fdl_recv(l->q, &pkt, 1), -EBUSY);
	assert_int_equal(fdl_detach(l->ep), 0);
	assert_int_equal(fdl_poll(l->ep, 0), 0);
	link_feed(l, 100, 1);
	expect_received(l, 100, 1);
}

/* Its caller tries again, and is told. */
static void expect_taken_over(struct link *l, void *(*poll)(void *arg))
{
	const struct fdl_dispatcher d = { .deliver = ignore };
	struct sleeper s = { .poller.q = l->q };
	pthread_t thread;
	int i;

	for (i = 0; i < 20; i++) {
		assert_int_equal(pthread_create(&thread, NULL, poll, &s), 0);
		await_sleep(&s);
		assert_int_equal(fdl_attach(l->ep, &d), 0);
		pthread_join(thread, NULL);
		assert_int_equal(s.poller.result, 0);
		assert_int_equal(fdl_queue_poll(l->q, -1), -EBUSY);
		assert_int_equal(fdl_poll(l->ep, -1), -EBUSY);
		assert_int_equal(fdl_detach(l->ep), 0);
		s = (struct sleeper){ .poller.q = l->q };
	}
	assert_int_equal(fdl_poll(l->ep, 0), 0);
}

static void an_attach_ends_a_poll_in_progress(struct link *l)
{
	expect_taken_over(l, poll_the_endpoint);
}

static void an_attach_ends_a_queues_poll_in_progress(struct link *l)
{
	expect_taken_over(l, sleep_for_ever);
}

/* Whoever polls uses up no wake-up that is a reader's. */
static void a_poll_in_progress_holds_up_no_detach(struct link *l)
{
	const struct fdl_dispatcher d = { .deliver = ignore };
	struct sleeper s;
	pthread_t thread;
	int i;

	for (i = 0; i < 20; i++) {
		s = (struct sleeper){ .poller.q = l->q };
		assert_int_equal(
			pthread_create(&thread, NULL, poll_the_endpoint, &s),
			0);
		await_sleep(&s);
		assert_int_equal(fdl_attach(l->ep, &d), 0);
		assert_int_equal(fdl_detach(l->ep), 0);
		while (is_polling(&s.poller)) {
			fdl_wake(l->ep);
			usleep(500);
		}
		pthread_join(thread, NULL);
		assert_int_equal(s.poller.result, 0);
		fdl_poll(l->ep, 0);
		fdl_queue_poll(l->q, 0);
	}
}

static const struct expectation table[] = {
	{ .name = "a poll times out", .test = a_poll_times_out },
	{ .name = "a poll tells of a packet",
	  .test = a_poll_tells_of_a_packet },
	{ .name = "a wake before a poll ends the next one",
	  .test = a_wake_before_a_poll_ends_the_next_one },
	{ .name = "a wake does not touch the pollable fds",
	  .test = a_wake_does_not_touch_the_pollable_fds },
	{ .name = "a wake from another thread ends a poll",
	  .test = a_wake_from_another_thread_ends_a_poll },
	/* Two devices are no one link. */
	{ .name = "a wake ends every poll in progress",
	  .needs = LINK_UNIX,
	  .not_on = LINK_NAMED,
	  .test = a_wake_ends_every_poll_in_progress },
	{ .name = "a poll and the fd tell of the same",
	  .test = a_poll_and_the_fd_tell_of_the_same },
	{ .name = "want_write reports room", .test = want_write_reports_room },
	{ .name = "room is told of in a poll in progress",
	  .test = room_is_told_of_in_a_poll_in_progress },
	{ .name = "room is told of in a poll of the endpoint",
	  .test = room_is_told_of_in_a_poll_of_the_endpoint },
	{ .name = "who asks for room ends no poll",
	  .test = who_asks_for_room_ends_no_poll },
	{ .name = "a poll in progress holds up no detach",
	  .test = a_poll_in_progress_holds_up_no_detach },
	{ .name = "an attach ends a poll in progress",
	  .test = an_attach_ends_a_poll_in_progress },
	{ .name = "an attach ends a queue's poll in progress",
	  .test = an_attach_ends_a_queues_poll_in_progress },
	{ .name = "polls are refused while attached",
	  .test = polls_are_refused_while_attached },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("poll", argv, table, COUNT_OF(table));
}
