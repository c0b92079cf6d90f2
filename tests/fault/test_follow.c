/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link's next peer is there, and the descriptor that tells the send side of
 * room cannot be led to it: whoever waits for room is told of it all the same,
 * and is not called again and again.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "contract.h"
#include "fault.h"
#include "netns.h"

enum {
	LEN = 1000,
	EVER = 1000000,
	WATCHED_MS = 200,
	/* The pauses between two looks grow to 16 ms. */
	MOST_TOLD = WATCHED_MS / 2,
};

struct bed {
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	int listener, peer;
};

static bool has_carrier(const struct bed *b)
{
	struct fdl_link link;

	assert_int_equal(fdl_link_state(b->ep, &link, sizeof(link)), 0);
	return link.carrier;
}

/* The peer that the link finds next. */
static void meet(struct bed *b)
{
	struct fdl_packet *pkt;

	while (!has_carrier(b)) {
		fdl_poll(b->ep, WAIT_MS);
		assert_int_equal(fdl_recv(b->q, &pkt, 1), 0);
	}
	b->peer = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(b->peer >= 0);
}

static void lose(struct bed *b)
{
	struct fdl_packet *pkt;

	close(b->peer);
	while (has_carrier(b))
		assert_int_equal(fdl_recv(b->q, &pkt, 1), 0);
}

static void open_bed(struct bed *b)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(un.sun_family);
	char locator[64];

	b->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	/* The kernel chooses the name: five hexadecimal digits. */
	assert_int_equal(bind(b->listener, (struct sockaddr *)&un, len), 0);
	assert_int_equal(listen(b->listener, 4), 0);
	len = sizeof(un);
	getsockname(b->listener, (struct sockaddr *)&un, &len);
	snprintf(locator, sizeof(locator), "seqpacket:@%.5s,reconnect",
		 un.sun_path + 1);
	assert_int_equal(fdl_open(&b->ep, locator, NULL), 0);
	b->q = fdl_get_queue(b->ep, 0);
}

static void close_bed(struct bed *b)
{
	fdl_endpoint_free(b->ep);
	close(b->peer);
	close(b->listener);
}

/* Returns whether it went. */
static bool send_one(struct bed *b)
{
	struct fdl_packet *pkt;
	int n;

	assert_int_equal(fdl_alloc(b->q, &pkt, 1), 1);
	pkt->len = LEN;
	memset(pkt->data, 2, LEN);
	n = fdl_send(b->q, &pkt, 1);
	assert_in_range(n, 0, 1);
	if (n == 0)
		fdl_release(&pkt, 1);
	return n;
}

static void fill(struct bed *b)
{
	while (send_one(b))
		;
	assert_int_equal(fdl_want_write(b->q, true), 0);
}

static void expect_full(struct bed *b)
{
	const long long end = netns_now_ms() + WATCHED_MS;
	unsigned told = 0;
	int left;

	while ((left = (int)(end - netns_now_ms())) > 0) {
		if (fdl_poll(b->ep, left) & FDL_WRITABLE)
			told++;
		assert_false(send_one(b));
	}
	assert_in_range(told, 0, MOST_TOLD);
}

static void expect_room(struct bed *b)
{
	uint8_t frame[LEN];

	while (recv(b->peer, frame, LEN, MSG_DONTWAIT) > 0)
		;
	assert_true(fdl_poll(b->ep, WAIT_MS) & FDL_WRITABLE);
	assert_true(send_one(b));
}

/* For so many tries. waits: for room at the former peer, all the time. */
static void room_at_the_next_peer(unsigned times, bool waits)
{
	struct bed b;

	open_bed(&b);
	meet(&b);
	fill(&b);
	if (!waits)
		assert_int_equal(fdl_want_write(b.q, false), 0);
	lose(&b);
	meet(&b);
	fault_set(FAULT_DUP_TO, 1, times, EBADF);
	fill(&b);
	expect_full(&b);
	expect_room(&b);
	assert_true(fault_clear());
	close_bed(&b);
}

static void it_fails_once(void **state)
{
	(void)state;
	room_at_the_next_peer(1, false);
	room_at_the_next_peer(1, true);
}

static void it_fails_for_good(void **state)
{
	(void)state;
	room_at_the_next_peer(EVER, false);
	room_at_the_next_peer(EVER, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_fails_once),
		cmocka_unit_test(it_fails_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
