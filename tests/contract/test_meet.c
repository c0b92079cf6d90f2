/* SPDX-License-Identifier: Apache-2.0 */
/* Links that are opened before they have a peer, and links that outlive it. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>

#include "meet_bed.h"
#include "netns.h"
#include "tally.h"

static bool is_readable(int fd, int timeout_ms)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };

	return poll(&in, 1, timeout_ms) == 1;
}

/* Nobody is there: nothing blocks, and all that is sent is counted. */
static void listens_at_once(struct bed *bed)
{
	struct fdl_packet *pkt;
	struct fdl_link link;
	unsigned i;

	bed_listen(bed, ",listen");
	link = bed_link(bed);
	assert_true(link.up);
	assert_false(link.carrier);
	assert_int_equal(link.changes, 0);
	assert_int_equal(link.mtu, 1500);
	assert_int_equal(fdl_recv(bed->q, &pkt, 1), 0);
	assert_false(is_readable(fdl_fd(bed->ep), 30));
	assert_int_equal(fdl_poll(bed->ep, 0), 0);
	for (i = 0; i < 5; i++)
		assert_int_equal(bed_write(bed, i), -ECONNREFUSED);
	assert_int_equal(bed_stats(bed).tx_drop_no_peer, 5);
	assert_int_equal(bed_stats(bed).tx_packets, 0);
}

static void meets_its_peer_in_recv(struct bed *bed)
{
	listens_at_once(bed);
	meet_connect(bed, false);
	peer_send(bed, 1);
	assert_true(is_readable(fdl_fd(bed->ep), WAIT_MS));
	assert_true(is_readable(fdl_queue_fd(bed->q), 0));
	bed_expect(bed, 1);
	assert_true(bed_link(bed).carrier);
	assert_int_equal(bed_link(bed).changes, 1);
	assert_int_equal(bed_write(bed, 2), 0);
	peer_expect(bed, 2);
	assert_false(is_readable(fdl_fd(bed->ep), 0));
	assert_int_equal(bed_stats(bed).tx_packets, 1);
	assert_int_equal(bed_stats(bed).tx_drop_no_peer, 5);
}

static void *come(void *arg)
{
	struct bed *bed = arg;

	poll(NULL, 0, 20);
	meet_connect(bed, false);
	peer_send(bed, 7);
	return NULL;
}

/* Whoever waits is woken, by each of the ways to wait. */
static void wakes_who_waits(struct bed *bed, int (*wait)(struct bed *bed))
{
	struct fdl_packet *pkt;
	pthread_t thread;
	int n;

	bed_listen(bed, ",listen");
	assert_int_equal(pthread_create(&thread, NULL, come, bed), 0);
	while (!(n = fdl_recv(bed->q, &pkt, 1)))
		assert_int_equal(wait(bed), FDL_READABLE);
	assert_int_equal(n, 1);
	fdl_release(&pkt, 1);
	pthread_join(thread, NULL);
}

static int wait_for_queue(struct bed *bed)
{
	return fdl_queue_poll(bed->q, -1);
}

static int wait_for_all(struct bed *bed)
{
	return fdl_poll(bed->ep, -1);
}

static int wait_for_shown(struct bed *bed)
{
	return fdl_fd(bed->ep) < 0 ? -1 : fdl_poll(bed->ep, -1);
}

static void wakes_a_poll_of_the_queue(struct bed *bed)
{
	wakes_who_waits(bed, wait_for_queue);
}

static void wakes_a_poll(struct bed *bed)
{
	wakes_who_waits(bed, wait_for_all);
}

static void wakes_a_poll_of_the_set(struct bed *bed)
{
	wakes_who_waits(bed, wait_for_shown);
}

static void await(const _Atomic unsigned *value, unsigned want)
{
	int i;

	for (i = 0; *value != want && i < WAIT_MS; i++)
		poll(NULL, 0, 1);
	assert_int_equal(*value, want);
}

static void delivers_to_who_is_attached(struct bed *bed)
{
	struct tally tally = { 0 };
	const struct fdl_dispatcher d = tally_dispatcher(&tally);

	bed_listen(bed, ",listen");
	assert_int_equal(fdl_attach(bed->ep, &d), 0);
	meet_connect(bed, false);
	peer_send(bed, 1);
	peer_send(bed, 2);
	await(&tally.packets, 2);
	assert_int_equal(tally.closed, 0);
	assert_int_equal(fdl_detach(bed->ep), 0);
}

/* One that was never met has nothing to leave behind. */
static void can_be_freed_before(struct bed *bed)
{
	bed_listen(bed, ",listen");
	assert_int_equal(fdl_endpoint_free(bed->ep), 0);
	bed->ep = NULL;
	bed_listen(bed, ",listen");
	meet_connect(bed, false);
}

static void has_one_peer_only(struct bed *bed)
{
	struct fdl_packet *pkt;
	struct bed second = *bed;

	bed_listen(bed, ",listen");
	meet_connect(bed, false);
	peer_send(bed, 1);
	bed_expect(bed, 1);
	peer_die(bed);
	assert_true(is_readable(fdl_fd(bed->ep), WAIT_MS));
	while (!fdl_recv(bed->q, &pkt, 1))
		assert_true(is_readable(fdl_fd(bed->ep), WAIT_MS));
	assert_int_equal(fdl_recv(bed->q, &pkt, 1), -ESHUTDOWN);
	assert_false(bed_link(bed).up);
	assert_false(is_readable(fdl_fd(bed->ep), 0));
	assert_int_equal(second.peer, -1);
}

/* Traffic both ways with one peer, who then dies. Adds what was lost. */
static void live_once(struct bed *bed, unsigned round)
{
	unsigned i;

	for (i = 0; i < 3; i++) {
		peer_send(bed, round * 10 + i);
		bed_expect(bed, round * 10 + i);
		assert_int_equal(bed_write(bed, round * 10 + i + 5), 0);
		peer_expect(bed, round * 10 + i + 5);
	}
	peer_die(bed);
}

/* The counters are those of all peers, and the rest was lost between them. */
static void expect_sums(const struct bed *bed, unsigned rounds, unsigned lost)
{
	const struct fdl_stats st = bed_stats(bed);

	assert_int_equal(st.rx_packets, rounds * 3);
	assert_int_equal(st.tx_packets, rounds * 3);
	assert_int_equal(st.tx_drop_no_peer, lost);
	assert_int_equal(st.tx_drop_other + st.tx_drop_no_room, 0);
	assert_int_equal(st.rx_drop_stranger, 0);
}

/* A hundred peers, one after the other. Each is missed before the next
 * comes. */
static void serves_one_after_the_other(struct bed *bed)
{
	unsigned round;

	bed_listen(bed, ",listen,reconnect");
	for (round = 0; round < ROUNDS; round++) {
		meet_connect(bed, round % 2);
		live_once(bed, round);
		if (bed->sort == DATAGRAM)
			assert_int_equal(bed_write(bed, 0), -ECONNREFUSED);
		bed_await_carrier(bed, false);
		assert_int_equal(bed_write(bed, 0), -ECONNREFUSED);
		assert_int_equal(bed_link(bed).changes, 2 * (round + 1));
	}
	expect_sums(bed, ROUNDS, bed->sort == DATAGRAM ? 2 * ROUNDS : ROUNDS);
}

/* The endpoint is there first, and comes to whoever is at the address. */
static void comes_to_one_after_the_other(struct bed *bed)
{
	unsigned round, lost = 0;

	bed_connect(bed, ",reconnect");
	assert_false(bed_link(bed).carrier);
	for (round = 0; round < ROUNDS; round++) {
		lost += bed_write(bed, 0) == -ECONNREFUSED;
		peer_listen(bed);
		bed_await_carrier(bed, true);
		peer_accept(bed);
		live_once(bed, round);
		if (bed->sort == DATAGRAM)
			lost += bed_write(bed, 0) == -ECONNREFUSED;
		bed_await_carrier(bed, false);
	}
	expect_sums(bed, ROUNDS, lost);
	assert_in_range(lost, ROUNDS, 2 * ROUNDS);
}

/* A peer of fixed addresses, who sends nothing first, in either order. */
static void comes_to_a_silent_peer(struct bed *bed)
{
	unsigned round;

	for (round = 0; round < 2; round++) {
		if (round)
			peer_listen(bed);
		bed_connect(bed, ",listen");
		assert_int_equal(bed_link(bed).carrier, round);
		if (!round)
			peer_listen(bed);
		bed_await_carrier(bed, true);
		assert_int_equal(bed_write(bed, 1), 0);
		peer_expect(bed, 1);
		peer_send(bed, 2);
		bed_expect(bed, 2);
		peer_die(bed);
		fdl_endpoint_free(bed->ep);
		bed->ep = NULL;
	}
}

/* Nobody waits for the next peer to get what the former one sent. */
static void delivers_what_is_left_of_a_dead_peer(struct bed *bed)
{
	struct fdl_packet *pkt;
	int n;

	bed_listen(bed, ",listen,offload=on");
	meet_connect(bed, false);
	peer_send_super(bed, 3);
	while (!(n = fdl_recv(bed->q, &pkt, 1)))
		assert_true(is_readable(fdl_fd(bed->ep), WAIT_MS));
	assert_int_equal(n, 1);
	fdl_release(&pkt, 1);
	peer_die(bed);
	assert_int_equal(bed_write(bed, 1), -ECONNREFUSED);
	for (n = 0; n < 2; n++) {
		assert_int_equal(fdl_recv(bed->q, &pkt, 1), 1);
		fdl_release(&pkt, 1);
	}
	bed_await_carrier(bed, false);
}

/* What is read of a stream belongs to one connection, and what is sent, too. */
static void begins_each_stream_anew(struct bed *bed)
{
	const uint8_t half[] = { 0, 0, 0, 100, 1, 2, 3 };
	const int small = 4096;
	unsigned sent, round;

	bed_listen(bed, ",listen,reconnect");
	for (round = 0; round < 5; round++) {
		meet_connect(bed, false);
		setsockopt(bed->peer, SOL_SOCKET, SO_RCVBUF, &small,
			   sizeof(small));
		bed_await_carrier(bed, true);
		peer_send(bed, 1);
		bed_expect(bed, 1);
		for (sent = 0; !bed_write(bed, 100 + sent); sent++)
			;
		assert_int_equal(send(bed->peer, half, sizeof(half), 0),
				 sizeof(half));
		peer_die(bed);
		bed_await_carrier(bed, false);
		meet_connect(bed, false);
		peer_send(bed, 2);
		bed_expect(bed, 2);
		assert_int_equal(bed_write(bed, 3), 0);
		peer_expect(bed, 3);
		peer_die(bed);
		bed_await_carrier(bed, false);
	}
}

/* Waiting for a peer costs a few looks, each later than the one before. */
static void does_not_spin(struct bed *bed)
{
	struct pollfd in = { .events = POLLIN };
	const long long end = netns_now_ms() + 400;
	struct fdl_packet *pkt;
	unsigned looks = 0;

	bed_connect(bed, ",reconnect");
	in.fd = fdl_fd(bed->ep);
	while (netns_now_ms() < end) {
		if (poll(&in, 1, (int)(end - netns_now_ms())) < 1)
			break;
		assert_int_equal(fdl_recv(bed->q, &pkt, 1), 0);
		looks++;
	}
	assert_in_range(looks, 1, 8);
}

typedef void each(struct bed *bed);

static void on(void **state, each *test, unsigned sorts)
{
	struct bed *bed = *state;
	unsigned sort;

	for (sort = 0; sort < SORTS; sort++) {
		if (!(sorts & 1u << sort))
			continue;
		print_message("  %s\n", sort_names[sort]);
		bed_of(state, (enum sort)sort);
		test(bed);
		peer_die(bed);
		fdl_endpoint_free(bed->ep);
		bed->ep = NULL;
	}
}

enum {
	ALL = (1 << SORTS) - 1,
	STREAMS = 1 << STREAM | 1 << TCP,
	CONNECTIONS = STREAMS | 1 << SEQPACKET,
};

#define ON(sorts, name)                                              \
	static void t_##name(void **state)                           \
	{                                                            \
		on(state, name, sorts);                              \
	}

ON(ALL, listens_at_once)
ON(ALL, meets_its_peer_in_recv)
ON(ALL, wakes_a_poll_of_the_queue)
ON(ALL, wakes_a_poll)
ON(ALL, wakes_a_poll_of_the_set)
ON(ALL, delivers_to_who_is_attached)
ON(ALL, can_be_freed_before)
ON(CONNECTIONS, has_one_peer_only)
ON(ALL, serves_one_after_the_other)
ON(ALL, comes_to_one_after_the_other)
ON(1 << DATAGRAM, comes_to_a_silent_peer)
ON(1 << DATAGRAM, delivers_what_is_left_of_a_dead_peer)
ON(STREAMS, begins_each_stream_anew)
ON(ALL, does_not_spin)

#define ROW(name) \
	cmocka_unit_test_setup_teardown(t_##name, bed_set_up, bed_tear_down)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		ROW(listens_at_once),
		ROW(meets_its_peer_in_recv),
		ROW(wakes_a_poll_of_the_queue),
		ROW(wakes_a_poll),
		ROW(wakes_a_poll_of_the_set),
		ROW(delivers_to_who_is_attached),
		ROW(can_be_freed_before),
		ROW(has_one_peer_only),
		ROW(serves_one_after_the_other),
		ROW(comes_to_one_after_the_other),
		ROW(comes_to_a_silent_peer),
		ROW(delivers_what_is_left_of_a_dead_peer),
		ROW(begins_each_stream_anew),
		ROW(does_not_spin),
	};

	(void)argc;
	netns_enter(argv);
	netns_command("ip link set lo up");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
