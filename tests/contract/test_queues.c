/* SPDX-License-Identifier: Apache-2.0 */
/* Several queues over one device: who gets what, and in which order. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

#include "netns.h"

enum {
	FLOWS = 64,
	ROUNDS = 8,
	MAX_QUEUES = 8,
	HEADERS = 14 + 20 + 8,
	FRAME = 60,
	WAIT_MS = 5000,
	QUIET_MS = 30,
};

/* What arrived, by flow and by queue. */
struct tally {
	unsigned n, outgoing;
	unsigned next[FLOWS];		/* the number due in each flow */
	int queue_of[FLOWS];		/* -1: several */
	unsigned per_queue[MAX_QUEUES];
	bool reordered;
};

static char last_said[256];

static void say(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	snprintf(last_said, sizeof(last_said), "%s", msg);
}

static int open_with(struct fdl_endpoint **ep, const char *locator,
		     struct fdl_options opts)
{
	opts.size = sizeof(opts);
	opts.log = say;
	last_said[0] = '\0';
	return fdl_open(ep, locator, &opts);
}

static struct fdl_endpoint *open_it(const char *locator)
{
	struct fdl_endpoint *ep = NULL;

	assert_int_equal(open_with(&ep, locator, (struct fdl_options){ 0 }), 0);
	return ep;
}

/* A socket that only sends, with protocol 0, or receives too. */
static int packet_socket(const char *dev, unsigned short protocol)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)if_nametoindex(dev),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void put(int sock, unsigned flow, unsigned seq, bool ethernet)
{
	uint8_t frame[FRAME] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00,
		0x45, 0, 0, FRAME - 14, 0, 0, 0, 0, 64, 17, 0, 0,
		192, 0, 2, 1, 192, 0, 2, 2,
		(uint8_t)(flow >> 8), (uint8_t)flow, 0, 9, 0, FRAME - 34,
	};
	size_t from = ethernet ? 0 : 14;

	memcpy(frame + HEADERS, &flow, sizeof(flow));
	memcpy(frame + HEADERS + 4, &seq, sizeof(seq));
	assert_int_equal(send(sock, frame + from, FRAME - from, 0),
			 FRAME - from);
}

static void put_all(int sock, bool ethernet)
{
	unsigned flow, seq;

	for (seq = 0; seq < ROUNDS; seq++)
		for (flow = 0; flow < FLOWS; flow++)
			put(sock, flow, seq, ethernet);
}

static void note(struct tally *t, unsigned queue, const struct fdl_packet *pkt)
{
	const uint8_t *id = pkt->data + pkt->link_len + 28;
	unsigned flow, seq;

	assert_true(pkt->len >= pkt->link_len + 36U);
	memcpy(&flow, id, sizeof(flow));
	memcpy(&seq, id + 4, sizeof(seq));
	assert_in_range(flow, 0, FLOWS - 1);
	if (seq != t->next[flow])
		t->reordered = true;
	if (seq == 0)
		t->queue_of[flow] = (int)queue;
	else if (t->queue_of[flow] != (int)queue)
		t->queue_of[flow] = -1;
	t->next[flow]++;
	t->per_queue[queue]++;
	t->outgoing += pkt->type == FDL_OUTGOING;
	t->n++;
}

static void drain(struct fdl_endpoint *ep, struct tally *t)
{
	struct fdl_packet *v[16];
	unsigned i;
	int n, k;

	for (i = 0; i < fdl_queues(ep); i++) {
		while ((n = fdl_recv(fdl_get_queue(ep, i), v, 16)) > 0) {
			for (k = 0; k < n; k++)
				note(t, i, v[k]);
			fdl_release(v, n);
		}
		assert_int_equal(n, 0);
	}
}

/* Until nothing comes any more: what comes twice is seen, too. */
static struct tally collect(struct fdl_endpoint *ep, unsigned want)
{
	struct tally t = { 0 };

	while (fdl_poll(ep, t.n < want ? WAIT_MS : QUIET_MS) > 0)
		drain(ep, &t);
	assert_int_equal(t.n, want);
	return t;
}

static void expect_spread(const struct tally *t, unsigned queues)
{
	unsigned i;

	assert_false(t->reordered);
	for (i = 0; i < FLOWS; i++)
		assert_true(t->queue_of[i] >= 0);
	for (i = 0; i < queues; i++)
		assert_true(t->per_queue[i] > 0);
}

static int make_veth(void **state)
{
	(void)state;
	netns_command("ip link add fdq type veth peer name fdqp");
	netns_set_up("fdq", true);
	netns_set_up("fdqp", true);
	netns_wait_running("fdq");
	netns_wait_running("fdqp");
	return 0;
}

static int drop_veth(void **state)
{
	(void)state;
	if (netns_has("fdq"))
		netns_command("ip link del fdq");
	return 0;
}

static void flows_over_tap(const char *locator, const char *dev, bool ethernet)
{
	struct fdl_endpoint *ep = open_it(locator);
	struct tally t;
	int sock;

	assert_int_equal(fdl_queues(ep), 4);
	netns_set_up(dev, true);
	netns_wait_running(dev);
	sock = packet_socket(dev, 0);
	put_all(sock, ethernet);
	t = collect(ep, FLOWS * ROUNDS);
	expect_spread(&t, 4);
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
	struct fdl_endpoint *ep = open_it("tap:fdq,queues=4");
	struct fdl_packet *pkt;
	struct tally t = { 0 };
	struct iovec iov;
	unsigned round;
	int sock;

	(void)state;
	netns_set_up("fdq", true);
	netns_wait_running("fdq");
	sock = packet_socket("fdq", 0);
	for (round = 0; round < 8; round++) {
		struct fdl_queue *q = fdl_get_queue(ep, round % 4);

		/* Its own frame, sent back, is of the same flow. */
		put(sock, 7, round, true);
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

static void flows_spread_over_a_group(void **state)
{
	static const char *const modes[] = {
		"", ",fanout=hash", ",fanout=hash,rollover",
	};
	struct fdl_endpoint *ep;
	char locator[64];
	struct tally t;
	size_t i;
	int sock;

	(void)state;
	sock = packet_socket("fdqp", 0);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		snprintf(locator, sizeof(locator), "packet:fdq,queues=4%s",
			 modes[i]);
		ep = open_it(locator);
		assert_int_equal(fdl_queues(ep), 4);
		put_all(sock, true);
		t = collect(ep, FLOWS * ROUNDS);
		expect_spread(&t, 4);
		fdl_endpoint_free(ep);
	}
	close(sock);
}

/* These may tear flows apart, but bring every packet once. */
static void every_fanout_brings_each_packet_once(void **state)
{
	static const char *const modes[] = {
		"lb", "cpu", "rollover", "rnd", "qm", "lb,rollover",
		"cpu,rollover", "rnd,rollover", "qm,rollover",
	};
	struct fdl_endpoint *ep;
	char locator[64];
	struct tally t;
	unsigned k;
	size_t i;
	int sock;

	(void)state;
	sock = packet_socket("fdqp", 0);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		snprintf(locator, sizeof(locator),
			 "packet:fdq,queues=3,fanout=%s", modes[i]);
		ep = open_it(locator);
		put_all(sock, true);
		t = collect(ep, FLOWS * ROUNDS);
		for (k = 0; k < FLOWS; k++)
			assert_int_equal(t.next[k], ROUNDS);
		if (i == 0)
			for (k = 0; k < 3; k++)
				assert_in_range(t.per_queue[k], 170, 171);
		fdl_endpoint_free(ep);
	}
	close(sock);
}

/* By the UDP source port, which is the flow's number. */
static void a_program_chooses_the_queue(void **state)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_fprog program = { .len = 2, .filter = code };
	const struct fdl_options opts = { .fanout = FDL_FANOUT_CBPF,
					  .fanout_program = &program };
	struct fdl_endpoint *ep;
	struct tally t;
	int sock, i;

	(void)state;
	sock = packet_socket("fdqp", 0);
	assert_int_equal(open_with(&ep, "packet:fdq,queues=3", opts), 0);
	put_all(sock, true);
	t = collect(ep, FLOWS * ROUNDS);
	for (i = 0; i < FLOWS; i++)
		assert_int_equal(t.queue_of[i], i % 3);
	assert_false(t.reordered);
	close(sock);
	fdl_endpoint_free(ep);
}

/* The opening itself brings nothing twice, either. */
static void a_group_is_whole_before_the_first_packet(void **state)
{
	struct fdl_endpoint *ep;
	struct tally t = { 0 };
	unsigned seq, i;
	int sock;

	(void)state;
	sock = packet_socket("fdqp", 0);
	for (i = 0; i < 10; i++) {
		ep = open_it("packet:fdq,queues=8");
		memset(&t, 0, sizeof(t));
		for (seq = 0; seq < 4; seq++)
			put(sock, i, seq, true);
		t = collect(ep, 4);
		assert_int_equal(t.next[i], 4);
		fdl_endpoint_free(ep);
	}
	close(sock);
}

static void outgoing_over(unsigned queues)
{
	const int other = packet_socket("fdq", 0);
	const int peer = packet_socket("fdqp", 0);
	struct fdl_endpoint *ep;
	struct fdl_stats st;
	char locator[64];
	struct tally t;

	snprintf(locator, sizeof(locator), "packet:fdq,queues=%u", queues);
	ep = open_it(locator);
	put(other, 1, 0, true);
	put(peer, 2, 0, true);
	t = collect(ep, 1);
	assert_int_equal(t.outgoing, 0);
	fdl_get_stats(ep, &st, sizeof(st));
	assert_int_equal(st.rx_drop_outgoing, 0);
	fdl_endpoint_free(ep);

	snprintf(locator, sizeof(locator), "packet:fdq,queues=%u,outgoing=on",
		 queues);
	ep = open_it(locator);
	put(other, 1, 0, true);
	put(peer, 2, 0, true);
	t = collect(ep, 2);
	assert_int_equal(t.outgoing, 1);
	fdl_endpoint_free(ep);
	close(peer);
	close(other);
}

static void outgoing_frames_are_for_who_asks(void **state)
{
	(void)state;
	outgoing_over(1);
	outgoing_over(3);
}

static int group_of(int fd)
{
	socklen_t len = sizeof(int);
	int group = -1;

	assert_int_equal(getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &group,
				    &len), 0);
	return group;
}

static int over_fds(struct fdl_endpoint **ep, const int *fds, unsigned n,
		    enum fdl_fanout fanout)
{
	const struct fdl_options opts = { .size = sizeof(opts), .log = say,
					  .fanout = fanout };

	last_said[0] = '\0';
	return fdl_endpoint_new(ep, fds, n, &opts);
}

static void the_callers_sockets_are_grouped_on_request(void **state)
{
	const int peer = packet_socket("fdqp", 0);
	struct fdl_endpoint *ep;
	struct tally t;
	int fds[2];

	(void)state;
	fds[0] = packet_socket("fdq", ETH_P_ALL);
	fds[1] = packet_socket("fdq", ETH_P_ALL);
	assert_int_equal(over_fds(&ep, fds, 2, FDL_FANOUT_AUTO), 0);
	put(peer, 1, 0, true);
	t = collect(ep, 2);
	assert_int_equal(t.per_queue[0], 1);
	fdl_endpoint_free(ep);
	assert_int_equal(group_of(fds[0]), 0);

	assert_int_equal(over_fds(&ep, fds, 1, FDL_FANOUT_HASH), 0);
	fdl_endpoint_free(ep);
	assert_int_equal(group_of(fds[0]), 0);

	assert_int_equal(over_fds(&ep, fds, 2, FDL_FANOUT_LB), 0);
	put(peer, 1, 0, true);
	put(peer, 1, 1, true);
	t = collect(ep, 2);
	assert_int_equal(t.per_queue[0], 1);
	assert_int_equal(t.per_queue[1], 1);
	fdl_endpoint_free(ep);
	assert_int_equal(group_of(fds[0]) >> 16 & 0xff, PACKET_FANOUT_LB);
	assert_int_equal(group_of(fds[0]), group_of(fds[1]));

	assert_int_equal(over_fds(&ep, fds, 2, FDL_FANOUT_LB), -EALREADY);
	assert_non_null(strstr(last_said, "in a fanout group already"));
	assert_int_equal(over_fds(&ep, fds, 2, FDL_FANOUT_AUTO), 0);
	fdl_endpoint_free(ep);
	close(fds[0]);
	close(fds[1]);
	close(peer);
}

static void expect_refused(const char *locator, struct fdl_options opts,
			   const char *words)
{
	struct fdl_endpoint *ep = NULL;

	assert_int_equal(open_with(&ep, locator, opts), -EINVAL);
	if (!strstr(last_said, words))
		print_error("said: %s\n", last_said);
	assert_non_null(strstr(last_said, words));
	assert_null(ep);
}

static void contradictions_are_refused(void **state)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = { .len = 1, .filter = &code };
	const struct fdl_options outgoing = { .flags = FDL_RX_OUTGOING };
	const struct fdl_options hash = { .fanout = FDL_FANOUT_HASH };
	const struct fdl_options rollover = { .flags = FDL_ROLLOVER };
	struct fdl_options o = { 0 };

	(void)state;
	expect_refused("packet:fdq,queues=2,outgoing=off", outgoing,
		       "contradict");
	expect_refused("packet:fdq,queues=2,fanout=lb", hash, "contradict");
	expect_refused("packet:fdq,queues=2,fanout=rollover,rollover", o,
		       "contradict");
	expect_refused("packet:fdq,queues=2,fanout=rollover", rollover,
		       "contradict");
	expect_refused("tap:fdt,queues=2", outgoing, "AF_PACKET");
	expect_refused("tap:fdt,queues=2", hash, "AF_PACKET");
	expect_refused("tap:fdt,queues=2", rollover, "group");
	o.fanout = FDL_FANOUT_CBPF;
	expect_refused("packet:fdq,queues=2", o, "needs a fanout_program");
	o.fanout = FDL_FANOUT_LB;
	o.fanout_program = &program;
	expect_refused("packet:fdq,queues=2", o, "no use for");
	o.fanout = (enum fdl_fanout)99;
	expect_refused("packet:fdq,queues=2", o, "none of enum fdl_fanout");
	assert_false(netns_has("fdt"));
}

static void the_receive_buffer_can_be_chosen(void **state)
{
	struct fdl_endpoint *ep = open_it("packet:fdq,rcvbuf=1000000");
	struct fdl_info info;

	(void)state;
	assert_int_equal(fdl_get_info(ep, &info, sizeof(info)), 0);
	assert_int_equal(info.kind, FDL_KIND_PACKET);
	assert_int_equal(info.rcvbuf, 2000000);
	fdl_endpoint_free(ep);
	ep = open_it("packet:fdq");
	fdl_get_info(ep, &info, sizeof(info));
	assert_int_equal(info.rcvbuf, 8 << 20);
	fdl_endpoint_free(ep);
}

static void a_deleted_device_ends_all_queues(void **state)
{
	struct fdl_endpoint *ep = open_it("packet:fdq,queues=3");
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
	struct fdl_endpoint *ep = open_it("packet:fdq,queues=3");
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
	int i, before = count_fds();
	struct fdl_endpoint *ep;

	(void)state;
	for (i = 0; i < 20; i++) {
		fdl_endpoint_free(open_it("packet:fdq,queues=4,promisc"));
		fdl_endpoint_free(open_it("tap:fdt,queues=4"));
		assert_int_equal(open_with(&ep, "packet:none,queues=4",
					   (struct fdl_options){ 0 }), -ENODEV);
		assert_int_equal(open_with(&ep, "tap:fdq,queues=4",
					   (struct fdl_options){ 0 }), -EINVAL);
	}
	assert_int_equal(count_fds(), before);
	assert_false(netns_has("fdt"));
}

/* What the readers saw. */
struct readers {
	pthread_mutex_t lock;
	struct tally tally;
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
		note(&r->tally, index, v[i]);
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
	struct fdl_endpoint *ep = open_it("packet:fdq,queues=4");
	const struct fdl_dispatcher d = { deliver, NULL, r };
	const int sock = packet_socket("fdqp", 0);

	*r = (struct readers){ .lock = PTHREAD_MUTEX_INITIALIZER };
	assert_int_equal(fdl_attach_threads(ep, &d, threads), 0);
	put_all(sock, true);
	wait_for(r, FLOWS * ROUNDS);
	fdl_endpoint_free(ep);
	close(sock);
	expect_spread(&r->tally, 4);
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
	threads = (struct fdl_threads){ .name = "eth0", .cpus = cpus,
					.n_cpus = 1 };
	read_attached(&threads, &r);
	assert_string_equal(r.name[1], "eth0-1");
	assert_int_equal(r.cpu[0], cpus[0]);
	assert_int_equal(r.cpu[3], cpus[0]);
}

static void a_cpu_that_is_not_there(void **state)
{
	static const int cpus[] = { CPU_SETSIZE - 1, -1, CPU_SETSIZE };
	struct fdl_endpoint *ep = open_it("packet:fdq,queues=4");
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

#define OVER_VETH(f) cmocka_unit_test_setup_teardown(f, make_veth, drop_veth)

int main(int argc, char *argv[])
{
	static const struct CMUnitTest queues[] = {
		cmocka_unit_test(flows_spread_over_a_tap),
		cmocka_unit_test(flows_spread_over_a_tun),
		cmocka_unit_test(a_tap_answers_on_the_queue_that_asked),
		OVER_VETH(flows_spread_over_a_group),
		OVER_VETH(every_fanout_brings_each_packet_once),
		OVER_VETH(a_program_chooses_the_queue),
		OVER_VETH(a_group_is_whole_before_the_first_packet),
		OVER_VETH(outgoing_frames_are_for_who_asks),
		OVER_VETH(the_callers_sockets_are_grouped_on_request),
		OVER_VETH(contradictions_are_refused),
		OVER_VETH(the_receive_buffer_can_be_chosen),
		OVER_VETH(a_deleted_device_ends_all_queues),
		OVER_VETH(changes_are_counted_once),
		OVER_VETH(nothing_is_left_behind),
		OVER_VETH(readers_have_names_and_cpus),
		OVER_VETH(a_cpu_that_is_not_there),
	};

	(void)argc;
	netns_enter(argv);
	if (argv[1])
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(queues, NULL, NULL);
}
