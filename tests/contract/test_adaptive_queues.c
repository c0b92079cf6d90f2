/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mode adaptive over several queues: a flow keeps its queue over a thousand
 * switches of both queues under load, and none of its packets is lost, doubled
 * or reordered. The mode's clock is the test's, as in adaptive_bed.c, each
 * reader having one of its own.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

#include "cpu.h"
#include "flows.h"
#include "link.h"
#include "netns.h"
#include "queues_bed.h"
#include "sanitized.h"
#include "switches.h"

enum {
	SWITCHES = SANITIZED ? 100 : 1000,
	FEW = 40,
	LONG_MS = 60000,
	WINDOW = 500,
	BATCH = 32,
	/* So many packets are a load by then. */
	ENOUGH = 2048,
};

struct feeder {
	struct bed *b;
	unsigned index;
	pthread_t thread;
};

static atomic_bool fed;

/* One flow on each queue. */
static void *feed(void *arg)
{
	const struct feeder *f = arg;
	const int sock = flows_socket("fdqp", 0);
	struct flow *flow;
	unsigned i, n;

	cpu_go(f->index);
	while (!fed) {
		for (i = n = 0; i < QUEUES; i++) {
			flow = &f->b->flow[i * FEEDERS + f->index];
			if (flow->sent - flow->got >= WINDOW)
				continue;
			flow_put(flow, sock);
			n++;
		}
		if (n == 0)
			usleep(50);
	}
	close(sock);
	return NULL;
}

static int deliver(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		   int n)
{
	int i;

	for (i = 0; i < n; i++)
		bed_check(ctx, fdl_queue_index(q), v[i]);
	return 0;
}

static bool all_came(struct bed *b)
{
	unsigned i;

	for (i = 0; i < FEEDERS * QUEUES; i++)
		if (b->flow[i].got != b->flow[i].sent)
			return false;
	return true;
}

/* How long a switch takes is the kernel's to say: on a busy machine there are
 * fewer of them. */
static void run_until(struct bed *b, unsigned n)
{
	const struct fdl_dispatcher d = { .deliver = deliver, .ctx = b };
	long long end = netns_now_ms() + LONG_MS;
	struct feeder feeder[FEEDERS];
	unsigned i;

	cpu_roam(&b->cpus);
	fed = false;
	switches.hurried = true;
	assert_int_equal(fdl_attach(b->ep, &d), 0);
	for (i = 0; i < FEEDERS; i++) {
		feeder[i] = (struct feeder){ .b = b, .index = i };
		pthread_create(&feeder[i].thread, NULL, feed, &feeder[i]);
	}
	while (switches_done() < n && b->wrong == 0 &&
	       (switches_done() < FEW || netns_now_ms() < end))
		usleep(1000);
	fed = true;
	for (i = 0; i < FEEDERS; i++)
		pthread_join(feeder[i].thread, NULL);
	end = netns_now_ms() + WAIT_MS;
	while (!all_came(b) && netns_now_ms() < end)
		usleep(1000);
	assert_int_equal(fdl_detach(b->ep), 0);
	switches.hurried = false;
}

static void a_thousand_switches_of_both_under_load(void **state)
{
	static struct bed b;

	(void)state;
	make_bed(&b);
	run_until(&b, SWITCHES);
	bed_expect_all(&b);
	assert_in_range(switches.done[0], switches_done() / 4, SWITCHES);
	assert_in_range(switches.done[1], switches_done() / 4, SWITCHES);
	free_bed(&b);
}

static void take_from(struct bed *b, unsigned queue)
{
	struct fdl_packet *v[BATCH];
	int i, n;

	reading = queue;
	while ((n = fdl_recv(fdl_get_queue(b->ep, queue), v, BATCH)) > 0) {
		for (i = 0; i < n; i++)
			bed_check(b, queue, v[i]);
		fdl_release(v, n);
	}
	assert_int_equal(n, 0);
}

static void take(struct bed *b)
{
	unsigned queue;

	for (queue = 0; queue < QUEUES; queue++)
		take_from(b, queue);
}

/* With the fd readable each time. The other queue does not see its clock go. */
static void deliver_some(struct bed *b, unsigned flow, unsigned n)
{
	const unsigned queue = b->flow[flow].queue;
	struct fdl_queue *q = fdl_get_queue(b->ep, queue);

	while (n-- > 0) {
		flow_put(&b->flow[flow], b->sock);
		if (n % BATCH)
			continue;
		while (!all_came(b) && b->wrong == 0) {
			assert_int_equal(fdl_queue_poll(q, WAIT_MS),
					 FDL_READABLE);
			take_from(b, queue);
		}
	}
	assert_int_equal(b->wrong, 0);
}

struct loaded {
	struct bed *b;
	unsigned flow;
};

static void deliver_batch(void *loaded)
{
	const struct loaded *l = loaded;

	deliver_some(l->b, l->flow, BATCH);
}

/* Have the queue of a flow begin a switch, and no more. It is held. */
static void begin_switch(struct bed *b, unsigned flow)
{
	struct loaded l = { .b = b, .flow = flow };

	switches_begin(deliver_batch, &l);
}

/* Have it use its ring. */
static void load(struct bed *b, unsigned flow)
{
	begin_switch(b, flow);
	switches_await();
	take(b);
}

static void deliver_everywhere(struct bed *b)
{
	unsigned i, k;

	for (k = 0; k < 20; k++)
		for (i = 0; i < FEEDERS * QUEUES; i++)
			deliver_some(b, i, 5);
	bed_expect_all(b);
}

/* Run a test with none, the one, the other and both queues using their ring. */
static void with_rings(void (*test)(struct bed *b))
{
	static struct bed b;
	unsigned rings, i;

	for (rings = 0; rings < 1 << QUEUES; rings++) {
		flows_drop_veth(NULL);
		flows_make_veth(NULL);
		make_bed(&b);
		for (i = QUEUES; i-- > 0;)
			if (rings & 1U << i)
				load(&b, i * FEEDERS);
		assert_int_equal(switches.begun, (rings & 1) + (rings >> 1));
		test(&b);
		free_bed(&b);
	}
}

/* No clock runs. */
static void deliver_and_stay(struct bed *b)
{
	const unsigned before = switches.begun;

	deliver_everywhere(b);
	assert_int_equal(switches.begun, before);
}

static void each_queue_switches_on_its_own(void **state)
{
	(void)state;
	with_rings(deliver_and_stay);
}

static void flap(struct bed *b)
{
	int i;

	for (i = 0; i < 3; i++) {
		netns_set_up("fdq", false);
		netns_wait_stopped("fdqp");
		take(b);
		netns_set_up("fdq", true);
		netns_wait_running("fdq");
		netns_wait_running("fdqp");
		take(b);
		deliver_everywhere(b);
	}
}

static void a_link_may_go_down_and_up(void **state)
{
	(void)state;
	with_rings(flap);
}

static void lose_device(struct bed *b)
{
	const long long end = netns_now_ms() + WAIT_MS;
	struct fdl_packet *pkt;
	unsigned i;
	int r;

	netns_command("ip link del fdq");
	for (i = 0; i < QUEUES; i++) {
		do {
			fdl_queue_poll(fdl_get_queue(b->ep, i), 100);
			r = fdl_recv(fdl_get_queue(b->ep, i), &pkt, 1);
		} while (r == 0 && netns_now_ms() < end);
		assert_int_equal(r, -ENODEV);
	}
}

static void a_device_may_be_deleted(void **state)
{
	(void)state;
	with_rings(lose_device);
}

/* ... while both wait for their switch, one for the other's. */
static void an_endpoint_may_be_freed_amid_switches(void **state)
{
	static struct bed b;

	(void)state;
	make_bed(&b);
	begin_switch(&b, 0);
	switches.hurried = true;
	deliver_some(&b, FEEDERS, ENOUGH);
	switches.hurried = false;
	switches.delay_us = 30000;
	switches.held = false;
	free_bed(&b);
	assert_int_equal(switches_done(), 2);
}

/* The kernel does not take a ring's socket into the group: its queue stays with
 * recvmmsg, and the socket is the other queue's. */
static void a_ring_that_cannot_be_added_is_done_without(void **state)
{
	static struct bed b;

	(void)state;
	make_bed(&b);
	switches.no_entry = -EINVAL;
	begin_switch(&b, 0);
	switches.held = false;
	switches.no_entry = 0;
	deliver_everywhere(&b);
	load(&b, FEEDERS);
	flap(&b);
	switches.hurried = true;
	deliver_some(&b, 0, ENOUGH);
	/* All were the other queue's. */
	assert_in_range(switches.done[0], 1, SWITCHES);
	assert_int_equal(switches.done[1], 0);
	free_bed(&b);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		OVER_VETH(each_queue_switches_on_its_own),
		OVER_VETH(a_link_may_go_down_and_up),
		OVER_VETH(a_device_may_be_deleted),
		OVER_VETH(a_ring_that_cannot_be_added_is_done_without),
		OVER_VETH(an_endpoint_may_be_freed_amid_switches),
		OVER_VETH(a_thousand_switches_of_both_under_load),
	};

	netns_enter(argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_set_up("lo", true);
	return cmocka_run_group_tests_name("adaptive queues", tests, NULL,
					   NULL);
}
