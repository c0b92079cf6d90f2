/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel refuses and what it was refused with, on a veth: a peer with
 * a smaller MTU drops long frames for ever, with the errno of a full queue; a
 * full queue has that errno for a while.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>
#include <fdlink/fdlink.h>
#include <fdlink/open.h>

#include "netns.h"

enum {
	WAIT_MS = 10000,
	BATCH = 10,
	FORBIDDEN = 3,
	SHORT = 200,
	LONG = 5000,
	SLOW_FRAMES = 60,
	TYPE = 0x88b5,
};

static int spy;

static int open_spy(void)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(TYPE),
		.sll_ifindex = (int)if_nametoindex("v0"),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(TYPE));

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static int make_link(void **state)
{
	(void)state;
	netns_command("ip link add v0 type veth peer name v1");
	netns_command("ip link set v1 mtu 9000");
	netns_set_up("v0", true);
	netns_set_up("v1", true);
	netns_wait_running("v1");
	spy = open_spy();
	return 0;
}

static int remove_link(void **state)
{
	(void)state;
	close(spy);
	netns_command("ip link del v0");
	return 0;
}

static struct fdl_endpoint *open_link(uint32_t tx_wait_ms)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .tx_wait_ms = tx_wait_ms };
	struct fdl_endpoint *ep;

	assert_int_equal(fdl_open(&ep, "packet:v1", &opts), 0);
	return ep;
}

static void fill(uint8_t *frame, size_t len, unsigned number)
{
	memset(frame, 0, len);
	memset(frame, 0xff, 6);
	frame[6] = 2;
	frame[12] = TYPE >> 8;
	frame[13] = TYPE & 0xff;
	frame[14] = (uint8_t)number;
}

static struct fdl_packet *packet(struct fdl_queue *q, size_t len,
				 unsigned number)
{
	struct fdl_packet *pkt;

	assert_int_equal(fdl_alloc(q, &pkt, 1), 1);
	assert_true(pkt->tail >= len);
	fill(pkt->data, len, number);
	pkt->len = (uint32_t)len;
	pkt->tail -= pkt->len;
	return pkt;
}

static int write_frame(struct fdl_queue *q, size_t len, unsigned number)
{
	uint8_t frame[LONG];
	const struct iovec iov = { frame, len };

	fill(frame, len, number);
	return fdl_write(q, &iov, 1, NULL);
}

static void expect(size_t len, unsigned number)
{
	struct pollfd in = { .fd = spy, .events = POLLIN };
	uint8_t frame[LONG];

	assert_int_equal(poll(&in, 1, WAIT_MS), 1);
	assert_int_equal(recv(spy, frame, sizeof(frame), 0), len);
	assert_int_equal(frame[14], number);
}

static void expect_nothing(void)
{
	uint8_t byte;

	assert_int_equal(recv(spy, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static struct fdl_stats stats(struct fdl_endpoint *ep)
{
	struct fdl_stats st;

	fdl_get_stats(ep, &st, sizeof(st));
	return st;
}

static void the_packet_behind_goes(void **state)
{
	struct fdl_endpoint *ep = open_link(0);
	struct fdl_queue *q = fdl_get_queue(ep, 0);
	struct fdl_packet *v[2];
	int k, n = 0;

	(void)state;
	v[0] = packet(q, LONG, 0);
	v[1] = packet(q, SHORT, 1);
	while (n < 2) {
		k = fdl_send(q, v + n, 2 - n);
		assert_true(k >= 0);
		n += k;
		assert_int_equal(fdl_want_write(q, n < 2), 0);
		if (n < 2)
			assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_WRITABLE);
	}
	expect(SHORT, 1);
	expect_nothing();
	assert_int_equal(stats(ep).tx_drop_refused, 1);
	assert_int_equal(stats(ep).tx_packets, 1);
	fdl_endpoint_free(ep);
}

static void a_write_that_waits_gives_up(void **state)
{
	struct fdl_endpoint *ep = open_link(WAIT_MS);
	struct fdl_queue *q = fdl_get_queue(ep, 0);

	(void)state;
	assert_int_equal(write_frame(q, LONG, 0), -ENOBUFS);
	assert_int_equal(write_frame(q, SHORT, 1), 0);
	expect(SHORT, 1);
	assert_int_equal(stats(ep).tx_drop_refused, 1);
	assert_int_equal(stats(ep).tx_drop_no_room, 0);
	fdl_endpoint_free(ep);
}

static void a_batch_loses_one(uint32_t tx_wait_ms)
{
	struct fdl_endpoint *ep = open_link(tx_wait_ms);
	struct fdl_queue *q = fdl_get_queue(ep, 0);
	struct fdl_packet *v[BATCH];
	unsigned i;

	for (i = 0; i < BATCH; i++)
		v[i] = packet(q, i == FORBIDDEN ? LONG : SHORT, i);
	assert_int_equal(fdl_write_packets(ep, v, BATCH), BATCH);
	for (i = 0; i < BATCH; i++)
		if (i != FORBIDDEN)
			expect(SHORT, i);
	expect_nothing();
	assert_int_equal(stats(ep).tx_packets, BATCH - 1);
	assert_int_equal(stats(ep).tx_drop_refused + stats(ep).tx_drop_no_room,
			 1);
	fdl_endpoint_free(ep);
}

static void one_of_ten_costs_itself(void **state)
{
	(void)state;
	a_batch_loses_one(0);
	a_batch_loses_one(WAIT_MS);
}

/* A frame leaves it each four milliseconds, and it holds six. */
static void a_full_queue_is_waited_for(void **state)
{
	struct fdl_endpoint *ep;
	unsigned i;

	(void)state;
	if (system("tc qdisc add dev v1 root tbf rate 2mbit burst 3000 "
		   "limit 6000 2>/dev/null"))
		skip();
	ep = open_link(WAIT_MS);
	for (i = 0; i < SLOW_FRAMES; i++)
		assert_int_equal(write_frame(fdl_get_queue(ep, 0), 1000, i), 0);
	for (i = 0; i < SLOW_FRAMES; i++)
		expect(1000, i);
	fdl_endpoint_free(ep);
}

static void the_first_after_a_flap_goes(void **state)
{
	struct fdl_endpoint *ep = open_link(0);
	struct fdl_queue *q = fdl_get_queue(ep, 0);

	(void)state;
	assert_int_equal(write_frame(q, SHORT, 0), 0);
	expect(SHORT, 0);
	netns_set_up("v1", false);
	netns_set_up("v1", true);
	netns_wait_running("v1");
	assert_int_equal(write_frame(q, SHORT, 1), 0);
	expect(SHORT, 1);
	assert_int_equal(stats(ep).tx_drop_link_down, 0);
	/* It is down: asking again does not help. */
	netns_set_up("v1", false);
	assert_int_equal(write_frame(q, SHORT, 2), -ENETDOWN);
	assert_int_equal(write_frame(q, SHORT, 3), -ENETDOWN);
	assert_int_equal(stats(ep).tx_drop_link_down, 2);
	fdl_endpoint_free(ep);
}

/* With something unread it disconnected itself. Without a name it cannot be
 * connected to. */
static void a_peer_that_looked_away_loses_nothing(void **state)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .flags = FDL_ETHERNET };
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct fdl_endpoint *ep;
	uint8_t frame[LONG];
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), 0);
	assert_int_equal(fdl_endpoint_new(&ep, fd, 1, &opts), 0);
	assert_int_equal(write_frame(fdl_get_queue(ep, 0), LONG, 0), 0);
	assert_int_equal(connect(fd[1], &nobody, sizeof(nobody)), 0);
	assert_int_equal(write_frame(fdl_get_queue(ep, 0), SHORT, 1), 0);
	assert_int_equal(recv(fd[1], frame, sizeof(frame), MSG_DONTWAIT),
			 SHORT);
	assert_int_equal(stats(ep).tx_drop_no_peer, 0);
	fdl_endpoint_free(ep);
	close(fd[0]);
	close(fd[1]);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_packet_behind_goes,
						make_link, remove_link),
		cmocka_unit_test_setup_teardown(a_write_that_waits_gives_up,
						make_link, remove_link),
		cmocka_unit_test_setup_teardown(one_of_ten_costs_itself,
						make_link, remove_link),
		cmocka_unit_test_setup_teardown(a_full_queue_is_waited_for,
						make_link, remove_link),
		cmocka_unit_test_setup_teardown(the_first_after_a_flap_goes,
						make_link, remove_link),
		cmocka_unit_test(a_peer_that_looked_away_loses_nothing),
	};

	(void)argc;
	netns_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
