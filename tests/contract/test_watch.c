/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a link's device, and who is told. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

#include "contract.h"
#include "netns.h"

static struct fdl_link state_of(struct link *l)
{
	struct fdl_link state;

	assert_int_equal(fdl_link_state(l->ep, &state, sizeof(state)), 0);
	return state;
}

/* A change makes the fds readable once, and is no packet and no error. */
static struct fdl_link expect_change(struct link *l, uint64_t *changes)
{
	struct fdl_packet *pkt;
	struct fdl_link state;

	assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
	assert_true(fd_readable(fdl_fd(l->ep), 0));
	assert_int_equal(fdl_queue_poll(l->q, 0), FDL_READABLE);
	assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	expect_quiet(l);
	state = state_of(l);
	assert_true(state.changes > *changes);
	*changes = state.changes;
	return state;
}

static void expect_ended(struct link *l)
{
	struct fdl_packet *pkt;
	struct fdl_link state;
	int i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(fdl_recv(l->q, &pkt, 1), -ENODEV);
		assert_int_equal(fdl_queue_poll(l->q, 0), -ENODEV);
	}
	assert_false(fd_readable(fdl_queue_fd(l->q), 0));
	assert_false(fd_readable(fdl_fd(l->ep), 0));
	assert_int_equal(fdl_link_state(l->ep, &state, sizeof(state)), -ENODEV);
}

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

static void a_link_without_device_has_no_state(struct link *l)
{
	struct fdl_link state;

	assert_int_equal(fdl_link_state(l->ep, &state, sizeof(state)),
			 -EOPNOTSUPP);
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

/* A process in a network namespace of its own. */
static pid_t start_elsewhere(void)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) || write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	/* No device there sends anything of itself. */
	netns_command("nsenter -t %d -n sh -c 'cd /proc/sys/net/ipv6/conf && "
		      "echo 1 > default/disable_ipv6'",
		      (int)pid);
	return pid;
}

static void stop_elsewhere(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

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

struct ends {
	_Atomic int closed, reason;
};

static int keep_none(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		     int n)
{
	(void)ctx;
	(void)q;
	(void)v;
	(void)n;
	return 0;
}

static void note_end(void *ctx, struct fdl_queue *q, int reason)
{
	struct ends *ends = ctx;

	(void)q;
	ends->reason = reason;
	ends->closed++;
}

static void an_attached_reader_ends(struct link *l)
{
	struct ends ends = { 0 };
	const struct fdl_dispatcher d = { keep_none, note_end, &ends };

	assert_int_equal(fdl_attach(l->ep, &d), 0);
	netns_command("ip link set %s mtu 1280", l->dev);
	link_set_up(l, false);
	assert_int_equal(ends.closed, 0);
	link_delete_device(l);
	assert_int_equal(fdl_wait(l->ep), 0);
	assert_int_equal(ends.closed, 1);
	assert_int_equal(ends.reason, -ENODEV);
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

/* Each queue's thread goes after the device, and others ask for it meanwhile. */
static void all_queues_follow_a_tap(struct link *l)
{
	struct ends ends = { 0 };
	const struct fdl_dispatcher d = { keep_none, note_end, &ends };
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
	assert_int_equal(ends.closed, 3);
	assert_int_equal(ends.reason, -ENODEV);
	fdl_endpoint_free(ep);
	stop_elsewhere(pid);
}

static const struct expectation table[] = {
	{ .name = "the state is that of the device",
	  .test = the_state_is_that_of_the_device,
	  .needs = LINK_DEVICE },
	{ .name = "a link without device has no state",
	  .test = a_link_without_device_has_no_state,
	  .needs = LINK_UNIX },
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
	{ .name = "a deleted device ends the queue",
	  .test = a_deleted_device_ends_the_queue,
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
	{ .name = "it ends with the pool empty",
	  .test = it_ends_with_the_pool_empty,
	  .needs = LINK_DEVICE,
	  .not_on = LINK_TUNTAP,
	  .opts = { .pool = 4, .batch = 1 } },
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
	return contract_run("watch", argv, table, COUNT_OF(table));
}
