/* SPDX-License-Identifier: Apache-2.0 */
/* Several queues over one device: who gets what, and in which order. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

#include "bpf.h"
#include "flows.h"
#include "link.h"
#include "netns.h"

static void flows_over_tap(const char *locator, const char *dev, bool ethernet)
{
	struct fdl_endpoint *ep = flows_open(locator);
	struct flow_tally t;
	int sock;

	assert_int_equal(fdl_queues(ep), 4);
	netns_set_up(dev, true);
	netns_wait_running(dev);
	sock = flows_socket(dev, 0);
	flows_put_all(sock, ethernet);
	t = flows_collect(ep, FLOWS * ROUNDS);
	flows_expect_spread(&t, 4);
	close(sock);
	fdl_endpoint_free(ep);
	assert_false(netns_has(dev));
}

static void flows_spread_over_a_tap(void **state)
{
	(void)state;
	flows_over_tap("tap:fdq,queues=4", "fdq", true);
}

static void flows_spread_over_a_tun(void **state)
{
	(void)state;
	flows_over_tap("tun:fdq,queues=4", "fdq", false);
}

/* The kernel learns from what is sent where a flow's packets are wanted. */
static void a_tap_answers_on_the_queue_that_asked(void **state)
{
	struct fdl_endpoint *ep = flows_open("tap:fdq,queues=4");
	struct fdl_packet *pkt;
	struct flow_tally t = { 0 };
	struct iovec iov;
	unsigned round;
	int sock;

	(void)state;
	netns_set_up("fdq", true);
	netns_wait_running("fdq");
	sock = flows_socket("fdq", 0);
	for (round = 0; round < 8; round++) {
		struct fdl_queue *q = fdl_get_queue(ep, round % 4);

		/* Its own frame, sent back, is of the same flow. */
		flows_put(sock, 7, round, true);
		assert_true(fdl_poll(ep, WAIT_MS) > 0);
		while (fdl_recv(fdl_get_queue(ep, t.n % 4), &pkt, 1) != 1)
			t.n++;
		if (round > 0)
			assert_int_equal(t.n % 4, (round - 1) % 4);
		iov = (struct iovec){ pkt->data, pkt->len };
		assert_int_equal(fdl_write(q, &iov, 1, NULL), 0);
		fdl_release(&pkt, 1);
	}
	close(sock);
	fdl_endpoint_free(ep);
}

/* The first of four queues of a TAP, and the others behind it. */
static void open_queues(int fd[4])
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE,
			     .ifr_name = "fdq" };
	int i;

	for (i = 0; i < 4; i++) {
		fd[i] = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
		assert_int_equal(ioctl(fd[i], TUNSETIFF, &ifr), 0);
	}
}

static void expect_all_on(struct fdl_endpoint *ep, int sock, unsigned queue)
{
	struct flow_tally t;

	flows_put_all(sock, true);
	t = flows_collect(ep, FLOWS * ROUNDS);
	assert_false(t.reordered);
	assert_int_equal(t.per_queue[queue], FLOWS * ROUNDS);
}

/* Any holder of a queue steers the packets of all, also to where none is. */
static void the_programs_of_others_choose_the_queue(void **state)
{
	const struct fdl_options opts = { .size = sizeof(opts) };
	const int none = -1;
	struct fdl_endpoint *ep;
	struct flow_tally t;
	int fd[4], sock, i;

	(void)state;
	open_queues(fd);
	assert_int_equal(fdl_endpoint_new(&ep, fd, 4, &opts), 0);
	netns_set_up("fdq", true);
	netns_wait_running("fdq");
	sock = flows_socket("fdq", 0);
	assert_int_equal(bpf_attach_tun(fd[1], TUNSETSTEERINGEBPF, 2), 0);
	expect_all_on(ep, sock, 2);
	assert_int_equal(bpf_attach_tun(fd[0], TUNSETSTEERINGEBPF, 4 + 3), 0);
	expect_all_on(ep, sock, 3);
	assert_int_equal(ioctl(fd[3], TUNSETSTEERINGEBPF, &none), 0);
	flows_put_all(sock, true);
	t = flows_collect(ep, FLOWS * ROUNDS);
	flows_expect_spread(&t, 4);
	close(sock);
	for (i = 0; i < 4; i++)
		close(fd[i]);
	fdl_endpoint_free(ep);
}

static void the_receive_buffer_can_be_chosen(void **state)
{
	struct fdl_endpoint *ep = flows_open("packet:fdq,rcvbuf=1000000");
	struct fdl_info info;

	(void)state;
	assert_int_equal(fdl_get_info(ep, &info, sizeof(info)), 0);
	assert_int_equal(info.kind, FDL_KIND_PACKET);
	assert_int_equal(info.rcvbuf, 2000000);
	fdl_endpoint_free(ep);
	ep = flows_open("packet:fdq");
	fdl_get_info(ep, &info, sizeof(info));
	assert_int_equal(info.rcvbuf, 8 << 20);
	fdl_endpoint_free(ep);
}

static void a_deleted_device_ends_all_queues(void **state)
{
	struct fdl_endpoint *ep = flows_open("packet:fdq,queues=3");
	struct fdl_packet *pkt;
	unsigned i;

	(void)state;
	netns_command("ip link del fdq");
	while (fdl_poll(ep, WAIT_MS) > 0)
		for (i = 0; i < 3; i++)
			assert_true(fdl_recv(fdl_get_queue(ep, i), &pkt, 1) <=
				    0);
	for (i = 0; i < 3; i++)
		assert_int_equal(fdl_recv(fdl_get_queue(ep, i), &pkt, 1),
				 -ENODEV);
	assert_int_equal(fdl_poll(ep, 0), -ENODEV);
	fdl_endpoint_free(ep);
}

static void changes_are_counted_once(void **state)
{
	struct fdl_endpoint *ep = flows_open("packet:fdq,queues=3");
	struct fdl_packet *pkt;
	struct fdl_link link;
	unsigned i;

	(void)state;
	netns_command("ip link set fdq mtu 1400");
	assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_READABLE);
	for (i = 0; i < 3; i++)
		assert_int_equal(fdl_recv(fdl_get_queue(ep, i), &pkt, 1), 0);
	assert_int_equal(fdl_link_state(ep, &link, sizeof(link)), 0);
	assert_int_equal(link.changes, 1);
	assert_int_equal(fdl_poll(ep, QUIET_MS), 0);
	fdl_endpoint_free(ep);
}

static int count_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void nothing_is_left_behind(void **state)
{
	const struct fdl_options none = { 0 };
	int i, before = count_fds();
	struct fdl_endpoint *ep;

	(void)state;
	for (i = 0; i < 20; i++) {
		fdl_endpoint_free(flows_open("packet:fdq,queues=4,promisc"));
		fdl_endpoint_free(flows_open("tap:fdt,queues=4"));
		assert_int_equal(
			flows_open_with(&ep, "packet:none,queues=4", none),
			-ENODEV);
		assert_int_equal(flows_open_with(&ep, "tap:fdq,queues=4", none),
				 -EINVAL);
	}
	assert_int_equal(count_fds(), before);
	assert_false(netns_has("fdt"));
}

/* What the readers saw. */
struct readers {
	pthread_mutex_t lock;
	struct flow_tally tally;
	char name[MAX_QUEUES][16];
	int cpu[MAX_QUEUES];
};

static int deliver(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		   int n)
{
	unsigned index = fdl_queue_index(q);
	struct readers *r = ctx;
	cpu_set_t set;
	int i;

	pthread_mutex_lock(&r->lock);
	pthread_getname_np(pthread_self(), r->name[index],
			   sizeof(r->name[index]));
	pthread_getaffinity_np(pthread_self(), sizeof(set), &set);
	r->cpu[index] = CPU_COUNT(&set) == 1 ? sched_getcpu() : -1;
	for (i = 0; i < n; i++)
		flows_note(&r->tally, index, v[i]);
	pthread_mutex_unlock(&r->lock);
	return 0;
}

static void wait_for(struct readers *r, unsigned n)
{
	const long long end = netns_now_ms() + WAIT_MS;
	unsigned got;

	do {
		poll(NULL, 0, 1);
		pthread_mutex_lock(&r->lock);
		got = r->tally.n;
		pthread_mutex_unlock(&r->lock);
	} while (got < n && netns_now_ms() < end);
	assert_int_equal(got, n);
}

static void read_attached(const struct fdl_threads *threads, struct readers *r)
{
	struct fdl_endpoint *ep = flows_open("packet:fdq,queues=4");
	const struct fdl_dispatcher d = { deliver, NULL, r };
	const int sock = flows_socket("fdqp", 0);

	*r = (struct readers){ .lock = PTHREAD_MUTEX_INITIALIZER };
	assert_int_equal(fdl_attach_threads(ep, &d, threads), 0);
	flows_put_all(sock, true);
	wait_for(r, FLOWS * ROUNDS);
	fdl_endpoint_free(ep);
	close(sock);
	flows_expect_spread(&r->tally, 4);
}

static void readers_have_names_and_cpus(void **state)
{
	struct fdl_threads threads = { .size = sizeof(threads),
				       .name = "much-too-long-a-name" };
	struct readers r;
	int cpus[1];

	(void)state;
	read_attached(NULL, &r);
	assert_string_equal(r.name[0], "fdlink-0");
	assert_string_equal(r.name[3], "fdlink-3");
	read_attached(&threads, &r);
	assert_string_equal(r.name[2], "much-too-long-2");
	cpus[0] = sched_getcpu();
	threads = (struct fdl_threads){ .name = "eth0",
					.cpus = cpus,
					.n_cpus = 1 };
	read_attached(&threads, &r);
	assert_string_equal(r.name[1], "eth0-1");
	assert_int_equal(r.cpu[0], cpus[0]);
	assert_int_equal(r.cpu[3], cpus[0]);
}

static void a_cpu_that_is_not_there(void **state)
{
	static const int cpus[] = { CPU_SETSIZE - 1, -1, CPU_SETSIZE };
	struct fdl_endpoint *ep = flows_open("packet:fdq,queues=4");
	const struct fdl_dispatcher d = { .deliver = deliver };
	struct fdl_threads threads = { .n_cpus = 1 };
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		threads.cpus = &cpus[i];
		assert_int_equal(fdl_attach_threads(ep, &d, &threads), -EINVAL);
		assert_false(fdl_is_attached(ep));
	}
	assert_int_equal(fdl_attach(ep, &d), 0);
	fdl_endpoint_free(ep);
}

/* All the others have begun by then. */
static void the_last_cpu_is_not_there(void **state)
{
	static const char *const locators[] = { "packet:fdq",
						"packet:fdq,queues=4" };
	const int here = sched_getcpu();
	const int cpus[] = { here, here, here, -1 };
	const struct fdl_dispatcher d = { .deliver = deliver };
	struct fdl_threads threads = { 0 };
	struct fdl_endpoint *ep;
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		ep = flows_open(locators[i]);
		threads.n_cpus = fdl_queues(ep);
		threads.cpus = cpus + 4 - threads.n_cpus;
		assert_int_equal(fdl_attach_threads(ep, &d, &threads), -EINVAL);
		assert_false(fdl_is_attached(ep));
		assert_int_equal(fdl_attach(ep, &d), 0);
		fdl_endpoint_free(ep);
	}
}

int main(int argc, char *argv[])
{
	static const struct CMUnitTest queues[] = {
		cmocka_unit_test(flows_spread_over_a_tap),
		cmocka_unit_test(flows_spread_over_a_tun),
		cmocka_unit_test(a_tap_answers_on_the_queue_that_asked),
		cmocka_unit_test(the_programs_of_others_choose_the_queue),
		OVER_VETH(the_receive_buffer_can_be_chosen),
		OVER_VETH(a_deleted_device_ends_all_queues),
		OVER_VETH(changes_are_counted_once),
		OVER_VETH(nothing_is_left_behind),
		OVER_VETH(readers_have_names_and_cpus),
		OVER_VETH(a_cpu_that_is_not_there),
		OVER_VETH(the_last_cpu_is_not_there),
	};

	(void)argc;
	netns_enter(argv);
	if (argv[1])
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(queues, NULL, NULL);
}
