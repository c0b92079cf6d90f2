/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mode adaptive: over a thousand switches under load no packet is lost, doubled
 * or reordered within its flow, nor are those that are held across one, or come
 * in its midst.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "adaptive_bed.h"
#include "cpu.h"
#include "link.h"
#include "netns.h"
#include "sanitized.h"
#include "switches.h"

enum {
	SWITCHES = SANITIZED ? 100 : 1000,
	FEW = 10,
	LONG_MS = 30000,
	TIMER_MS = 2,		/* of the mode, for an open block */
};

/* Done once, before the edges of the set are looked at. */
static struct bed *awaits_edge;
static void let_an_edge_come(struct bed *b, int epfd);

int __real_os_epoll_wait(int epfd, struct epoll_event *ev, int n,
			 int timeout_ms);
int __wrap_os_epoll_wait(int epfd, struct epoll_event *ev, int n,
			 int timeout_ms);

int __wrap_os_epoll_wait(int epfd, struct epoll_event *ev, int n,
			 int timeout_ms)
{
	struct bed *b = awaits_edge;

	if (b) {
		awaits_edge = NULL;
		let_an_edge_come(b, epfd);
	}
	return __real_os_epoll_wait(epfd, ev, n, timeout_ms);
}

static void *feed(void *arg)
{
	struct feeder *f = arg;
	cpu_go(f->flow);
	while (!f->stop) {
		if (f->sent - f->got < f->window)
			feeder_put(f);
		else
			usleep(50);
	}
	return NULL;
}

static void start_feeders(struct bed *b, unsigned window)
{
	unsigned i;

	for (i = 0; i < FLOWS; i++) {
		b->feeder[i].window = window;
		assert_int_equal(pthread_create(&b->feeder[i].thread, NULL,
						feed, &b->feeder[i]),
				 0);
	}
}

static void stop_feeders(struct bed *b)
{
	unsigned i;

	for (i = 0; i < FLOWS; i++) {
		b->feeder[i].stop = true;
		pthread_join(b->feeder[i].thread, NULL);
		b->feeder[i].stop = false;
	}
}

/* The fd is never readable for nothing twice in a row, but for the timer that
 * runs while the kernel leaves a block open. How long that is, and a switch, is
 * the kernel's to say: on a busy machine there are fewer of them. */
static void take_until(struct bed *b, unsigned n_switches)
{
	const long long end = netns_now_ms() + LONG_MS;
	long long since = netns_now_ms();
	unsigned in_vain = 0;

	while (switches_done() < n_switches &&
	       (switches_done() < FEW || netns_now_ms() < end)) {
		assert_int_equal(fdl_queue_poll(b->q, WAIT_MS), FDL_READABLE);
		in_vain++;
		if (bed_take(b)) {
			in_vain = 0;
			since = netns_now_ms();
		}
		assert_in_range(in_vain, 0,
				1 + (netns_now_ms() - since) / TIMER_MS);
	}
}

static void switch_under_load(unsigned n_switches, unsigned window)
{
	static struct bed b;

	bed_make(&b);
	cpu_roam(&b.cpus);
	switches.hurried = true;
	start_feeders(&b, window);
	take_until(&b, n_switches);
	stop_feeders(&b);
	bed_take_all(&b);
	bed_expect_no_drops(&b);
	bed_free(&b);
}

/* There is always something to read, ... */
static void a_thousand_switches_under_load(void **state)
{
	(void)state;
	switch_under_load(SWITCHES, 1500);
}

/* ... and often nothing. */
static void switches_under_a_light_load(void **state)
{
	(void)state;
	switch_under_load(SWITCHES / 10, 20);
}

static void packets_of_the_ring_may_be_held_across_a_switch(void **state)
{
	static struct bed b;
	struct fdl_packet *v[BATCH];
	unsigned n = 0, i;
	int r;

	(void)state;
	bed_make(&b);
	bed_enter(&b, RING);
	bed_put(&b, BATCH);
	while (n < BATCH) {
		fdl_queue_poll(b.q, WAIT_MS);
		r = fdl_recv(b.q, v + n, (int)(BATCH - n));
		assert_in_range(r, 0, BATCH - n);
		n += (unsigned)r;
	}
	for (i = 0; i < BATCH; i++)
		bed_check(&b, v[i]);
	bed_begin_switch(&b);
	bed_await_switch(&b);
	bed_deliver(&b);
	fdl_release(v, BATCH);
	bed_begin_switch(&b);
	bed_await_switch(&b);
	bed_deliver(&b);
	bed_free(&b);
}

/* A reader that takes what a poll told of, and polls again, may never find the
 * ring empty. */
static void the_ring_is_left_by_one_packet_at_a_time(void **state)
{
	const long long end = netns_now_ms() + WAIT_MS;
	static struct bed b;
	unsigned n;

	(void)state;
	bed_make(&b);
	bed_enter(&b, RING);
	n = switches.begun;
	switches.held = true;
	switches.hurried = true;
	while (switches.begun == n && netns_now_ms() < end) {
		bed_put(&b, 1);
		assert_int_equal(fdl_queue_poll(b.q, WAIT_MS), FDL_READABLE);
		bed_take_once(&b);
	}
	assert_int_equal(switches.begun, n + 1);
	switches.hurried = false;
	bed_take_all(&b);
	bed_await_switch(&b);
	bed_deliver(&b);
	bed_free(&b);
}

/* One packet after the switch, and a poll that sees an edge takes it from
 * none. */
static void let_an_edge_come(struct bed *b, int epfd)
{
	struct pollfd p = { .fd = epfd, .events = POLLIN };

	switches_await();
	bed_put(b, 1);
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

/* The one edge that tells of the ring's first block is there, and so is the end
 * of the switch, as the edges so far are forgotten. */
static void an_edge_is_not_lost_at_the_end_of_a_switch(void **state)
{
	static struct bed b;

	(void)state;
	bed_make(&b);
	bed_begin_switch(&b);
	assert_int_equal(switches_done(), 0);
	awaits_edge = &b;
	bed_take(&b);
	assert_null(awaits_edge);
	assert_int_equal(switches_done(), 1);
	bed_take_all(&b);
	bed_expect_no_drops(&b);
	bed_free(&b);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			packets_of_the_ring_may_be_held_across_a_switch),
		cmocka_unit_test(the_ring_is_left_by_one_packet_at_a_time),
		cmocka_unit_test(an_edge_is_not_lost_at_the_end_of_a_switch),
		cmocka_unit_test(switches_under_a_light_load),
		cmocka_unit_test(a_thousand_switches_under_load),
	};

	netns_enter(argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("adaptive switches", tests, NULL,
					   NULL);
}
