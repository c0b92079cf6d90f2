/* SPDX-License-Identifier: Apache-2.0 */
/* A device that moves to another namespace, and those who may not follow it. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

#include "netns.h"
#include "tally.h"
#include "watch_bed.h"

static void moved_away_a_socket_ends(struct link *l)
{
	pid_t pid = start_elsewhere();

	netns_command("ip link set %s netns %d", l->dev, (int)pid);
	assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
	assert_int_equal(expect_end(l), -ENODEV);
	expect_ended(l);
	netns_command("ip link del %s", l->peer_dev);
	stop_elsewhere(pid);
}

static void moved_away_a_tun_is_followed(struct link *l)
{
	pid_t pid = start_elsewhere();
	uint64_t changes = 0;
	struct fdl_stats st;
	struct fdl_link state;

	netns_command("ip link set %s netns %d", l->dev, (int)pid);
	state = expect_change(l, &changes);
	assert_string_equal(state.name, l->dev);
	assert_false(state.up);
	netns_command("nsenter -t %d -n ip link set %s up mtu 1280", (int)pid,
		      l->dev);
	state = expect_change(l, &changes);
	assert_true(state.up);
	assert_int_equal(state.mtu, 1280);
	assert_int_equal(fdl_get_stats(l->ep, &st, sizeof(st)), 0);
	netns_command("nsenter -t %d -n ip link del %s", (int)pid, l->dev);
	assert_int_equal(expect_end(l), -ENODEV);
	stop_elsewhere(pid);
}

/* Nobody has received since, and so nobody has followed it. */
static void its_state_is_known_at_once_where_it_went(struct link *l)
{
	pid_t pid = start_elsewhere();
	uint64_t changes = 0;
	struct fdl_link state;

	netns_command("ip link set %s netns %d", l->dev, (int)pid);
	netns_command("nsenter -t %d -n ip link set %s up mtu 1280", (int)pid,
		      l->dev);
	state = state_of(l);
	assert_true(state.up);
	assert_int_equal(state.mtu, 1280);
	state = expect_change(l, &changes);
	assert_int_equal(state.mtu, 1280);
	netns_command("nsenter -t %d -n ip link set %s mtu 1400", (int)pid,
		      l->dev);
	assert_int_equal(expect_change(l, &changes).mtu, 1400);
	netns_command("nsenter -t %d -n ip link del %s", (int)pid, l->dev);
	assert_int_equal(expect_end(l), -ENODEV);
	stop_elsewhere(pid);
}

struct lines {
	int warnings;
	char last[512];
};

static void note_line(void *ctx, int level, const char *msg)
{
	struct lines *lines = ctx;

	if (level <= FDL_LOG_WARNING)
		lines->warnings++;
	snprintf(lines->last, sizeof(lines->last), "%s", msg);
}

/* The link's endpoint anew, so that it tells what it cannot do. */
static void reopen(struct link *l, struct lines *lines)
{
	const struct fdl_options o = { .log = note_line, .log_ctx = lines };
	enum fdl_mode mode = fdl_get_mode(l->ep);

	fdl_endpoint_free(l->ep);
	l->ep = NULL;
	l->rx_offered = 0;
	l->tx_offered = 0;
	assert_int_equal(link_endpoint(l, mode, &o), 0);
}

static void limit_fds(bool on)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = on ? 0 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* That there are no fds left says nothing about the device. */
static void without_fds_it_is_followed_later(struct link *l)
{
	const long long end = netns_now_ms() + WAIT_MS;
	pid_t pid = start_elsewhere();
	struct lines lines = { 0 };
	uint64_t changes;
	struct fdl_packet *pkt;
	struct fdl_link state;
	int i;

	reopen(l, &lines);
	expect_quiet(l);
	netns_command("ip link set %s netns %d", l->dev, (int)pid);
	assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
	limit_fds(true);
	for (i = 0; i < 3; i++)
		assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	assert_int_equal(fdl_link_state(l->ep, &state, sizeof(state)), -EMFILE);
	assert_int_equal(lines.warnings, 1);
	assert_non_null(strstr(lines.last, "watched for now"));
	limit_fds(false);
	expect_quiet(l);
	changes = state_of(l).changes;
	while (fdl_link_changes(l->ep) == changes) {
		assert_true(netns_now_ms() < end);
		assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	}
	changes = fdl_link_changes(l->ep);
	netns_command("nsenter -t %d -n ip link set %s up mtu 1280", (int)pid,
		      l->dev);
	assert_int_equal(expect_change(l, &changes).mtu, 1280);
	assert_int_equal(lines.warnings, 1);
	netns_command("nsenter -t %d -n ip link del %s", (int)pid, l->dev);
	assert_int_equal(expect_end(l), -ENODEV);
	stop_elsewhere(pid);
}

/* CAP_NET_ADMIN of this thread; what ip(8) is run with stays. */
static void set_admin(bool on)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &head, data), 0);
	if (on)
		data[0].effective |= 1U << CAP_NET_ADMIN;
	else
		data[0].effective &= ~(1U << CAP_NET_ADMIN);
	assert_int_equal(syscall(SYS_capset, &head, data), 0);
}

/* As in a container that has CAP_NET_RAW, or for the owner of a device. */
static void give_up_admin(struct link *l, struct lines *lines)
{
	if (l->kind->traits & LINK_TUNTAP)
		assert_int_equal(ioctl(l->fd, TUNSETOWNER, geteuid()), 0);
	set_admin(false);
	reopen(l, lines);
}

static struct fdl_link set_up_by_admin(struct link *l, bool up,
				       uint64_t *changes)
{
	set_admin(true);
	link_set_up(l, up);
	set_admin(false);
	return expect_change(l, changes);
}

static void unprivileged_changes_are_told(struct link *l)
{
	struct lines lines = { 0 };
	uint64_t changes = 0;
	int i;

	give_up_admin(l, &lines);
	for (i = 0; i < 3; i++) {
		assert_false(set_up_by_admin(l, false, &changes).up);
		assert_true(set_up_by_admin(l, true, &changes).carrier);
	}
	set_admin(true);
	assert_int_equal(lines.warnings, 0);
	link_feed(l, 100, 1);
	expect_received(l, 100, 1);
}

static void unprivileged_a_deletion_is_told(struct link *l)
{
	struct lines lines = { 0 };
	uint64_t changes = 0;

	give_up_admin(l, &lines);
	set_up_by_admin(l, false, &changes);
	link_delete_device(l);
	assert_int_equal(expect_end(l), -ENODEV);
	set_admin(true);
	assert_int_equal(lines.warnings, 0);
}

/* Where it went is not for us to see: that is said, once. */
static void unprivileged_a_move_is_the_last_change(struct link *l)
{
	struct lines lines = { 0 };
	struct fdl_packet *pkt;
	struct fdl_link state;
	pid_t pid = start_elsewhere();
	int i;

	give_up_admin(l, &lines);
	netns_command("ip link set %s netns %d", l->dev, (int)pid);
	assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
	for (i = 0; i < 3; i++)
		assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	expect_quiet(l);
	assert_int_equal(fdl_link_state(l->ep, &state, sizeof(state)), -EXDEV);
	assert_int_equal(lines.warnings, 1);
	assert_non_null(strstr(lines.last, "cannot be watched"));
	set_admin(true);
	assert_int_equal(fdl_link_state(l->ep, &state, sizeof(state)), 0);
	netns_command("nsenter -t %d -n ip link del %s", (int)pid, l->dev);
	assert_int_equal(expect_end(l), -ENODEV);
	stop_elsewhere(pid);
}

static void an_attached_reader_ends(struct link *l)
{
	struct tally tally = { 0 };
	const struct fdl_dispatcher d = tally_dispatcher(&tally);

	assert_int_equal(fdl_attach(l->ep, &d), 0);
	netns_command("ip link set %s mtu 1280", l->dev);
	link_set_up(l, false);
	assert_int_equal(tally.closed, 0);
	link_delete_device(l);
	assert_int_equal(fdl_wait(l->ep), 0);
	assert_int_equal(tally.closed, 1);
	assert_int_equal(tally.reason, -ENODEV);
	assert_int_equal(fdl_detach(l->ep), 0);
}

/* As soon as a change is told, it is followed. Changes that come while it still
 * goes after the device are part of what it finds. */
static void await_followed(struct fdl_endpoint *ep, pid_t pid)
{
	const long long end = netns_now_ms() + WAIT_MS;
	int round, mtu = 1300;
	uint64_t changes;

	for (round = 0; round < 3; round++) {
		changes = fdl_link_changes(ep);
		while (fdl_link_changes(ep) == changes) {
			netns_command("nsenter -t %d -n ip link set fdmany "
				      "mtu %d",
				      (int)pid, mtu++);
			assert_true(netns_now_ms() < end);
		}
	}
}

/* Each queue's thread goes after the device, and others ask for it
 * meanwhile. */
static void all_queues_follow_a_tap(struct link *l)
{
	struct tally tally = { 0 };
	const struct fdl_dispatcher d = tally_dispatcher(&tally);
	const struct fdl_options o = { .size = sizeof(o) };
	pid_t pid = start_elsewhere();
	struct fdl_endpoint *ep;
	struct fdl_link state;
	int i;

	(void)l;
	assert_int_equal(fdl_open(&ep, "tap:fdmany,queues=3", &o), 0);
	assert_int_equal(fdl_attach(ep, &d), 0);
	for (i = 0; i < 5; i++) {
		netns_command("ip link set fdmany netns %d", (int)pid);
		assert_int_equal(fdl_link_state(ep, &state, sizeof(state)), 0);
		if (i % 2)
			await_followed(ep, pid);
		netns_command("nsenter -t %d -n ip link set fdmany netns %d",
			      (int)pid, (int)getpid());
		assert_int_equal(fdl_link_state(ep, &state, sizeof(state)), 0);
	}
	await_followed(ep, getpid());
	netns_command("ip link del fdmany");
	assert_int_equal(fdl_wait(ep), 0);
	assert_int_equal(tally.closed, 3);
	assert_int_equal(tally.reason, -ENODEV);
	fdl_endpoint_free(ep);
	stop_elsewhere(pid);
}

static const struct expectation table[] = {
	{ .name = "moved away a socket ends",
	  .test = moved_away_a_socket_ends,
	  .needs = LINK_DEVICE,
	  .not_on = LINK_TUNTAP },
	{ .name = "moved away a TUN is followed",
	  .test = moved_away_a_tun_is_followed,
	  .needs = LINK_TUNTAP },
	{ .name = "its state is known at once where it went",
	  .test = its_state_is_known_at_once_where_it_went,
	  .needs = LINK_TUNTAP },
	{ .name = "without fds it is followed later",
	  .test = without_fds_it_is_followed_later,
	  .needs = LINK_TUNTAP },
	{ .name = "all queues follow a TAP",
	  .test = all_queues_follow_a_tap,
	  .needs = LINK_TUNTAP | LINK_ETHERNET },
	{ .name = "unprivileged, changes are told",
	  .test = unprivileged_changes_are_told,
	  .needs = LINK_DEVICE },
	{ .name = "unprivileged, a deletion is told",
	  .test = unprivileged_a_deletion_is_told,
	  .needs = LINK_DEVICE },
	{ .name = "unprivileged, a move is the last change",
	  .test = unprivileged_a_move_is_the_last_change,
	  .needs = LINK_TUNTAP },
	{ .name = "an attached reader ends",
	  .test = an_attached_reader_ends,
	  .needs = LINK_DEVICE },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("watch_moves", argv, table, COUNT_OF(table));
}
