/* SPDX-License-Identifier: Apache-2.0 */
/* A datagram peer to whom nothing is sent: it ends, comes back, or has lost its
 * name. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "meet_bed.h"
#include "netns.h"

static void meet(void **state)
{
	struct bed *bed = bed_of(state, DATAGRAM);

	bed_connect(bed, ",reconnect");
	peer_listen(bed);
	bed_await_carrier(bed, true);
}

/* The peer is looked for, n times. */
static void await_looks(struct bed *bed, int n)
{
	struct pollfd in = { .fd = fdl_fd(bed->ep), .events = POLLIN };
	struct fdl_packet *pkt;

	while (n-- > 0) {
		assert_int_equal(poll(&in, 1, WAIT_MS), 1);
		assert_int_equal(fdl_recv(bed->q, &pkt, 1), 0);
	}
}

static void expect_traffic(struct bed *bed)
{
	assert_int_equal(bed_write(bed, 1), 0);
	peer_expect(bed, 1);
	peer_send(bed, 2);
	bed_expect(bed, 2);
}

/* It ends, and later comes back. */
static void its_end_is_noticed(void **state)
{
	struct bed *bed = *state;
	const uint64_t changes = 2;
	unsigned round;

	meet(state);
	for (round = 1; round <= 2; round++) {
		peer_die(bed);
		bed_await_carrier(bed, false);
		assert_int_equal(bed_link(bed).changes, changes * round);
		peer_listen(bed);
		bed_await_carrier(bed, true);
	}
	assert_int_equal(bed_stats(bed).tx_drop_no_peer, 0);
	assert_int_equal(bed_stats(bed).rx_drop_stranger, 0);
}

/* It is another one at the same address, before it is looked for. */
static void one_that_came_back_is_met(void **state)
{
	struct bed *bed = *state;

	meet(state);
	peer_die(bed);
	peer_listen(bed);
	await_looks(bed, 2);
	assert_true(bed_link(bed).carrier);
	assert_int_equal(bed_write(bed, 1), 0);
	peer_expect(bed, 1);
}

/* Who cleans up a folder does not end its links. */
static void one_without_a_file_is_kept(void **state)
{
	struct bed *bed = *state;
	char path[sizeof(bed->dir) + 8];

	meet(state);
	snprintf(path, sizeof(path), "%s/link", bed->dir);
	assert_int_equal(unlink(path), 0);
	await_looks(bed, 2);
	assert_true(bed_link(bed).carrier);
	expect_traffic(bed);
	peer_die(bed);
	assert_true(bed_write(bed, 3) < 0);
	bed_await_carrier(bed, false);
}

/* It removes its file as it ends, and another one comes in its place, which the
 * kernel lets nobody send to a socket that has a peer. */
static void one_that_cleans_up_is_missed(void **state)
{
	struct bed *bed = *state;
	char path[sizeof(bed->dir) + 8];

	meet(state);
	snprintf(path, sizeof(path), "%s/link", bed->dir);
	peer_die(bed);
	assert_int_equal(unlink(path), 0);
	bed_await_carrier(bed, false);
	peer_listen(bed);
	bed_await_carrier(bed, true);
	expect_traffic(bed);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(its_end_is_noticed, bed_set_up,
						bed_tear_down),
		cmocka_unit_test_setup_teardown(one_that_came_back_is_met,
						bed_set_up, bed_tear_down),
		cmocka_unit_test_setup_teardown(one_without_a_file_is_kept,
						bed_set_up, bed_tear_down),
		cmocka_unit_test_setup_teardown(one_that_cleans_up_is_missed,
						bed_set_up, bed_tear_down),
	};

	(void)argc;
	netns_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
