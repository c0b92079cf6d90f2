/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another holder of an AF_PACKET socket binds it to another device, or to
 * another protocol, while frames move. None of another device's is delivered,
 * and the endpoint has its own again.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "contract.h"
#include "netns.h"

enum { LEN = 100, STRAYS = 5 };

static void bind_to(int fd, const char *dev, unsigned protocol)
{
	const struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons((uint16_t)protocol),
		.sll_ifindex = (int)if_nametoindex(dev),
	};

	assert_int_equal(bind(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
}

static void is_bound_back(const struct link *l)
{
	struct sockaddr_ll now;
	socklen_t len = sizeof(now);

	assert_int_equal(getsockname(l->fd, (struct sockaddr *)&now, &len), 0);
	assert_int_equal(now.sll_ifindex, if_nametoindex(l->dev));
	assert_int_equal(now.sll_protocol, htons(ETH_P_ALL));
}

/* Until a call has looked: it may be a millisecond. */
static void await_rebind(struct link *l)
{
	const long long end = netns_now_ms() + WAIT_MS;
	const int to = (int)if_nametoindex(l->dev);
	struct sockaddr_ll now = { 0 };
	struct fdl_packet *pkt;
	socklen_t len;

	while (now.sll_ifindex != to || now.sll_protocol != htons(ETH_P_ALL)) {
		assert_true(netns_now_ms() < end);
		assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
		len = sizeof(now);
		getsockname(l->fd, (struct sockaddr *)&now, &len);
	}
}

static void frames_of_another_device_do_not_come(struct link *l)
{
	struct fdl_stats st;
	struct link other;
	unsigned i;

	assert_int_equal(link_make(&other, l->kind, 1), 0);
	link_feed(l, LEN, 1);
	bind_to(l->fd, other.dev, ETH_P_ALL);
	for (i = 0; i < STRAYS; i++)
		link_feed(&other, LEN, 100 + i);
	expect_received(l, LEN, 1);
	await_rebind(l);
	is_bound_back(l);
	for (i = 2; i < 10; i++) {
		link_feed(l, LEN, i);
		expect_received(l, LEN, i);
	}
	expect_rest(l);
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_otherhost, STRAYS);
	l->rx_offered += STRAYS;
	link_free(&other);
}

static void a_socket_that_gets_nothing_is_bound_back(struct link *l)
{
	bind_to(l->fd, l->dev, ETH_P_ARP);
	await_rebind(l);
	link_feed(l, LEN, 1);
	expect_received(l, LEN, 1);
	expect_rest(l);
}

static const struct expectation table[] = {
	{ .name = "frames of another device do not come",
	  .test = frames_of_another_device_do_not_come,
	  .needs = LINK_OUTGOING,
	  .not_on = LINK_OPENED },
	{ .name = "a socket that gets nothing is bound back",
	  .test = a_socket_that_gets_nothing_is_bound_back,
	  .needs = LINK_OUTGOING,
	  .not_on = LINK_OPENED },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("rebound", argv, table, COUNT_OF(table));
}
