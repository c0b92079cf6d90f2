/* SPDX-License-Identifier: Apache-2.0 */
/* FDL_NO_METADATA: who reads no times and no hashes does not pay for them. */
#include <linux/if_ether.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/fdlink.h>
#include <fdlink/open.h>

#include "contract.h"
#include "flows.h"
#include "netns.h"

enum {
	LEN = 60,
	TYPE = 0x88b5,
};

struct bed {
	struct fdl_endpoint *ep;
	int fd, peer;
};

static void open_bed(struct bed *b, enum fdl_mode mode)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .mode = mode,
					  .flags = FDL_NO_METADATA };

	*b = (struct bed){ .fd = -1, .peer = flows_socket("fdqp", 0) };
	if (mode == FDL_MODE_ADAPTIVE) {
		assert_int_equal(fdl_open(&b->ep, "packet:fdq", &opts), 0);
		return;
	}
	b->fd = flows_socket("fdq", ETH_P_ALL);
	assert_int_equal(fdl_endpoint_new(&b->ep, &b->fd, 1, &opts), 0);
}

static void close_bed(struct bed *b)
{
	fdl_endpoint_free(b->ep);
	if (b->fd >= 0)
		close(b->fd);
	close(b->peer);
}

static bool asks(const struct bed *b)
{
	socklen_t len = sizeof(int);
	int value;

	assert_int_equal(
		getsockopt(b->fd, SOL_SOCKET, SO_TIMESTAMPNS, &value, &len), 0);
	return value;
}

static void send_one(const struct bed *b)
{
	uint8_t frame[LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2 };

	frame[12] = TYPE >> 8;
	frame[13] = TYPE & 0xff;
	assert_int_equal(send(b->peer, frame, LEN, 0), LEN);
}

/* The kernel says something of itself at times. */
static struct fdl_packet *receive_one(const struct bed *b)
{
	struct fdl_queue *q = fdl_get_queue(b->ep, 0);
	struct fdl_packet *pkt;

	send_one(b);
	for (;;) {
		assert_int_equal(fdl_queue_poll(q, WAIT_MS), FDL_READABLE);
		if (fdl_recv(q, &pkt, 1) != 1)
			continue;
		if (pkt->protocol == TYPE)
			return pkt;
		fdl_release(&pkt, 1);
	}
}

static uint64_t time_of_one(const struct bed *b)
{
	struct fdl_packet *pkt = receive_one(b);
	const uint64_t time = pkt->tstamp_ns;

	fdl_release(&pkt, 1);
	return time;
}

static void the_kernel_is_not_asked(void **state)
{
	static const enum fdl_mode modes[] = { FDL_MODE_READV,
					       FDL_MODE_RECVMMSG };
	struct bed b;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(modes); i++) {
		open_bed(&b, modes[i]);
		assert_false(asks(&b));
		assert_int_equal(time_of_one(&b), 0);
		close_bed(&b);
	}
}

static void adaptive_does_not_ask_either(void **state)
{
	struct bed b;

	(void)state;
	open_bed(&b, FDL_MODE_ADAPTIVE);
	assert_int_equal(time_of_one(&b), 0);
	close_bed(&b);
}

static void a_ring_tells_the_time_all_the_same(void **state)
{
	struct bed b;

	(void)state;
	open_bed(&b, FDL_MODE_PACKET_MMAP);
	assert_true(time_of_one(&b) > 0);
	close_bed(&b);
}

/* The kernel would have one for any frame. */
static void a_ring_tells_no_hash(void **state)
{
	struct fdl_packet *pkt;
	struct bed b;

	(void)state;
	open_bed(&b, FDL_MODE_PACKET_MMAP);
	pkt = receive_one(&b);
	assert_int_equal(pkt->hash, 0);
	fdl_release(&pkt, 1);
	close_bed(&b);
}

/* The kernel begins to tell a moment after it was asked. */
static void a_caller_who_asks_is_told(void **state)
{
	const int on = 1;
	struct bed b;

	(void)state;
	open_bed(&b, FDL_MODE_READV);
	assert_int_equal(
		setsockopt(b.fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)),
		0);
	assert_true(time_of_one(&b) > 0);
	close_bed(&b);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		OVER_VETH(the_kernel_is_not_asked),
		OVER_VETH(adaptive_does_not_ask_either),
		OVER_VETH(a_ring_tells_the_time_all_the_same),
		OVER_VETH(a_ring_tells_no_hash),
		OVER_VETH(a_caller_who_asks_is_told),
	};

	netns_enter(argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("metadata", tests, NULL, NULL) ?
		       EXIT_FAILURE :
		       EXIT_SUCCESS;
}
