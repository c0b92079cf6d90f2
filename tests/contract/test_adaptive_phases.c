/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mode adaptive: on either socket and on the way from one to the other, a link
 * delivers, counts, and takes whatever happens to it.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

#include "adaptive_bed.h"
#include "link.h"
#include "message.h"
#include "netns.h"
#include "switches.h"

enum { FLOOD = 20000, BIG = 200000 };

/* Run a test with a link in each phase. */
static void in_each_phase(void (*test)(struct bed *b))
{
	static struct bed b;
	int phase;

	for (phase = PLAIN; phase < PHASES; phase++) {
		bed_make(&b);
		bed_enter(&b, (enum phase)phase);
		test(&b);
		bed_free(&b);
	}
}

/* What was sent was received or is counted, ... */
static bool adds_up(struct bed *b, struct fdl_stats *st)
{
	bed_take(b);
	assert_int_equal(fdl_get_stats(b->ep, st, sizeof(*st)), 0);
	return st->rx_packets + st->rx_drop_kernel ==
	       b->feeder[0].sent + b->feeder[1].sent;
}

/* ... a ring's last block, which is not full, some time later. */
static void flood(struct bed *b)
{
	struct fdl_stats st;

	b->lossy = true;
	bed_put(b, FLOOD);
	while (!adds_up(b, &st))
		assert_int_equal(fdl_queue_poll(b->q, WAIT_MS), FDL_READABLE);
	assert_in_range(st.rx_drop_kernel, 1, FLOOD - 1);
	assert_int_equal(st.rx_packets, b->n);
}

static void what_either_socket_drops_is_counted(void **state)
{
	static struct bed b;
	int phase;

	(void)state;
	for (phase = PLAIN; phase < PHASES; phase++) {
		bed_make_with(&b, "packet:fda0,rcvbuf=65536", 1 << 19);
		bed_enter(&b, (enum phase)phase);
		flood(&b);
		bed_free(&b);
	}
}

static void every_phase_delivers_and_is_quiet(void **state)
{
	(void)state;
	in_each_phase(bed_deliver);
}

static void leave(struct bed *b)
{
	bed_put(b, 10);
}

static void an_endpoint_may_be_freed_in_any_phase(void **state)
{
	(void)state;
	in_each_phase(leave);
}

static void flap(struct bed *b)
{
	unsigned n = b->n;
	int i;

	for (i = 0; i < 5; i++) {
		netns_set_up("fda0", false);
		netns_wait_stopped("fda1");
		bed_take(b);
		netns_set_up("fda0", true);
		netns_wait_running("fda0");
		netns_wait_running("fda1");
		bed_take(b);
		bed_put(b, 10);
		n += 10;
		bed_take_all(b);
		bed_expect_quiet(b);
	}
	assert_int_equal(b->n, n);
	bed_expect_no_drops(b);
}

static void a_link_may_go_down_and_up_in_any_phase(void **state)
{
	(void)state;
	in_each_phase(flap);
}

static void lose_device(struct bed *b)
{
	const long long end = netns_now_ms() + WAIT_MS;
	struct fdl_packet *pkt;
	int r = 0;

	netns_command("ip link del fda0");
	while (r == 0 && netns_now_ms() < end) {
		fdl_queue_poll(b->q, 100);
		r = fdl_recv(b->q, &pkt, 1);
	}
	assert_int_equal(r, -ENODEV);
}

static void a_device_may_be_deleted_in_any_phase(void **state)
{
	(void)state;
	in_each_phase(lose_device);
}

static int deliver(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		   int n)
{
	int i;

	(void)q;
	for (i = 0; i < n; i++)
		bed_check(ctx, v[i]);
	return 0;
}

static void attach_and_detach(struct bed *b)
{
	const struct fdl_dispatcher d = { .deliver = deliver, .ctx = b };
	const long long end = netns_now_ms() + WAIT_MS;
	int i;

	for (i = 0; i < 5; i++) {
		assert_int_equal(fdl_attach(b->ep, &d), 0);
		bed_put(b, 10);
		while (!bed_all_came(b) && netns_now_ms() < end)
			usleep(100);
		assert_int_equal(fdl_detach(b->ep), 0);
		assert_true(bed_all_came(b));
		bed_put(b, 10);
		bed_take_all(b);
	}
	bed_expect_no_drops(b);
}

static void a_reader_may_come_and_go_in_any_phase(void **state)
{
	(void)state;
	in_each_phase(attach_and_detach);
}

static void fail_to_switch(struct bed *b)
{
	const unsigned n = switches.begun, done = switches_done();

	switches.refusal = -ENOMEM;
	switches.hurried = true;
	bed_deliver(b);
	switches_await();
	bed_deliver(b);
	assert_in_range(switches.begun, n, n + 1);
	assert_in_range(switches_done(), done, done + 1);
	assert_in_range(b->warnings, switches.begun - n, 1);
}

static void a_switch_that_fails_is_left_alone(void **state)
{
	(void)state;
	in_each_phase(fail_to_switch);
}

static void it_is_for_what_is_opened(void **state)
{
	const struct fdl_options opts = {
		.size = sizeof(opts),
		.mode = FDL_MODE_ADAPTIVE,
	};
	struct fdl_endpoint *ep = NULL;
	struct fdl_info info;
	int fd = bed_socket("lo");

	(void)state;
	assert_int_equal(fdl_endpoint_new(&ep, &fd, 1, &opts), -EINVAL);
	assert_int_equal(fdl_probe_fd(fd, &info, sizeof(info), NULL, NULL), 0);
	assert_int_equal(fdl_mode_best(&info), FDL_MODE_RECVMMSG);
	close(fd);
	assert_int_equal(
		fdl_probe("packet:lo", &info, sizeof(info), NULL, NULL), 0);
	assert_int_equal(fdl_mode_best(&info), FDL_MODE_ADAPTIVE);
}

/* Older kernels make no group on such a device, and auto does without. */
static void a_device_may_be_down_at_first(void **state)
{
	static struct bed b;

	(void)state;
	bed_make(&b);
	fdl_endpoint_free(b.ep);
	netns_set_up("fda0", false);
	netns_wait_stopped("fda1");
	assert_int_equal(fdl_open(&b.ep, "packet:fda0", NULL), 0);
	b.q = fdl_get_queue(b.ep, 0);
	netns_set_up("fda0", true);
	netns_wait_running("fda0");
	netns_wait_running("fda1");
	bed_deliver(&b);
	if (fdl_get_mode(b.ep) == FDL_MODE_ADAPTIVE) {
		bed_enter(&b, RING);
		bed_deliver(&b);
	}
	bed_free(&b);
}

/* One packet of BIG TCP, and all of its payload comes. */
static void pass_a_big_one(struct bed *b)
{
	static struct {
		struct virtio_net_hdr hdr;
		uint8_t frame[BIG + 100];
	} big;
	const struct shape s = { .link_len = 14,
				 .version = 6,
				 .proto = 6,
				 .payload = BIG,
				 .partial = true };
	const int on = 1, room = 4 << 20;
	const size_t len = sizeof(big.hdr) + build(big.frame, &s);
	const int fd = bed_socket("fda1");
	size_t left = BIG;
	struct fdl_packet *pkt;

	describe_message(&big.hdr, &s, 1000);
	big.hdr.hdr_len = (uint16_t)shape_hdr_len(&s);
	put16(big.frame + 14 + 4, 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	assert_int_equal(
		setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)),
		0);
	assert_int_equal(send(fd, &big, len, 0), len);
	while (left > 0) {
		assert_int_equal(fdl_queue_poll(b->q, WAIT_MS), FDL_READABLE);
		while (fdl_recv(b->q, &pkt, 1) == 1) {
			left -= pkt->len - shape_hdr_len(&s);
			b->n++;
			fdl_release(&pkt, 1);
		}
	}
	close(fd);
}

/* ... also after it, on the plain socket, where the queue stays. */
static void pass_big_ones(struct bed *b)
{
	unsigned begun;
	int i;

	if (!netns_set_gso_max("fda1", BIG + 1000))
		return;
	pass_a_big_one(b);
	for (i = 0; i < 50; i++)
		bed_deliver(b);
	switches_await();
	bed_take(b);
	assert_int_equal(switches.member, 0);
	begun = switches.begun;
	switches.hurried = true;
	for (i = 0; i < 50; i++)
		bed_deliver(b);
	switches.hurried = false;
	pass_a_big_one(b);
	assert_int_equal(switches.begun, begun);
	bed_expect_no_drops(b);
}

static void big_ones_are_not_for_a_ring(void **state)
{
	(void)state;
	in_each_phase(pass_big_ones);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_for_what_is_opened),
		cmocka_unit_test(every_phase_delivers_and_is_quiet),
		cmocka_unit_test(an_endpoint_may_be_freed_in_any_phase),
		cmocka_unit_test(a_link_may_go_down_and_up_in_any_phase),
		cmocka_unit_test(a_device_may_be_deleted_in_any_phase),
		cmocka_unit_test(a_reader_may_come_and_go_in_any_phase),
		cmocka_unit_test(a_device_may_be_down_at_first),
		cmocka_unit_test(a_switch_that_fails_is_left_alone),
		cmocka_unit_test(what_either_socket_drops_is_counted),
		cmocka_unit_test(big_ones_are_not_for_a_ring),
	};

	netns_enter(argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	netns_set_up("lo", true);
	return cmocka_run_group_tests_name("adaptive phases", tests, NULL,
					   NULL);
}
