/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mode adaptive: over a thousand switches under load no packet is lost, doubled
 * or reordered within its flow. The mode's clock is the test's, such that every
 * few packets look like a load, and every pause like an idle link.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

#include "netns.h"

enum {
	FLOWS = 2,
	FRAME = 60,
	SWITCHES = 1000,
	WINDOW = 1500,		/* packets of a flow on their way at most */
	BATCH = 32,
	WAIT_MS = 5000,
};

/* What the mode is told of time: 0, the truth. */
static atomic_bool hurried;
static _Atomic int64_t clock_us;
static atomic_uint member, switches;
static atomic_int refusal;		/* of a switch: 0, none */

int64_t __real_os_now_us(void);
int64_t __wrap_os_now_us(void);
int __real_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);
int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);

int64_t __wrap_os_now_us(void)
{
	if (!hurried)
		return __real_os_now_us();
	return clock_us += member ? 1000000 : 4000;
}

int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len)
{
	const struct sock_fprog *program = val;
	int err;

	if (level != SOL_PACKET || name != PACKET_FANOUT_DATA)
		return __real_os_setsockopt(fd, level, name, val, len);
	if (refusal)
		return refusal;
	err = __real_os_setsockopt(fd, level, name, val, len);
	member = program->filter[0].k;
	switches++;
	return err;
}

struct feeder {
	pthread_t thread;
	unsigned flow;
	int sock;
	atomic_uint sent, got;
	atomic_bool stop;
};

struct bed {
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	struct feeder feeder[FLOWS];
	unsigned n;
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

/* On one CPU: elsewhere the kernel itself may reorder. */
static void *feed(void *arg)
{
	struct feeder *f = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(f->flow % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	while (!f->stop) {
		if (f->sent - f->got < WINDOW)
			put(f);
		else
			usleep(50);
	}
	return NULL;
}

static void start_feeders(struct bed *b)
{
	unsigned i;

	for (i = 0; i < FLOWS; i++)
		assert_int_equal(pthread_create(&b->feeder[i].thread, NULL,
						feed, &b->feeder[i]), 0);
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
	assert_int_equal(seq, b->feeder[flow].got);
	b->feeder[flow].got = seq + 1;
	b->n++;
}

/* What there is. Returns how much. */
static int take(struct bed *b)
{
	struct fdl_packet *v[BATCH];
	int i, n, total = 0;

	while ((n = fdl_recv(b->q, v, BATCH)) > 0) {
		for (i = 0; i < n; i++)
			check(b, v[i]);
		fdl_release(v, n);
		total += n;
	}
	assert_int_equal(n, 0);
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

static void take_until(struct bed *b, unsigned n_switches)
{
	while (switches < n_switches) {
		assert_int_equal(fdl_queue_poll(b->q, WAIT_MS), FDL_READABLE);
		take(b);
	}
}

static void expect_no_drops(struct bed *b)
{
	struct fdl_stats st;

	assert_int_equal(fdl_get_stats(b->ep, &st, sizeof(st)), 0);
	assert_int_equal(st.rx_packets, b->n);
	assert_int_equal(st.rx_drop_kernel, 0);
}

static int set_up(void **state)
{
	const struct fdl_options opts = {
		.size = sizeof(opts),
		.mode = FDL_MODE_ADAPTIVE,
	};
	static struct bed bed;
	unsigned i;

	bed = (struct bed){ 0 };
	netns_command("ip link add fda0 type veth peer name fda1");
	netns_set_up("fda0", true);
	netns_set_up("fda1", true);
	netns_wait_running("fda0");
	netns_wait_running("fda1");
	for (i = 0; i < FLOWS; i++) {
		bed.feeder[i].flow = i;
		bed.feeder[i].sock = packet_socket("fda1");
	}
	hurried = false;
	member = 0;
	refusal = 0;
	assert_int_equal(fdl_open(&bed.ep, "packet:fda0", &opts), 0);
	bed.q = fdl_get_queue(bed.ep, 0);
	switches = 0;
	*state = &bed;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;
	unsigned i;

	for (i = 0; i < FLOWS; i++)
		close(b->feeder[i].sock);
	fdl_endpoint_free(b->ep);
	netns_command("ip link del fda0");
	return 0;
}

static void test_switches(void **state)
{
	struct bed *b = *state;

	hurried = true;
	start_feeders(b);
	take_until(b, SWITCHES);
	stop_feeders(b);
	take_all(b);
	expect_no_drops(b);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		{ "a thousand switches under load", test_switches, set_up,
		  tear_down, NULL },
	};

	netns_enter(argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("adaptive", tests, NULL, NULL);
}
