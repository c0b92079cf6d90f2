/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in the midst of a call that has found nothing, and forgets what
 * its fds told so far. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "contract.h"
#include "switches.h"

struct epoll_event;

enum { LEN = 100, BATCH = 32, SOME = 3 };

/* Called once, as a call of the library is going to forget edges. */
static void (*at_edges)(struct link *l);
static struct link *at_link;

int64_t __wrap_os_now_us(void);
int __real_os_epoll_wait(int epfd, struct epoll_event *ev, int n,
			 int timeout_ms);
int __wrap_os_epoll_wait(int epfd, struct epoll_event *ev, int n,
			 int timeout_ms);

/* Stands unless hurried: then whatever is next is due. */
int64_t __wrap_os_now_us(void)
{
	const int64_t step = switches.member ? 1000000 : 4000;
	static _Atomic int64_t clock_us;

	return atomic_fetch_add(&clock_us, switches.hurried ? step : 0);
}

int __wrap_os_epoll_wait(int epfd, struct epoll_event *ev, int n,
			 int timeout_ms)
{
	void (*const now)(struct link * l) = at_edges;

	at_edges = NULL;
	if (now)
		now(at_link);
	return __real_os_epoll_wait(epfd, ev, n, timeout_ms);
}

static void feed_some(struct link *l)
{
	unsigned i;

	for (i = 0; i < SOME; i++)
		link_feed(l, LEN, i);
}

/* ... which the ring hands over. */
static void feed_ring(struct link *l)
{
	feed_some(l);
	assert_true(fd_readable(switches.ring, WAIT_MS));
}

/* One for the plain socket before the switch has ended, the others after. */
static void feed_both(struct link *l)
{
	unsigned i;

	link_feed(l, LEN, 0);
	switches_await();
	for (i = 1; i < SOME; i++)
		link_feed(l, LEN, i);
	assert_true(fd_readable(switches.ring, WAIT_MS));
}

/* One packet a call, and after each the fds tell of the others. */
static void expect_all_told(struct link *l, void (*feed)(struct link *l))
{
	struct fdl_packet *pkt;
	unsigned i;
	int n;

	at_link = l;
	at_edges = feed;
	n = fdl_recv(l->q, &pkt, 1);
	/* On a loaded machine the kernel may bring it after the call. */
	if (n == 0) {
		assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
		n = fdl_recv(l->q, &pkt, 1);
	}
	assert_int_equal(n, 1);
	assert_null(at_edges);
	expect_frame(l, pkt, LEN, 0);
	fdl_release(&pkt, 1);
	for (i = 1; i < SOME; i++) {
		assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
		assert_true(fd_readable(fdl_fd(l->ep), 0));
		assert_int_equal(fdl_recv(l->q, &pkt, 1), 1);
		expect_frame(l, pkt, LEN, i);
		fdl_release(&pkt, 1);
	}
	expect_quiet(l);
}

static void deliver(void *link)
{
	struct link *l = link;
	struct fdl_packet *v[BATCH];
	unsigned i;

	for (i = 0; i < BATCH; i++)
		link_feed(l, LEN, i);
	expect_packets(l, v, BATCH);
	fdl_release(v, BATCH);
}

static void what_a_ring_hands_over(struct link *l)
{
	expect_all_told(l, feed_ring);
}

static void what_the_ring_of_adaptive_hands_over(struct link *l)
{
	struct fdl_packet *pkt;

	switches_reset();
	switches_begin(deliver, l);
	switches_await();
	assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	expect_all_told(l, feed_ring);
}

static void what_the_ring_holds_as_a_switch_ends(struct link *l)
{
	switches_reset();
	switches_begin(deliver, l);
	expect_all_told(l, feed_both);
}

static const struct expectation table[] = {
	{ .name = "what a ring hands over during a call is told of",
	  .needs = LINK_OUTGOING,
	  .not_on = LINK_OPENED,
	  .not_in = ~(1U << FDL_MODE_PACKET_MMAP),
	  .test = what_a_ring_hands_over },
	{ .name = "what the ring hands over during a call is told of",
	  .needs = LINK_OPENED,
	  .test = what_the_ring_of_adaptive_hands_over },
	{ .name = "what the ring holds as a switch ends is told of",
	  .needs = LINK_OPENED,
	  .test = what_the_ring_holds_as_a_switch_ends },
};

int main(int argc, char *argv[])
{
	(void)argc;
	switches_reset();
	return contract_run("edge", argv, table, COUNT_OF(table));
}
