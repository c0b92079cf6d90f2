/* SPDX-License-Identifier: Apache-2.0 */
/* The counters: names, sizes, threads, and what the kernel dropped. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "contract.h"

enum { FLOOD = 5000, SMALLEST_RING = 1 };

static void counters_are_named(struct link *l)
{
	struct fdl_stats st;
	unsigned i, j;

	link_feed(l, 100, 1);
	expect_received(l, 100, 1);
	link_stats(l, &st);
	for (i = 0; fdl_stats_name(i); i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(fdl_stats_name(i),
						fdl_stats_name(j));
	assert_int_equal(i, sizeof(st) / sizeof(uint64_t));
	assert_null(fdl_stats_name(i + 1));
	assert_string_equal(fdl_stats_name(0), "rx_packets");
	assert_int_equal(fdl_stats_value(&st, 0), 1);
	assert_int_equal(fdl_stats_value(&st, 1), 100);
	st.tx_drop_other = 77;
	i = offsetof(struct fdl_stats, tx_drop_other) / sizeof(uint64_t);
	assert_string_equal(fdl_stats_name(i), "tx_drop_other");
	assert_int_equal(fdl_stats_value(&st, i), 77);
}

/* A caller built against another version of the struct. */
static void a_size_is_respected(struct link *l)
{
	struct {
		struct fdl_stats st;
		uint64_t more[2], guard;
	} big;
	uint64_t small[3];

	link_feed(l, 100, 1);
	expect_received(l, 100, 1);
	memset(&big, 0xff, sizeof(big));
	fdl_get_stats(l->ep, &big.st, sizeof(big.st) + sizeof(big.more));
	assert_int_equal(big.st.rx_packets, 1);
	assert_int_equal(big.more[0], 0);
	assert_int_equal(big.more[1], 0);
	assert_int_equal(big.guard, UINT64_MAX);
	memset(small, 0xff, sizeof(small));
	fdl_get_stats(l->ep, (struct fdl_stats *)(void *)small, 16);
	assert_int_equal(small[0], 1);
	assert_int_equal(small[1], 100);
	assert_int_equal(small[2], UINT64_MAX);
}

static void queue_counters_add_up(struct link *l)
{
	struct fdl_packet *pkt = frame_packet(l, 100, 1);
	struct fdl_stats all, one;

	link_feed(l, 100, 1);
	expect_received(l, 100, 1);
	expect_sent(l, &pkt, 1);
	link_stats(l, &all);
	assert_in_range(fdl_get_queue_stats(l->q, &one, sizeof(one)), 0, 1);
	assert_int_equal(one.rx_packets, 1);
	assert_int_equal(one.tx_packets, 1);
	assert_memory_equal(&one, &all, sizeof(one));
}

struct watcher {
	struct link *l;
	atomic_bool stop;
	bool went_back;
};

static void *watch(void *arg)
{
	struct watcher *w = arg;
	struct fdl_stats st, last = { 0 };

	while (!atomic_load(&w->stop)) {
		fdl_get_stats(w->l->ep, &st, sizeof(st));
		if (st.rx_packets < last.rx_packets ||
		    st.tx_packets < last.tx_packets)
			w->went_back = true;
		last = st;
	}
	return NULL;
}

static void another_thread_may_read_them(struct link *l)
{
	struct watcher w = { .l = l };
	struct fdl_packet *pkt;
	uint8_t buf[FRAME_MAX];
	pthread_t thread;
	unsigned seq;

	assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
	for (seq = 0; seq < 500; seq++) {
		link_feed(l, 100, seq);
		expect_received(l, 100, seq);
		pkt = frame_packet(l, 100, seq);
		expect_sent(l, &pkt, 1);
		assert_int_equal(link_collect(l, buf, sizeof(buf), WAIT_MS),
				 100);
	}
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	assert_false(w.went_back);
}

/* More than a device's 1000 packets, or a socket's buffer: the sender is not
 * told, so we have to. */
static void flood(struct link *l)
{
	const int small = 1;
	unsigned seq;

	setsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (seq = 0; seq < FLOOD; seq++)
		link_feed(l, 100, seq);
}

static void what_the_kernel_dropped_is_counted(struct link *l)
{
	struct fdl_stats st, again;
	unsigned seq, left, fed = 0;

	/* A ring takes many times what a device or a socket does. */
	do {
		flood(l);
		fed += FLOOD;
		link_stats(l, &st);
	} while (st.rx_drop_kernel == 0 && fed < 200 * FLOOD);
	assert_in_range(st.rx_drop_kernel, 1, fed - 1);
	left = fed - (unsigned)st.rx_drop_kernel;
	for (seq = 0; seq < left; seq++)
		expect_received(l, 100, seq % FLOOD);
	expect_quiet(l);
	link_stats(l, &again);
	assert_int_equal(again.rx_drop_kernel, st.rx_drop_kernel);
	assert_int_equal(again.rx_packets, left);
}

/* Nobody has asked for them before. */
static void drops_are_known_when_the_device_is_gone(struct link *l)
{
	struct fdl_stats st, again;

	flood(l);
	link_delete_device(l);
	assert_int_equal(expect_end(l), -ENODEV);
	fdl_get_stats(l->ep, &st, sizeof(st));
	assert_in_range(st.rx_drop_kernel, 1, FLOOD - 1);
	assert_int_equal(fdl_recv(l->q, NULL, 0), -ENODEV);
	fdl_get_stats(l->ep, &again, sizeof(again));
	assert_int_equal(again.rx_drop_kernel, st.rx_drop_kernel);
	/* What still waited to be read is gone with the device. */
	l->uncounted = true;
}

/* Drops from before the endpoint was made are not its own. */
static void older_drops_are_not_ours(struct link *l)
{
	struct fdl_stats st;

	fdl_endpoint_free(l->ep);
	l->ep = NULL;
	flood(l);
	assert_int_equal(link_endpoint(l, FDL_MODE_AUTO, NULL), 0);
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_kernel, 0);
	l->uncounted = true;
}

static const struct expectation table[] = {
	{ .name = "counters are named", .test = counters_are_named },
	{ .name = "a size is respected", .test = a_size_is_respected },
	{ .name = "queue counters add up", .test = queue_counters_add_up },
	{ .name = "another thread may read them",
	  .test = another_thread_may_read_them },
	{ .name = "what the kernel dropped is counted",
	  .test = what_the_kernel_dropped_is_counted,
	  .needs = LINK_DEVICE,
	  .opts = { .ring_bytes = SMALLEST_RING } },
	{ .name = "drops are known when the device is gone",
	  .test = drops_are_known_when_the_device_is_gone,
	  .needs = LINK_TUNTAP },
	{ .name = "older drops are not ours",
	  .test = older_drops_are_not_ours,
	  .needs = LINK_DEVICE },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("stats", argv, table, COUNT_OF(table));
}
