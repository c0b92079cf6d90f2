/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a link's device, and who is told. */
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "netns.h"
#include "watch_bed.h"

static void the_state_is_that_of_the_device(struct link *l)
{
	struct fdl_link state = state_of(l);
	uint8_t few[2] = { 0xff, 0xff };

	assert_true(state.up);
	assert_true(state.carrier);
	assert_int_equal(state.mtu, 1500);
	assert_string_equal(state.name, l->dev);
	assert_int_equal(state.changes, 0);
	assert_int_equal(fdl_link_state(l->ep, (struct fdl_link *)few, 1), 0);
	assert_int_equal(few[0], 1);
	assert_int_equal(few[1], 0xff);
	expect_quiet(l);
}

static void without_a_device_it_is_that_of_the_socket(struct link *l)
{
	struct fdl_link state = state_of(l);

	assert_true(state.up && state.carrier);
	assert_int_equal(state.mtu, fdl_mtu(l->ep));
	assert_string_equal(state.name, "");
	assert_int_equal(state.changes, 0);
}

static void the_end_is_the_carriers_too(struct link *l)
{
	struct fdl_link state;

	link_hang_up(l);
	assert_int_equal(expect_end(l), -ESHUTDOWN);
	state = state_of(l);
	assert_false(state.up || state.carrier);
}

/* Nothing goes on a cable that is pulled, and what comes back is told. */
static void the_carrier_can_be_switched(struct link *l)
{
	uint64_t changes = 0;
	struct fdl_link state;
	unsigned i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(fdl_set_carrier(l->ep, false), 0);
		state = expect_change(l, &changes);
		assert_true(state.up);
		assert_false(state.carrier);
		assert_int_equal(fdl_set_carrier(l->ep, true), 0);
		state = expect_change(l, &changes);
		assert_true(state.up && state.carrier);
		link_feed(l, 100, i);
		expect_received(l, 100, i);
	}
	link_delete_device(l);
	assert_int_equal(expect_end(l), -ENODEV);
	assert_int_equal(fdl_set_carrier(l->ep, true), -ENODEV);
}

static void others_have_none_to_switch(struct link *l)
{
	assert_int_equal(fdl_set_carrier(l->ep, false), -EOPNOTSUPP);
	assert_int_equal(fdl_set_carrier(l->ep, true), -EOPNOTSUPP);
	link_feed(l, 100, 1);
	expect_received(l, 100, 1);
}

static void down_and_up_are_told(struct link *l)
{
	uint64_t changes = 0;
	struct fdl_link state;
	unsigned seq;

	for (seq = 0; seq < 5; seq++) {
		link_set_up(l, false);
		state = expect_change(l, &changes);
		assert_false(state.up || state.carrier);
		link_set_up(l, true);
		state = expect_change(l, &changes);
		assert_true(state.up && state.carrier);
		link_feed(l, 100, seq);
		expect_received(l, 100, seq);
	}
}

static void a_new_mtu_is_told(struct link *l)
{
	uint64_t changes = 0;

	netns_command("ip link set %s mtu 1280", l->dev);
	assert_int_equal(expect_change(l, &changes).mtu, 1280);
	assert_int_equal(fdl_mtu(l->ep), 1500);
	netns_command("ip link set %s mtu 1400", l->dev);
	netns_command("ip link set %s mtu 1300", l->dev);
	assert_int_equal(expect_change(l, &changes).mtu, 1300);
}

static void a_new_name_is_told(struct link *l)
{
	uint64_t changes = 0;
	struct fdl_stats st;
	struct fdl_link state;

	link_set_up(l, false);
	netns_command("ip link set %s name fdnew", l->dev);
	strcpy(l->dev, "fdnew");
	link_set_up(l, true);
	state = expect_change(l, &changes);
	assert_string_equal(state.name, "fdnew");
	assert_true(state.up);
	link_feed(l, 100, 1);
	expect_received(l, 100, 1);
	link_stats(l, &st);
}

/* The change waits behind the packets, and the fd says so. */
static void packets_come_before_a_change(struct link *l)
{
	uint64_t changes = 0;

	link_feed(l, 100, 1);
	link_feed(l, 100, 2);
	netns_command("ip link set %s mtu 1280", l->dev);
	expect_received(l, 100, 1);
	expect_received(l, 100, 2);
	assert_int_equal(expect_change(l, &changes).mtu, 1280);
}

static void others_do_not_wake_us(struct link *l)
{
	struct fdl_packet *pkt;

	netns_command("ip link add fdother type veth peer name fdpeer");
	netns_command("ip link set fdother up mtu 1400");
	netns_command("ip link set fdother down");
	netns_command("ip link del fdother");
	assert_false(fd_readable(fdl_queue_fd(l->q), QUIET_MS));
	assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	assert_int_equal(state_of(l).changes, 0);
	expect_quiet(l);
}

/* A bridge tells of a port that leaves it as of a device that goes. */
static void leaving_a_bridge_is_no_end(struct link *l)
{
	struct fdl_packet *pkt;

	netns_command("ip link add fdbr type bridge");
	netns_command("ip link set %s master fdbr", l->dev);
	netns_command("ip link set %s nomaster", l->dev);
	netns_command("ip link del fdbr");
	while (fd_readable(fdl_queue_fd(l->q), QUIET_MS))
		assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	link_feed(l, 100, 1);
	expect_received(l, 100, 1);
}

/* An ioctl, as ip(8) would take too long. */
static void change_mtu(const char *dev, int mtu)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_mtu = mtu };

	strcpy(ifr.ifr_name, dev);
	assert_int_equal(ioctl(sock, SIOCSIFMTU, &ifr), 0);
	close(sock);
}

/* More than the kernel has room for. */
static void flood(struct link *l)
{
	int i;

	for (i = 0; i < 2000; i++)
		change_mtu(l->dev, 1300 + i % 2);
}

static void a_flood_of_changes_is_survived(struct link *l)
{
	uint64_t changes = 0;

	flood(l);
	assert_int_equal(expect_change(l, &changes).mtu, 1301);
	change_mtu(l->dev, 1400);
	assert_int_equal(expect_change(l, &changes).mtu, 1400);
	assert_true(changes > 1);
	link_feed(l, 100, 1);
	expect_received(l, 100, 1);
}

static void an_end_behind_a_flood_is_noticed(struct link *l)
{
	flood(l);
	link_delete_device(l);
	assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
	assert_int_equal(expect_end(l), -ENODEV);
	expect_ended(l);
}

static void a_deleted_device_ends_the_queue(struct link *l)
{
	expect_quiet(l);
	link_delete_device(l);
	assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
	assert_true(fd_readable(fdl_fd(l->ep), WAIT_MS));
	assert_int_equal(expect_end(l), -ENODEV);
	assert_string_not_equal(fdl_last_error(l->ep), "");
	expect_ended(l);
}

/* The state of another device is none of the link's. */
static void its_number_may_be_given_to_another(struct link *l)
{
	struct fdl_info info;
	struct fdl_link state;

	assert_int_equal(fdl_get_info(l->ep, &info, sizeof(info)), 0);
	link_delete_device(l);
	netns_command("ip link add index %u name fdlother type veth "
		      "peer name fdlsame",
		      info.ifindex);
	assert_int_equal(expect_end(l), -ENODEV);
	assert_int_equal(fdl_link_state(l->ep, &state, sizeof(state)), -ENODEV);
	netns_command("ip link del fdlother");
}

static void also_one_that_is_down(struct link *l)
{
	struct fdl_packet *pkt;

	link_set_up(l, false);
	while (fd_readable(fdl_queue_fd(l->q), QUIET_MS))
		assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	link_delete_device(l);
	assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
	assert_int_equal(expect_end(l), -ENODEV);
	expect_ended(l);
}

/* One at a time: the fd must not fall silent between them and the end. */
static void its_packets_are_received_first(struct link *l)
{
	unsigned seq;

	for (seq = 0; seq < 20; seq++)
		link_feed(l, 100, seq);
	link_delete_device(l);
	for (seq = 0; seq < 20; seq++)
		expect_received(l, 100, seq);
	assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
	assert_int_equal(expect_end(l), -ENODEV);
	expect_ended(l);
}

/* While the caller holds the whole pool, nothing is readable; then all is. */
static void it_ends_with_the_pool_empty(struct link *l)
{
	struct fdl_packet *v[4], *extra;
	int i, n = 0;

	for (i = 0; i < 8; i++)
		link_feed(l, 100, (unsigned)i);
	while (n < 4) {
		assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
		i = fdl_recv(l->q, v + n, 4 - n);
		assert_in_range(i, 0, 4);
		n += i;
	}
	assert_int_equal(fdl_recv(l->q, &extra, 1), -ENOBUFS);
	link_delete_device(l);
	assert_false(fd_readable(fdl_queue_fd(l->q), QUIET_MS));
	fdl_release(v, 4);
	for (i = 4; i < 8; i++)
		expect_received(l, 100, (unsigned)i);
	assert_int_equal(expect_end(l), -ENODEV);
	expect_ended(l);
}

static const struct expectation table[] = {
	{ .name = "the state is that of the device",
	  .test = the_state_is_that_of_the_device,
	  .needs = LINK_DEVICE },
	{ .name = "without a device it is that of the socket",
	  .test = without_a_device_it_is_that_of_the_socket,
	  .needs = LINK_UNIX },
	{ .name = "the end is the carrier's, too",
	  .test = the_end_is_the_carriers_too,
	  .needs = LINK_EOF },
	{ .name = "the carrier can be switched",
	  .test = the_carrier_can_be_switched,
	  .needs = LINK_TUNTAP },
	{ .name = "others have none to switch",
	  .test = others_have_none_to_switch,
	  .not_on = LINK_TUNTAP },
	{ .name = "down and up are told",
	  .test = down_and_up_are_told,
	  .needs = LINK_DEVICE },
	{ .name = "a new MTU is told",
	  .test = a_new_mtu_is_told,
	  .needs = LINK_DEVICE },
	{ .name = "a new name is told",
	  .test = a_new_name_is_told,
	  .needs = LINK_DEVICE },
	{ .name = "packets come before a change",
	  .test = packets_come_before_a_change,
	  .needs = LINK_DEVICE },
	{ .name = "others do not wake us",
	  .test = others_do_not_wake_us,
	  .needs = LINK_DEVICE },
	{ .name = "leaving a bridge is no end",
	  .test = leaving_a_bridge_is_no_end,
	  .needs = LINK_DEVICE | LINK_ETHERNET },
	{ .name = "a flood of changes is survived",
	  .test = a_flood_of_changes_is_survived,
	  .needs = LINK_DEVICE },
	{ .name = "an end behind a flood is noticed",
	  .test = an_end_behind_a_flood_is_noticed,
	  .needs = LINK_DEVICE },
	{ .name = "also one that is down",
	  .test = also_one_that_is_down,
	  .needs = LINK_DEVICE },
	{ .name = "its packets are received first",
	  .test = its_packets_are_received_first,
	  .needs = LINK_DEVICE,
	  .not_on = LINK_TUNTAP },
	{ .name = "its packets are received first, late ones too",
	  .test = its_packets_are_received_first,
	  .needs = LINK_DEVICE,
	  .not_on = LINK_TUNTAP,
	  .opts = { .ring_timeout_ms = 300 } },
	{ .name = "a deleted device ends the queue",
	  .test = a_deleted_device_ends_the_queue,
	  .needs = LINK_DEVICE },
	{ .name = "its number may be given to another",
	  .test = its_number_may_be_given_to_another,
	  .needs = LINK_DEVICE },
	{ .name = "it ends with the pool empty",
	  .test = it_ends_with_the_pool_empty,
	  .needs = LINK_DEVICE,
	  .not_on = LINK_TUNTAP,
	  .opts = { .pool = 4, .batch = 1 } },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("watch", argv, table, COUNT_OF(table));
}
