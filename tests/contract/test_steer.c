/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mode adaptive over several queues: which queue gets a packet. A flow has one,
 * whatever stands before its ports.
 */
#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "flows.h"
#include "link.h"
#include "netns.h"

static struct fdl_endpoint *open_adaptive(const char *locator)
{
	struct fdl_endpoint *ep = flows_open(locator);

	assert_int_equal(fdl_get_mode(ep), FDL_MODE_ADAPTIVE);
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

	assert(s->extensions <= sizeof(kinds));
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
	};

	netns_enter(argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("steer", tests, NULL, NULL);
}
