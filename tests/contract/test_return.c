/* SPDX-License-Identifier: Apache-2.0 */
/* Links that outlive their device: it is deleted, and made again. */
#include <errno.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

#include "flows.h"
#include "netns.h"
#include "tally.h"
#include "usage.h"

enum {
	WAIT_MS = 10000,
	LOSSES = 8,		/* of the device */
	FRAME = 100,
	READER_ROUNDS = 3,
	EACH = 3,		/* packets each way in a round */
	TYPE = 0x88b5,		/* for experiments */
};

static const struct sort {
	const char *name;
	const char *locator;
	const char *make;	/* the device, up */
	const char *remove;
	const char *far;	/* where the other end is */
	enum fdl_mode mode;
} sorts[] = {
#define VETH                                                          \
	.make = "ip link add fda type veth peer name fdb && "         \
		"ip link set fdb up && ip link set fda up",           \
	.remove = "ip link del fda", .far = "fdb"
#define TUNTAP(options)                                               \
	.make = "ip tuntap add fda " options " && ip link set fda up", \
	.remove = "ip link del fda", .far = "fda"
	{ .name = "tap", .locator = "tap:fda,reconnect", TUNTAP("mode tap") },
	{ .name = "tap without offloads",
	  .locator = "tap:fda,offload=off,reconnect",
	  TUNTAP("mode tap") },
	{ .name = "tap of two queues",
	  .locator = "tap:fda,queues=2,reconnect",
	  TUNTAP("mode tap multi_queue") },
	{ .name = "tun", .locator = "tun:fda,reconnect", TUNTAP("mode tun") },
	{ .name = "packet, adaptive",
	  .locator = "packet:fda,reconnect",
	  .mode = FDL_MODE_ADAPTIVE,
	  VETH },
	{ .name = "packet, adaptive, two queues",
	  .locator = "packet:fda,queues=2,reconnect",
	  .mode = FDL_MODE_ADAPTIVE,
	  VETH },
	{ .name = "packet, recvmmsg",
	  .locator = "packet:fda,reconnect",
	  .mode = FDL_MODE_RECVMMSG,
	  VETH },
	{ .name = "packet, recvmmsg, three queues",
	  .locator = "packet:fda,queues=3,fanout=lb,reconnect",
	  .mode = FDL_MODE_RECVMMSG,
	  VETH },
	{ .name = "packet, readv",
	  .locator = "packet:fda,promisc,reconnect",
	  .mode = FDL_MODE_READV,
	  VETH },
	{ .name = "packet, packet_mmap",
	  .locator = "packet:fda,reconnect",
	  .mode = FDL_MODE_PACKET_MMAP,
	  VETH },
	{ .name = "packet, packet_mmap, two queues",
	  .locator = "packet:fda,queues=2,reconnect",
	  .mode = FDL_MODE_PACKET_MMAP,
	  VETH },
};

struct bed {
	const struct sort *sort;
	bool outside;		/* somebody else opens the device anew */
	unsigned asked;
	struct fdl_endpoint *ep;
	int far;
};

static void make_device(struct bed *bed)
{
	netns_command("%s", bed->sort->make);
	bed->far = flows_socket(bed->sort->far, ETH_P_ALL);
}

static void remove_device(struct bed *bed)
{
	netns_command("%s", bed->sort->remove);
	close(bed->far);
	bed->far = -1;
}

/* An Ethernet frame, or an IP packet, whichever the link takes. */
static void make_frame(const struct bed *bed, uint8_t frame[FRAME],
		       unsigned number)
{
	memset(frame, 0, FRAME);
	if (fdl_max_header_len(bed->ep)) {
		memset(frame, 0xff, 6);
		frame[6] = 2;
		frame[12] = TYPE >> 8;
		frame[13] = TYPE & 0xff;
	} else {
		frame[0] = 0x45;
		frame[3] = FRAME;
		frame[8] = 64;
		frame[9] = 253;
	}
	memcpy(frame + FRAME - sizeof(number), &number, sizeof(number));
}

static struct fdl_link link_of(const struct bed *bed)
{
	struct fdl_link link;

	assert_int_equal(fdl_link_state(bed->ep, &link, sizeof(link)), 0);
	return link;
}

/* Returns how many were received, on all queues. */
static int receive(struct bed *bed, struct fdl_packet **pkt)
{
	unsigned i;
	int n = 0;

	for (i = 0; !n && i < fdl_queues(bed->ep); i++)
		n = fdl_recv(fdl_get_queue(bed->ep, i), pkt, 1);
	assert_in_range(n, 0, 1);
	return n;
}

static void wait_for_more(const struct bed *bed)
{
	struct pollfd in = { .fd = fdl_fd(bed->ep), .events = POLLIN };

	assert_int_equal(poll(&in, 1, WAIT_MS), 1);
}

static void look_on(struct bed *bed)
{
	struct fdl_packet *pkt;

	wait_for_more(bed);
	assert_int_equal(receive(bed, &pkt), 0);
}

/* All queues have it, or none. The other end is told by and by. */
static void await_carrier(struct bed *bed, bool on)
{
	while (link_of(bed).carrier != on)
		look_on(bed);
	if (on)
		netns_wait_running(bed->sort->far);
}

static void expect_packet(struct bed *bed, unsigned number)
{
	struct fdl_packet *pkt;
	uint8_t want[FRAME];

	while (!receive(bed, &pkt))
		wait_for_more(bed);
	make_frame(bed, want, number);
	assert_int_equal(pkt->len, FRAME);
	assert_memory_equal(pkt->data, want, FRAME);
	fdl_release(&pkt, 1);
}

static int write_frame(struct bed *bed, unsigned queue, unsigned number)
{
	uint8_t frame[FRAME];
	const struct iovec iov = { frame, FRAME };

	make_frame(bed, frame, number);
	return fdl_write(fdl_get_queue(bed->ep, queue), &iov, 1, NULL);
}

/* The far end sees what it sends itself, too, on the same device. */
static void expect_far(const struct bed *bed, unsigned number)
{
	struct pollfd in = { .fd = bed->far, .events = POLLIN };
	uint8_t frame[2 * FRAME], want[FRAME];

	make_frame(bed, want, number);
	do {
		assert_int_equal(poll(&in, 1, WAIT_MS), 1);
		assert_true(recv(bed->far, frame, sizeof(frame), 0) > 0);
	} while (memcmp(frame, want, FRAME));
}

static void carry(struct bed *bed, unsigned round)
{
	uint8_t frame[FRAME];
	unsigned i;

	for (i = 0; i < EACH; i++) {
		make_frame(bed, frame, round * 100 + i);
		assert_int_equal(send(bed->far, frame, FRAME, 0), FRAME);
		expect_packet(bed, round * 100 + i);
		assert_int_equal(write_frame(bed, i % fdl_queues(bed->ep),
					     round * 100 + 50 + i),
				 0);
		expect_far(bed, round * 100 + 50 + i);
	}
}

static int open_outside(void *ctx, bool existing, int fds[], unsigned n)
{
	struct bed *bed = ctx;
	const struct fdl_options opts = { .size = sizeof(opts),
					  .mode = bed->sort->mode };

	bed->asked++;
	return fdl_open_fds(fds, n, bed->sort->locator, existing, &opts);
}

static void open_link(struct bed *bed)
{
	struct fdl_options opts = { .size = sizeof(opts),
				    .mode = bed->sort->mode };

	if (bed->outside) {
		opts.reopen = open_outside;
		opts.reopen_ctx = bed;
	}

	assert_int_equal(fdl_open(&bed->ep, bed->sort->locator, &opts), 0);
}

static void lose_and_find(struct bed *bed, unsigned round)
{
	unsigned q;

	remove_device(bed);
	await_carrier(bed, false);
	assert_string_equal(link_of(bed).name, "fda");
	for (q = 0; q < fdl_queues(bed->ep); q++)
		assert_int_equal(write_frame(bed, q, round), -ENETDOWN);
	make_device(bed);
	await_carrier(bed, true);
	for (q = 0; q < fdl_queues(bed->ep); q++)
		assert_true(link_of(bed).changes >= 2);
}

static void expect_sums(const struct bed *bed)
{
	struct fdl_stats st;

	assert_int_equal(fdl_get_stats(bed->ep, &st, sizeof(st)), 0);
	assert_int_equal(st.rx_packets, (LOSSES + 1) * EACH);
	assert_int_equal(st.tx_packets, (LOSSES + 1) * EACH);
	assert_int_equal(st.tx_drop_link_down, LOSSES * fdl_queues(bed->ep));
	assert_int_equal(st.tx_drop_other + st.tx_drop_no_room, 0);
}

static void outlives_its_device(struct bed *bed)
{
	unsigned round, fds, now;

	make_device(bed);
	open_link(bed);
	await_carrier(bed, true);
	carry(bed, 0);
	fds = usage_entries("/proc/self/fd");
	for (round = 1; round <= LOSSES; round++) {
		lose_and_find(bed, round);
		carry(bed, round);
		now = usage_entries("/proc/self/fd");
		assert_true(now <= fds + fdl_queues(bed->ep));
	}
	expect_sums(bed);
}

static bool is_refused(struct bed *bed)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .mode = bed->sort->mode,
					  .reopen = open_outside };

	if (!bed->outside || opts.mode != FDL_MODE_PACKET_MMAP ||
	    !strstr(bed->sort->locator, "queues"))
		return false;
	assert_int_equal(fdl_open(&bed->ep, bed->sort->locator, &opts),
			 -EINVAL);
	return true;
}

static void outlive_each(bool outside)
{
	unsigned i, fds = usage_entries("/proc/self/fd");

	for (i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		struct bed bed = { .sort = &sorts[i], .outside = outside };

		if (is_refused(&bed))
			continue;
		outlives_its_device(&bed);
		assert_true(!outside || bed.asked >= LOSSES);
		fdl_endpoint_free(bed.ep);
		remove_device(&bed);
		assert_int_equal(usage_entries("/proc/self/fd"), fds);
	}
}

static void each_sort_outlives_its_device(void **state)
{
	(void)state;
	outlive_each(false);
}

static void each_sort_may_be_opened_elsewhere(void **state)
{
	(void)state;
	outlive_each(true);
}

/* Nobody else makes it. */
static void who_made_a_tap_makes_it_anew(void **state)
{
	static const struct sort own = { .locator = "tap:fda,reconnect",
					 .far = "fda" };
	struct bed bed = { .sort = &own };

	(void)state;
	open_link(&bed);
	netns_command("ip link set fda up");
	await_carrier(&bed, true);
	netns_command("ip link del fda");
	await_carrier(&bed, false);
	while (!netns_has("fda"))
		look_on(&bed);
	netns_command("ip link set fda up");
	await_carrier(&bed, true);
	bed.far = flows_socket("fda", ETH_P_ALL);
	carry(&bed, 1);
	close(bed.far);
	fdl_endpoint_free(bed.ep);
	assert_false(netns_has("fda"));
}

static void await_device(struct bed *bed, bool there)
{
	while (link_of(bed).up != there)
		look_on(bed);
}

/* What was switched, or is switched in between, holds for the next device. */
static void a_carrier_stays_switched(void **state)
{
	struct bed bed = { .sort = &sorts[0] };

	(void)state;
	make_device(&bed);
	open_link(&bed);
	await_carrier(&bed, true);
	assert_int_equal(fdl_set_carrier(bed.ep, false), 0);
	remove_device(&bed);
	await_device(&bed, false);
	make_device(&bed);
	await_device(&bed, true);
	assert_false(link_of(&bed).carrier);
	remove_device(&bed);
	assert_int_equal(fdl_set_carrier(bed.ep, true), 0);
	await_device(&bed, false);
	make_device(&bed);
	await_carrier(&bed, true);
	fdl_endpoint_free(bed.ep);
	remove_device(&bed);
}

static void nap_until_carrier(const struct bed *bed, bool on)
{
	int i;

	for (i = 0; link_of(bed).carrier != on && i < WAIT_MS; i++)
		poll(NULL, 0, 1);
	assert_int_equal(link_of(bed).carrier, on);
}

/* Each reader finds its own file of the device. */
static void readers_go_on(struct bed *bed)
{
	struct tally tally = { 0 };
	const struct fdl_dispatcher d = tally_dispatcher(&tally);
	uint8_t frame[FRAME];
	unsigned round;
	int i;

	make_device(bed);
	open_link(bed);
	assert_int_equal(fdl_attach(bed->ep, &d), 0);
	for (round = 1; round <= READER_ROUNDS; round++) {
		nap_until_carrier(bed, true);
		/* Another queue may still be on its way. */
		for (i = 0; tally.packets < round && i < WAIT_MS; i++) {
			make_frame(bed, frame, round);
			assert_int_equal(send(bed->far, frame, FRAME, 0),
					 FRAME);
			poll(NULL, 0, 1);
		}
		tally.packets = round;
		remove_device(bed);
		nap_until_carrier(bed, false);
		make_device(bed);
	}
	assert_int_equal(tally.closed, 0);
	fdl_endpoint_free(bed->ep);
	remove_device(bed);
}

static void readers_of_each_sort_go_on(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		struct bed bed = { .sort = &sorts[i] };

		print_message("  %s\n", bed.sort->name);
		readers_go_on(&bed);
	}
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sort_outlives_its_device),
		cmocka_unit_test(each_sort_may_be_opened_elsewhere),
		cmocka_unit_test(who_made_a_tap_makes_it_anew),
		cmocka_unit_test(a_carrier_stays_switched),
		cmocka_unit_test(readers_of_each_sort_go_on),
	};

	(void)argc;
	netns_enter(argv);
	netns_needs_tun();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
