/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes an fd readable for ever, with nothing to read: notices that nobody
 * reads (MSG_ERRQUEUE), and a shutdown by another holder. Nobody is called for
 * nothing.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "contract.h"
#include "netns.h"

enum { LEN = 100 };

/* The peer goes, and ICMP tells of each frame. */
static void what_icmp_says_is_not_left(struct link *l)
{
	const int on = 1;
	struct fdl_packet *pkt;
	int i;

	assert_int_equal(
		setsockopt(l->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)), 0);
	link_hang_up(l);
	for (i = 0; i < 5; i++) {
		pkt = frame_packet(l, LEN, 1);
		assert_int_equal(fdl_send(l->q, &pkt, 1), 1);
		l->tx_offered++;
	}
	expect_rest(l);
}

static void a_shutdown_ends_the_link(struct link *l)
{
	link_feed(l, LEN, 1);
	assert_int_equal(shutdown(l->fd, SHUT_RD), 0);
	expect_received(l, LEN, 1);
	assert_int_equal(expect_end(l), -ESHUTDOWN);
	assert_int_equal(fdl_queue_poll(l->q, 0), -ESHUTDOWN);
	assert_false(fd_readable(fdl_queue_fd(l->q), 0));
}

/* On a unix socket sending ends. UDP loses and counts what is sent, for its
 * peer may come back. What comes is received. */
static void a_link_that_may_only_receive(struct link *l)
{
	struct fdl_packet *pkt;
	struct fdl_stats st;
	int r;

	assert_int_equal(shutdown(l->fd, SHUT_WR), 0);
	link_feed(l, LEN, 1);
	pkt = frame_packet(l, LEN, 1);
	r = fdl_send(l->q, &pkt, 1);
	assert_int_equal(r, l->kind->traits & LINK_LOSSY ? 1 : -ESHUTDOWN);
	if (r == 1)
		l->tx_offered++;
	link_stats(l, &st);
	assert_int_equal(st.tx_packets, 0);
	expect_received(l, LEN, 1);
	if (r == 1)
		expect_rest(l);
	else
		fdl_release(&pkt, 1);
}

/* A caller who asks without a pause takes nothing from anybody. */
static void whoever_asks_without_a_pause_gets_all(struct link *l)
{
	struct fdl_packet *pkt;
	unsigned seq;
	int i;

	for (seq = 1; seq < 200; seq++) {
		for (i = 0; i < 20; i++)
			assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
		link_feed(l, LEN, seq);
		expect_received(l, LEN, seq);
	}
}

static const struct expectation table[] = {
	{ .name = "what ICMP says is not left",
	  .test = what_icmp_says_is_not_left,
	  .needs = LINK_LOSSY },
	{ .name = "a shutdown ends the link",
	  .test = a_shutdown_ends_the_link,
	  .needs = LINK_UNIX,
	  .not_on = LINK_NAMED },
	{ .name = "a link that may only receive",
	  .test = a_link_that_may_only_receive,
	  .needs = LINK_UNIX,
	  .not_on = LINK_NAMED },
	{ .name = "whoever asks without a pause gets all",
	  .test = whoever_asks_without_a_pause_gets_all },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("vain", argv, table, COUNT_OF(table));
}
