/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mode adaptive: over a thousand switches under load no packet is lost, doubled
 * or reordered within its flow. The mode's clock is the test's, such that every
 * few packets look like a load, and every pause like an idle link.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

#include "cpu.h"
#include "link.h"
#include "netns.h"
#include "sanitized.h"
#include "switches.h"

enum {
	FLOWS = 2,
	FRAME = 60,
	SWITCHES = SANITIZED ? 100 : 1000,
	FEW = 10,
	LONG_MS = 60000,
	FLOOD = 20000,
	BATCH = 32,
	TIMER_MS = 2,		/* of the mode, for an open block */
};

/* Where the mode can be for long. */
enum phase {
	PLAIN,
	TO_RING,
	RING,
	TO_PLAIN,
	PHASES,
};

/* Stands unless hurried: then whatever is next is due. */
static _Atomic int64_t clock_us;

/* Done once, before the edges of the set are looked at. */
struct bed;
static struct bed *awaits_edge;
static void let_an_edge_come(struct bed *b, int epfd);

int64_t __wrap_os_now_us(void);
int __real_os_epoll_wait(int epfd, struct epoll_event *ev, int n,
			 int timeout_ms);
int __wrap_os_epoll_wait(int epfd, struct epoll_event *ev, int n,
			 int timeout_ms);

int64_t __wrap_os_now_us(void)
{
	const int64_t step = switches.member ? 1000000 : 4000;

	return atomic_fetch_add(&clock_us, switches.hurried ? step : 0);
}

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

struct feeder {
	pthread_t thread;
	unsigned flow;
	int sock;
	unsigned window;		/* packets on their way at most */
	atomic_uint sent, got;
	atomic_bool stop;
};

struct bed {
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	struct feeder feeder[FLOWS];
	unsigned n;
	bool lossy;
	cpu_set_t cpus;		/* to run on afterwards */
};

static int packet_socket(const char *dev)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(dev),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void put(struct feeder *f)
{
	uint8_t frame[FRAME] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5,
	};
	unsigned seq = f->sent;

	memcpy(frame + 14, &f->flow, sizeof(f->flow));
	memcpy(frame + 18, &seq, sizeof(seq));
	while (send(f->sock, frame, FRAME, 0) != FRAME)
		;
	f->sent = seq + 1;
}

static void *feed(void *arg)
{
	struct feeder *f = arg;
	cpu_go(f->flow);
	while (!f->stop) {
		if (f->sent - f->got < f->window)
			put(f);
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

static void check(struct bed *b, const struct fdl_packet *pkt)
{
	unsigned flow, seq;

	assert_int_equal(pkt->len, FRAME);
	memcpy(&flow, pkt->data + 14, sizeof(flow));
	memcpy(&seq, pkt->data + 18, sizeof(seq));
	assert_in_range(flow, 0, FLOWS - 1);
	if (!b->lossy)
		assert_int_equal(seq, b->feeder[flow].got);
	assert_in_range(seq, b->feeder[flow].got, b->feeder[flow].sent);
	b->feeder[flow].got = seq + 1;
	b->n++;
}

/* What one call gives. Returns how much. */
static int take_once(struct bed *b)
{
	struct fdl_packet *v[BATCH];
	int i, n = fdl_recv(b->q, v, BATCH);

	assert_in_range(n, 0, BATCH);
	for (i = 0; i < n; i++)
		check(b, v[i]);
	fdl_release(v, n);
	return n;
}

/* What there is. Returns how much. */
static int take(struct bed *b)
{
	int n, total = 0;

	while ((n = take_once(b)) > 0)
		total += n;
	return total;
}

static bool all_came(const struct bed *b)
{
	unsigned i;

	for (i = 0; i < FLOWS; i++)
		if (b->feeder[i].got != b->feeder[i].sent)
			return false;
	return true;
}

/* What was sent must come, each time with the fd readable. */
static void take_all(struct bed *b)
{
	while (!all_came(b)) {
		assert_int_equal(fdl_queue_poll(b->q, WAIT_MS), FDL_READABLE);
		take(b);
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
		if (take(b)) {
			in_vain = 0;
			since = netns_now_ms();
		}
		assert_in_range(in_vain, 0,
				1 + (netns_now_ms() - since) / TIMER_MS);
	}
}

static void expect_no_drops(struct bed *b)
{
	struct fdl_stats st;

	assert_int_equal(fdl_get_stats(b->ep, &st, sizeof(st)), 0);
	assert_int_equal(st.rx_packets, b->n);
	assert_int_equal(st.rx_drop_kernel, 0);
}

static void make_bed_with(struct bed *b, const char *locator,
			  uint32_t ring_bytes)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .ring_bytes = ring_bytes };
	unsigned i;

	*b = (struct bed){ 0 };
	cpu_stay(&b->cpus);
	netns_command("ip link add fda0 type veth peer name fda1");
	netns_set_up("fda0", true);
	netns_set_up("fda1", true);
	netns_wait_running("fda0");
	netns_wait_running("fda1");
	for (i = 0; i < FLOWS; i++) {
		b->feeder[i].flow = i;
		b->feeder[i].sock = packet_socket("fda1");
	}
	switches_reset();
	assert_int_equal(fdl_open(&b->ep, locator, &opts), 0);
	assert_int_equal(fdl_get_mode(b->ep), FDL_MODE_ADAPTIVE);
	b->q = fdl_get_queue(b->ep, 0);
	switches_reset();
}

static void make_bed(struct bed *b)
{
	make_bed_with(b, "packet:fda0", 0);
}

static void free_bed(struct bed *b)
{
	unsigned i;

	cpu_roam(&b->cpus);
	for (i = 0; i < FLOWS; i++)
		close(b->feeder[i].sock);
	assert_int_equal(fdl_endpoint_free(b->ep), 0);
	if (netns_has("fda0"))
		netns_command("ip link del fda0");
}

static void put_some(struct bed *b, unsigned n)
{
	while (n-- > 0)
		put(&b->feeder[n % FLOWS]);
}

/* Readable for nothing once at most: a ring's block may be read before the
 * kernel tells of it, and the timer for one that is open may be late. */
static void expect_quiet(struct bed *b)
{
	struct pollfd p = { .fd = fdl_fd(b->ep), .events = POLLIN };
	struct fdl_packet *pkt;

	assert_int_equal(fdl_recv(b->q, &pkt, 1), 0);
	if (poll(&p, 1, 0) == 0)
		return;
	assert_int_equal(fdl_recv(b->q, &pkt, 1), 0);
	assert_int_equal(poll(&p, 1, 0), 0);
}

static void deliver_batch(void *bed)
{
	put_some(bed, BATCH);
	take_all(bed);
}

static void begin_switch(struct bed *b)
{
	switches_begin(deliver_batch, b);
}

static void await_switch(struct bed *b)
{
	switches_await();
	take(b);
}

static void enter(struct bed *b, enum phase phase)
{
	if (phase == PLAIN)
		return;
	begin_switch(b);
	if (phase != TO_RING)
		await_switch(b);
	if (phase == TO_PLAIN)
		begin_switch(b);
	switches.delay_us = 30000;
	switches.held = false;
}

/* Run a test with a link in each phase. */
static void in_each_phase(void (*test)(struct bed *b))
{
	static struct bed b;
	int phase;

	for (phase = PLAIN; phase < PHASES; phase++) {
		make_bed(&b);
		enter(&b, (enum phase)phase);
		test(&b);
		free_bed(&b);
	}
}

static void switch_under_load(unsigned n_switches, unsigned window)
{
	static struct bed b;

	make_bed(&b);
	cpu_roam(&b.cpus);
	switches.hurried = true;
	start_feeders(&b, window);
	take_until(&b, n_switches);
	stop_feeders(&b);
	take_all(&b);
	expect_no_drops(&b);
	free_bed(&b);
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

/* What was sent was received or is counted, ... */
static bool adds_up(struct bed *b, struct fdl_stats *st)
{
	take(b);
	assert_int_equal(fdl_get_stats(b->ep, st, sizeof(*st)), 0);
	return st->rx_packets + st->rx_drop_kernel ==
	       b->feeder[0].sent + b->feeder[1].sent;
}

/* ... a ring's last block, which is not full, some time later. */
static void flood(struct bed *b)
{
	struct fdl_stats st;

	b->lossy = true;
	put_some(b, FLOOD);
	while (!adds_up(b, &st))
		assert_int_equal(fdl_queue_poll(b->q, WAIT_MS), FDL_READABLE);
	assert_in_range(st.rx_drop_kernel, 1, FLOOD - 1);
	assert_int_equal(st.rx_packets, b->n);
}

static void what_either_socket_drops_is_counted(void **state)
{
	static struct bed b;
	int phase;

	(void)state;
	for (phase = PLAIN; phase < PHASES; phase++) {
		make_bed_with(&b, "packet:fda0,rcvbuf=65536", 1 << 19);
		enter(&b, (enum phase)phase);
		flood(&b);
		free_bed(&b);
	}
}

static void deliver_some(struct bed *b)
{
	int i;

	for (i = 0; i < 100; i++) {
		put_some(b, 5);
		take_all(b);
		expect_quiet(b);
	}
	take_all(b);
	expect_no_drops(b);
}

static void every_phase_delivers_and_is_quiet(void **state)
{
	(void)state;
	in_each_phase(deliver_some);
}

static void leave(struct bed *b)
{
	put_some(b, 10);
}

static void an_endpoint_may_be_freed_in_any_phase(void **state)
{
	(void)state;
	in_each_phase(leave);
}

static void flap(struct bed *b)
{
	unsigned n = b->n;
	int i;

	for (i = 0; i < 5; i++) {
		netns_set_up("fda0", false);
		netns_wait_stopped("fda1");
		take(b);
		netns_set_up("fda0", true);
		netns_wait_running("fda0");
		netns_wait_running("fda1");
		take(b);
		put_some(b, 10);
		n += 10;
		take_all(b);
		expect_quiet(b);
	}
	assert_int_equal(b->n, n);
	expect_no_drops(b);
}

static void a_link_may_go_down_and_up_in_any_phase(void **state)
{
	(void)state;
	in_each_phase(flap);
}

static void lose_device(struct bed *b)
{
	const long long end = netns_now_ms() + WAIT_MS;
	struct fdl_packet *pkt;
	int r = 0;

	netns_command("ip link del fda0");
	while (r == 0 && netns_now_ms() < end) {
		fdl_queue_poll(b->q, 100);
		r = fdl_recv(b->q, &pkt, 1);
	}
	assert_int_equal(r, -ENODEV);
}

static void a_device_may_be_deleted_in_any_phase(void **state)
{
	(void)state;
	in_each_phase(lose_device);
}

static int deliver(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		   int n)
{
	int i;

	(void)q;
	for (i = 0; i < n; i++)
		check(ctx, v[i]);
	return 0;
}

static void attach_and_detach(struct bed *b)
{
	const struct fdl_dispatcher d = { .deliver = deliver, .ctx = b };
	const long long end = netns_now_ms() + WAIT_MS;
	int i;

	for (i = 0; i < 5; i++) {
		assert_int_equal(fdl_attach(b->ep, &d), 0);
		put_some(b, 10);
		while (!all_came(b) && netns_now_ms() < end)
			usleep(100);
		assert_int_equal(fdl_detach(b->ep), 0);
		assert_true(all_came(b));
		put_some(b, 10);
		take_all(b);
	}
	expect_no_drops(b);
}

static void a_reader_may_come_and_go_in_any_phase(void **state)
{
	(void)state;
	in_each_phase(attach_and_detach);
}

static void fail_to_switch(struct bed *b)
{
	const unsigned n = switches.begun, done = switches_done();

	switches.refusal = -ENOMEM;
	switches.hurried = true;
	deliver_some(b);
	switches_await();
	deliver_some(b);
	assert_in_range(switches.begun, n, n + 1);
	assert_in_range(switches_done(), done, done + 1);
}

static void a_switch_that_fails_is_left_alone(void **state)
{
	(void)state;
	in_each_phase(fail_to_switch);
}

static void packets_of_the_ring_may_be_held_across_a_switch(void **state)
{
	static struct bed b;
	struct fdl_packet *v[BATCH];
	unsigned n = 0, i;
	int r;

	(void)state;
	make_bed(&b);
	enter(&b, RING);
	put_some(&b, BATCH);
	while (n < BATCH) {
		fdl_queue_poll(b.q, WAIT_MS);
		r = fdl_recv(b.q, v + n, (int)(BATCH - n));
		assert_in_range(r, 0, BATCH - n);
		n += (unsigned)r;
	}
	for (i = 0; i < BATCH; i++)
		check(&b, v[i]);
	begin_switch(&b);
	await_switch(&b);
	deliver_some(&b);
	fdl_release(v, BATCH);
	begin_switch(&b);
	await_switch(&b);
	deliver_some(&b);
	free_bed(&b);
}

/* A reader that takes what a poll told of, and polls again, may never find the
 * ring empty. */
static void the_ring_is_left_by_one_packet_at_a_time(void **state)
{
	const long long end = netns_now_ms() + WAIT_MS;
	static struct bed b;
	unsigned n;

	(void)state;
	make_bed(&b);
	enter(&b, RING);
	n = switches.begun;
	switches.held = true;
	switches.hurried = true;
	while (switches.begun == n && netns_now_ms() < end) {
		put_some(&b, 1);
		assert_int_equal(fdl_queue_poll(b.q, WAIT_MS), FDL_READABLE);
		take_once(&b);
	}
	assert_int_equal(switches.begun, n + 1);
	switches.hurried = false;
	take_all(&b);
	await_switch(&b);
	deliver_some(&b);
	free_bed(&b);
}

/* One packet after the switch, and a poll that sees an edge takes it from none. */
static void let_an_edge_come(struct bed *b, int epfd)
{
	struct pollfd p = { .fd = epfd, .events = POLLIN };

	switches_await();
	put_some(b, 1);
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

/* The one edge that tells of the ring's first block is there, and so is the end
 * of the switch, as the edges so far are forgotten. */
static void an_edge_is_not_lost_at_the_end_of_a_switch(void **state)
{
	static struct bed b;

	(void)state;
	make_bed(&b);
	begin_switch(&b);
	assert_int_equal(switches_done(), 0);
	awaits_edge = &b;
	take(&b);
	assert_null(awaits_edge);
	assert_int_equal(switches_done(), 1);
	take_all(&b);
	expect_no_drops(&b);
	free_bed(&b);
}

static void it_is_for_what_is_opened(void **state)
{
	const struct fdl_options opts = {
		.size = sizeof(opts),
		.mode = FDL_MODE_ADAPTIVE,
	};
	struct fdl_endpoint *ep = NULL;
	struct fdl_info info;
	int fd = packet_socket("lo");

	(void)state;
	assert_int_equal(fdl_endpoint_new(&ep, &fd, 1, &opts), -EINVAL);
	assert_int_equal(fdl_probe_fd(fd, &info, sizeof(info), NULL, NULL), 0);
	assert_int_equal(fdl_mode_best(&info), FDL_MODE_RECVMMSG);
	close(fd);
	assert_int_equal(
		fdl_probe("packet:lo", &info, sizeof(info), NULL, NULL), 0);
	assert_int_equal(fdl_mode_best(&info), FDL_MODE_ADAPTIVE);
}

/* Older kernels make no group on such a device, and auto does without. */
static void a_device_may_be_down_at_first(void **state)
{
	static struct bed b;

	(void)state;
	make_bed(&b);
	fdl_endpoint_free(b.ep);
	netns_set_up("fda0", false);
	netns_wait_stopped("fda1");
	assert_int_equal(fdl_open(&b.ep, "packet:fda0", NULL), 0);
	b.q = fdl_get_queue(b.ep, 0);
	netns_set_up("fda0", true);
	netns_wait_running("fda0");
	netns_wait_running("fda1");
	deliver_some(&b);
	if (fdl_get_mode(b.ep) == FDL_MODE_ADAPTIVE) {
		enter(&b, RING);
		deliver_some(&b);
	}
	free_bed(&b);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_for_what_is_opened),
		cmocka_unit_test(every_phase_delivers_and_is_quiet),
		cmocka_unit_test(an_endpoint_may_be_freed_in_any_phase),
		cmocka_unit_test(a_link_may_go_down_and_up_in_any_phase),
		cmocka_unit_test(a_device_may_be_deleted_in_any_phase),
		cmocka_unit_test(a_reader_may_come_and_go_in_any_phase),
		cmocka_unit_test(a_device_may_be_down_at_first),
		cmocka_unit_test(a_switch_that_fails_is_left_alone),
		cmocka_unit_test(
			packets_of_the_ring_may_be_held_across_a_switch),
		cmocka_unit_test(the_ring_is_left_by_one_packet_at_a_time),
		cmocka_unit_test(an_edge_is_not_lost_at_the_end_of_a_switch),
		cmocka_unit_test(what_either_socket_drops_is_counted),
		cmocka_unit_test(switches_under_a_light_load),
		cmocka_unit_test(a_thousand_switches_under_load),
	};

	netns_enter(argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_set_up("lo", true);
	return cmocka_run_group_tests_name("adaptive", tests, NULL, NULL);
}
