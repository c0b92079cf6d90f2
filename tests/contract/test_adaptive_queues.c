/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mode adaptive over several queues: a packet's flow has one queue, whatever
 * stands before its ports, and keeps it over a thousand switches of both queues
 * under load, none lost, doubled or reordered. The mode's clock is the test's,
 * each reader having one of its own, as in test_adaptive.c.
 */
#include <errno.h>
#include <linux/if_packet.h>
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

#include "flows.h"
#include "link.h"
#include "netns.h"
#include "sanitized.h"

enum {
	SWITCHES = SANITIZED ? 100 : 1000,
	FEEDERS = 2,
	QUEUES = 2,
	WINDOW = 500,
	BATCH = 32,
	/* How many looks at the clock find a load, and one an idle link. */
	BUSY_LOOKS = 16,
	/* So many packets are a load by then. */
	ENOUGH = 2048,
};

/* The clock stands, or whatever is next is due. */
static atomic_bool hurried;

/* Of the switches: by whose socket, how many are begun, how many done, and how
 * long one takes longer. */
static atomic_int steerer[QUEUES];
static atomic_uint begun, switches[QUEUES], delay_us;

/* What entering the group fails with. */
static atomic_int refusal;

int64_t __wrap_os_now_us(void);
int __real_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);
int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len);

int64_t __wrap_os_now_us(void)
{
	static _Thread_local unsigned looks;
	static _Thread_local int64_t clock_us;

	if (hurried)
		clock_us += looks++ % (BUSY_LOOKS + 1) ? 4000 : 1000000;
	return clock_us;
}

/* The test does not know which socket is whose, but tells them apart. */
static unsigned tell_apart(int fd)
{
	unsigned i;
	int none;

	for (i = 0; i < QUEUES; i++) {
		none = -1;
		if (atomic_compare_exchange_strong(&steerer[i], &none, fd) ||
		    none == fd)
			return i;
	}
	fail_msg("a switch by a socket too many");
	return 0;
}

int __wrap_os_setsockopt(int fd, int level, int name, const void *val,
			 socklen_t len)
{
	int err;

	if (level == SOL_PACKET && name == PACKET_FANOUT && refusal) {
		begun++;
		return refusal;
	}
	if (level != SOL_PACKET || name != PACKET_FANOUT_DATA)
		return __real_os_setsockopt(fd, level, name, val, len);
	begun++;
	usleep(delay_us);
	err = __real_os_setsockopt(fd, level, name, val, len);
	switches[tell_apart(fd)]++;
	return err;
}

static void forget_switches(void)
{
	unsigned i;

	begun = 0;
	for (i = 0; i < QUEUES; i++) {
		steerer[i] = -1;
		switches[i] = 0;
	}
}

static unsigned all_switches(void)
{
	return switches[0] + switches[1];
}

static struct fdl_endpoint *open_adaptive(const char *locator)
{
	struct fdl_endpoint *ep;

	hurried = false;
	delay_us = 0;
	refusal = 0;
	forget_switches();
	ep = flows_open(locator);
	assert_int_equal(fdl_get_mode(ep), FDL_MODE_ADAPTIVE);
	forget_switches();
	return ep;
}

/* What stands before a packet's ports. */
struct shape {
	const char *name;
	unsigned tags, version, extensions, proto;
	bool fragment;
};

static const struct shape shapes[] = {
	{ "IPv4 UDP", 0, 4, 0, 17, false },
	{ "IPv4 TCP", 0, 4, 0, 6, false },
	{ "IPv6 UDP", 0, 6, 0, 17, false },
	{ "IPv6 TCP", 0, 6, 0, 6, false },
	{ "IPv6 UDP, 1 extension", 0, 6, 1, 17, false },
	{ "IPv6 UDP, 3 extensions", 0, 6, 3, 17, false },
	{ "IPv4 UDP, tagged", 1, 4, 0, 17, false },
	{ "IPv4 UDP, tagged twice", 2, 4, 0, 17, false },
	{ "IPv6 TCP, tagged twice, 2 extensions", 2, 6, 2, 6, false },
	{ "IPv4 UDP, fragment", 0, 4, 0, 17, true },
	{ "IPv6 UDP, fragment", 0, 6, 0, 17, true },
	{ "IPv4 ICMP", 0, 4, 0, 1, false },
};

enum {
	N_SHAPES = sizeof(shapes) / sizeof(shapes[0]),
};

static bool has_ports(const struct shape *s)
{
	return !s->fragment && s->proto != 1;
}

static size_t put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return 2;
}

static size_t put_ethernet(uint8_t *p, const struct shape *s)
{
	static const uint8_t stations[12] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
	};
	size_t n = sizeof(stations);
	unsigned i;

	memcpy(p, stations, sizeof(stations));
	for (i = s->tags; i > 0; i--) {
		n += put16(p + n, i == 2 ? 0x88a8 : 0x8100);
		n += put16(p + n, i);
	}
	return n + put16(p + n, s->version == 4 ? 0x0800 : 0x86dd);
}

static size_t put_ip4(uint8_t *p, const struct shape *s, unsigned from,
		      unsigned to)
{
	const uint8_t ip[20] = {
		0x45, 0,
		0,    40,
		0,    0,
		0,    0,
		64,   (uint8_t)s->proto,
		0,    0,
		192,  0,
		2,    (uint8_t)from,
		192,  0,
		2,    (uint8_t)to,
	};

	memcpy(p, ip, sizeof(ip));
	p[6] = s->fragment ? 0x20 : 0x40;
	return sizeof(ip);
}

/* The last extension is the longest. */
static size_t put_ip6(uint8_t *p, const struct shape *s, unsigned from,
		      unsigned to)
{
	static const uint8_t kinds[] = { 0, 43, 60 };
	uint8_t *next = p + 6;
	size_t n = 40;
	unsigned i;

	memset(p, 0, 120);
	p[0] = 0x60;
	p[8] = p[24] = 0xfd;
	p[23] = (uint8_t)from;
	p[39] = (uint8_t)to;
	for (i = 0; i < s->extensions; i++) {
		*next = kinds[i];
		next = p + n;
		p[n + 1] = i == 2;
		n += i == 2 ? 16 : 8;
	}
	if (s->fragment) {
		*next = 44;
		next = p + n;
		n += 8;
	}
	*next = (uint8_t)s->proto;
	put16(p + 4, (unsigned)n - 40 + 20);
	return n;
}

/* A packet of the flow from one of two hosts; by its port, where it has one. */
static size_t make(uint8_t frame[256], const struct shape *s, unsigned flow,
		   bool back)
{
	const unsigned host = has_ports(s) ? 0 : flow;
	const unsigned from = back ? 200 : host, to = back ? host : 200;
	size_t n = put_ethernet(frame, s);

	n += s->version == 4 ? put_ip4(frame + n, s, from, to) :
			       put_ip6(frame + n, s, from, to);
	memset(frame + n, 0, 20);
	put16(frame + n + (back ? 2 : 0), flow);
	put16(frame + n + (back ? 0 : 2), 9);
	frame[n + 12] = 0x50;
	return n + 20;
}

/* Which queue brings the one packet that is there, and nothing else. */
static unsigned queue_that_has_it(struct fdl_endpoint *ep)
{
	unsigned i, queue = 0, n = 0;
	struct fdl_packet *pkt;

	while (n == 0) {
		assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_READABLE);
		for (i = 0; i < fdl_queues(ep); i++) {
			if (fdl_recv(fdl_get_queue(ep, i), &pkt, 1) != 1)
				continue;
			fdl_release(&pkt, 1);
			queue = i;
			n++;
		}
	}
	assert_int_equal(n, 1);
	return queue;
}

static unsigned queue_of(struct fdl_endpoint *ep, int sock,
			 const struct shape *s, unsigned flow, bool back)
{
	uint8_t frame[256];
	size_t len = make(frame, s, flow, back);

	assert_int_equal(send(sock, frame, len, 0), len);
	return queue_that_has_it(ep);
}

static void a_flow_has_one_queue_in_both_directions(void **state)
{
	struct fdl_endpoint *ep = open_adaptive("packet:fdq,queues=4");
	const int sock = flows_socket("fdqp", 0);
	unsigned i, flow, queue, seen;

	(void)state;
	for (i = 0; i < N_SHAPES; i++) {
		seen = 0;
		for (flow = 0; flow < FLOWS; flow++) {
			queue = queue_of(ep, sock, &shapes[i], flow, false);
			seen |= 1U << queue;
			assert_int_equal(
				queue_of(ep, sock, &shapes[i], flow, true),
				queue);
		}
		if (seen != 0xf)
			print_error("%s\n", shapes[i].name);
		assert_int_equal(seen, 0xf);
	}
	close(sock);
	fdl_endpoint_free(ep);
}

/* So one flow's packets with and without them stay in order. */
static void what_stands_before_the_ports_does_not_matter(void **state)
{
	struct fdl_endpoint *ep = open_adaptive("packet:fdq,queues=4");
	const int sock = flows_socket("fdqp", 0);
	unsigned i, flow, queue[2][8];

	(void)state;
	for (flow = 0; flow < 8; flow++) {
		queue[0][flow] = queue_of(ep, sock, &shapes[0], flow, false);
		queue[1][flow] = queue_of(ep, sock, &shapes[2], flow, false);
	}
	for (i = 0; i < N_SHAPES; i++)
		for (flow = 0; has_ports(&shapes[i]) && flow < 8; flow++)
			assert_int_equal(
				queue_of(ep, sock, &shapes[i], flow, false),
				queue[shapes[i].version == 6][flow]);
	close(sock);
	fdl_endpoint_free(ep);
}

/* The program reads past no end: such a packet is no flow's, but comes. */
static void a_packet_may_end_anywhere(void **state)
{
	struct fdl_endpoint *ep = open_adaptive("packet:fdq,queues=4");
	const int sock = flows_socket("fdqp", 0);
	const struct shape *s = &shapes[8];
	uint8_t frame[256];
	size_t len, at;

	(void)state;
	len = make(frame, s, 7, false);
	for (at = 14 + 4 * s->tags; at <= len; at++) {
		assert_int_equal(send(sock, frame, at, 0), at);
		queue_that_has_it(ep);
	}
	s = &shapes[0];
	len = make(frame, s, 7, false);
	for (at = 14; at <= len; at++) {
		assert_int_equal(send(sock, frame, at, 0), at);
		queue_that_has_it(ep);
	}
	close(sock);
	fdl_endpoint_free(ep);
}

/* What goes out lies otherwise in the kernel's memory than what comes in. */
static void what_others_send_is_of_the_same_flow(void **state)
{
	struct fdl_endpoint *ep =
		open_adaptive("packet:fdq,queues=4,outgoing=on");
	const int here = flows_socket("fdq", 0);
	const int there = flows_socket("fdqp", 0);
	unsigned i, flow;

	(void)state;
	for (i = 0; i < 4; i++)
		for (flow = 0; flow < 16; flow++)
			assert_int_equal(
				queue_of(ep, here, &shapes[i], flow, true),
				queue_of(ep, there, &shapes[i], flow, false));
	close(here);
	close(there);
	fdl_endpoint_free(ep);
}

static void flows_are_spread_evenly(void **state)
{
	static const unsigned queues[] = { 2, 3, 40, 128 };
	const int sock = flows_socket("fdqp", 0);
	unsigned i, flow, n, got[128];
	struct fdl_endpoint *ep;
	char locator[64];

	(void)state;
	for (i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
		n = queues[i];
		memset(got, 0, sizeof(got));
		snprintf(locator, sizeof(locator), "packet:fdq,queues=%u", n);
		ep = open_adaptive(locator);
		for (flow = 0; flow < n * 16; flow++)
			got[queue_of(ep, sock, &shapes[flow % 4], flow / 4,
				     false)]++;
		for (flow = 0; flow < n; flow++)
			assert_in_range(got[flow], 4, 40);
		fdl_endpoint_free(ep);
	}
	close(sock);
}

/* Numbered packets of two flows on each queue. */
struct flow {
	unsigned port, queue;
	atomic_uint sent, got;
};

struct bed {
	struct fdl_endpoint *ep;
	struct flow flow[FEEDERS * QUEUES];	/* by queue, then feeder */
	atomic_uint wrong;
	int sock;
};

struct feeder {
	struct bed *b;
	unsigned index;
	pthread_t thread;
};

static atomic_bool fed;

static void put(struct bed *b, struct flow *f, int sock)
{
	const unsigned seq = f->sent, id = (unsigned)(f - b->flow);
	uint8_t frame[256];
	size_t len = make(frame, &shapes[0], f->port, false);

	memcpy(frame + 42, &id, sizeof(id));
	memcpy(frame + 46, &seq, sizeof(seq));
	while (send(sock, frame, len, 0) < 0)
		;
	f->sent = seq + 1;
}

/* Called by readers: a failed assertion would end the wrong thread. */
static void check(struct bed *b, unsigned queue, const struct fdl_packet *pkt)
{
	unsigned id, seq;

	memcpy(&id, pkt->data + 42, sizeof(id));
	memcpy(&seq, pkt->data + 46, sizeof(seq));
	if (id >= FEEDERS * QUEUES || b->flow[id].queue != queue ||
	    b->flow[id].got != seq)
		b->wrong++;
	else
		b->flow[id].got = seq + 1;
}

static void make_bed(struct bed *b)
{
	unsigned n[QUEUES] = { 0 }, port, queue;

	memset(b, 0, sizeof(*b));
	b->ep = open_adaptive("packet:fdq,queues=2");
	b->sock = flows_socket("fdqp", 0);
	for (port = 1; n[0] < FEEDERS || n[1] < FEEDERS; port++) {
		queue = queue_of(b->ep, b->sock, &shapes[0], port, false);
		if (n[queue] == FEEDERS)
			continue;
		b->flow[queue * FEEDERS + n[queue]].port = port;
		b->flow[queue * FEEDERS + n[queue]].queue = queue;
		n[queue]++;
	}
}

static void expect_all(struct bed *b)
{
	struct fdl_stats st;
	unsigned i;

	assert_int_equal(b->wrong, 0);
	for (i = 0; i < FEEDERS * QUEUES; i++)
		assert_int_equal(b->flow[i].got, b->flow[i].sent);
	assert_int_equal(fdl_get_stats(b->ep, &st, sizeof(st)), 0);
	assert_int_equal(st.rx_drop_kernel, 0);
}

static void free_bed(struct bed *b)
{
	close(b->sock);
	assert_int_equal(fdl_endpoint_free(b->ep), 0);
}

/* One flow on each queue. On one CPU: elsewhere the kernel may reorder. */
static void *feed(void *arg)
{
	const struct feeder *f = arg;
	const int sock = flows_socket("fdqp", 0);
	struct flow *flow;
	unsigned i, n;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(f->index % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	while (!fed) {
		for (i = n = 0; i < QUEUES; i++) {
			flow = &f->b->flow[i * FEEDERS + f->index];
			if (flow->sent - flow->got >= WINDOW)
				continue;
			put(f->b, flow, sock);
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
		check(ctx, fdl_queue_index(q), v[i]);
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

static void run_until(struct bed *b, unsigned n)
{
	const struct fdl_dispatcher d = { .deliver = deliver, .ctx = b };
	struct feeder feeder[FEEDERS];
	unsigned i;
	long long end;

	fed = false;
	hurried = true;
	assert_int_equal(fdl_attach(b->ep, &d), 0);
	for (i = 0; i < FEEDERS; i++) {
		feeder[i] = (struct feeder){ .b = b, .index = i };
		pthread_create(&feeder[i].thread, NULL, feed, &feeder[i]);
	}
	while (all_switches() < n && b->wrong == 0)
		usleep(1000);
	fed = true;
	for (i = 0; i < FEEDERS; i++)
		pthread_join(feeder[i].thread, NULL);
	end = netns_now_ms() + WAIT_MS;
	while (!all_came(b) && netns_now_ms() < end)
		usleep(1000);
	assert_int_equal(fdl_detach(b->ep), 0);
	hurried = false;
}

static void a_thousand_switches_of_both_under_load(void **state)
{
	static struct bed b;

	(void)state;
	make_bed(&b);
	run_until(&b, SWITCHES);
	expect_all(&b);
	assert_in_range(switches[0], SWITCHES / 4, SWITCHES);
	assert_in_range(switches[1], SWITCHES / 4, SWITCHES);
	free_bed(&b);
}

static void take(struct bed *b)
{
	struct fdl_packet *v[BATCH];
	unsigned queue;
	int i, n;

	for (queue = 0; queue < QUEUES; queue++) {
		while ((n = fdl_recv(fdl_get_queue(b->ep, queue), v, BATCH)) >
		       0) {
			for (i = 0; i < n; i++)
				check(b, queue, v[i]);
			fdl_release(v, n);
		}
		assert_int_equal(n, 0);
	}
}

/* With the fd readable each time. */
static void deliver_some(struct bed *b, unsigned flow, unsigned n)
{
	while (n-- > 0) {
		put(b, &b->flow[flow], b->sock);
		if (n % BATCH)
			continue;
		while (!all_came(b) && b->wrong == 0) {
			assert_int_equal(fdl_poll(b->ep, WAIT_MS),
					 FDL_READABLE);
			take(b);
		}
	}
	assert_int_equal(b->wrong, 0);
}

/* Have the queue of a flow begin a switch, and no more. */
static void begin_switch(struct bed *b, unsigned flow)
{
	const unsigned before = begun;

	hurried = true;
	while (begun == before)
		deliver_some(b, flow, BATCH);
	hurried = false;
}

/* Have it use its ring. */
static void load(struct bed *b, unsigned flow)
{
	const unsigned before = all_switches();

	delay_us = 30000;
	begin_switch(b, flow);
	while (all_switches() == before)
		usleep(100);
	take(b);
}

static void deliver_everywhere(struct bed *b)
{
	unsigned i, k;

	for (k = 0; k < 20; k++)
		for (i = 0; i < FEEDERS * QUEUES; i++)
			deliver_some(b, i, 5);
	expect_all(b);
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
		for (i = 0; i < QUEUES; i++)
			if (rings & 1U << i)
				load(&b, i * FEEDERS);
		test(&b);
		free_bed(&b);
	}
}

static void each_queue_switches_on_its_own(void **state)
{
	(void)state;
	with_rings(deliver_everywhere);
}

static void flap(struct bed *b)
{
	int i;

	for (i = 0; i < 3; i++) {
		netns_set_up("fdq", false);
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
	delay_us = 200000;
	begin_switch(&b, 0);
	hurried = true;
	deliver_some(&b, FEEDERS, ENOUGH);
	free_bed(&b);
	assert_int_equal(all_switches(), 2);
}

/* The kernel does not take a ring's socket into the group: its queue stays with
 * recvmmsg, and the socket is the other queue's. */
static void a_ring_that_cannot_be_added_is_done_without(void **state)
{
	static struct bed b;

	(void)state;
	make_bed(&b);
	refusal = -EINVAL;
	begin_switch(&b, 0);
	refusal = 0;
	deliver_everywhere(&b);
	load(&b, FEEDERS);
	flap(&b);
	hurried = true;
	deliver_some(&b, 0, ENOUGH);
	assert_int_equal(all_switches(), 1);
	free_bed(&b);
}

static void refused(const char *locator, const char *word)
{
	const struct fdl_options adaptive = { .mode = FDL_MODE_ADAPTIVE };
	struct fdl_endpoint *ep = NULL;
	struct fdl_info info;

	assert_int_equal(flows_open_with(&ep, locator, adaptive), -EINVAL);
	assert_non_null(strstr(flows_said, word));
	assert_int_equal(fdl_probe(locator, &info, sizeof(info), NULL, NULL),
			 0);
	assert_int_equal(fdl_mode_best(&info), FDL_MODE_RECVMMSG);
	ep = flows_open(locator);
	assert_int_equal(fdl_get_mode(ep), FDL_MODE_RECVMMSG);
	fdl_endpoint_free(ep);
}

static void other_fanouts_are_refused(void **state)
{
	struct fdl_info info;

	(void)state;
	refused("packet:fdq,queues=2,fanout=lb", "fanout=hash only");
	refused("packet:fdq,queues=2,rollover", "rollover");
	refused("packet:fdq,queues=129", "256 sockets");
	assert_int_equal(fdl_probe("packet:fdq,queues=2,fanout=hash", &info,
				   sizeof(info), NULL, NULL),
			 0);
	assert_int_equal(fdl_mode_best(&info), FDL_MODE_ADAPTIVE);
	fdl_endpoint_free(open_adaptive("packet:fdq,queues=2,fanout=hash"));
	fdl_endpoint_free(open_adaptive("packet:fdq,queues=1,fanout=lb"));
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		OVER_VETH(other_fanouts_are_refused),
		OVER_VETH(a_flow_has_one_queue_in_both_directions),
		OVER_VETH(what_stands_before_the_ports_does_not_matter),
		OVER_VETH(a_packet_may_end_anywhere),
		OVER_VETH(what_others_send_is_of_the_same_flow),
		OVER_VETH(flows_are_spread_evenly),
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
