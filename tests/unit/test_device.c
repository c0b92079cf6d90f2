/* SPDX-License-Identifier: Apache-2.0 */
/* Devices by rtnetlink, in this namespace and in others. */
#include <errno.h>
#include <net/if_arp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "fd/device.h"
#include "fd/link.h"
#include "fd/netns.h"
#include "fd_common.h"
#include "kind/probe.h"

static struct said said;
static const struct log to_said = { said_take, &said };

/* A user whom nothing is allowed. */
enum { NOBODY = 65534 };

static void links_by_name_and_index(void **state)
{
	int sock = link_socket();
	struct link link, same;
	int fd = make_tun("dv0", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);

	(void)state;
	assert_true(sock >= 0);
	assert_int_equal(link_get(sock, "dv0", 0, &link), 0);
	assert_int_equal(link.ifindex, if_nametoindex("dv0"));
	assert_string_equal(link.name, "dv0");
	assert_int_equal(link.tun_type, IFF_TAP);
	assert_int_equal(link.arphrd, ARPHRD_ETHER);
	assert_int_equal(link.mtu, 1500);
	assert_true(link.vnet_hdr && !link.up);
	assert_int_equal(link.owner, UINT32_MAX);
	assert_int_equal(link_get(sock, NULL, link.ifindex, &same), 0);
	assert_memory_equal(&link, &same, sizeof(link));
	assert_int_equal(link_get(sock, "lo", 0, &link), 0);
	assert_int_equal(link.tun_type, 0);
	assert_int_equal(link.arphrd, ARPHRD_LOOPBACK);
	assert_int_equal(link_get(sock, "dv-none", 0, &link), -ENODEV);
	assert_int_equal(link_get(sock, NULL, 123456, &link), -ENODEV);
	close(fd);
	assert_int_equal(link_get(sock, "dv0", 0, &link), -ENODEV);
	close(sock);
}

static int open_device(struct device *dev, int fd)
{
	const struct kind *kind;
	struct fdl_info info;

	assert_int_equal(probe_fd(fd, &kind, &info, &to_said), 0);
	return device_open(dev, kind->device, fd, info.name);
}

/* Frames from the kernel's side until its queue, which nobody reads, is
 * full. */
static void overflow(const char *name)
{
	const uint8_t frame[60] = { 0xff };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll {
		unsigned short family, protocol;
		int ifindex;
		unsigned char rest[12];
	} sll = { .family = AF_PACKET };

	sll.ifindex = (int)if_nametoindex(name);
	for (int i = 0; i < 2000; i++)
		sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&sll,
		       sizeof(sll));
	close(fd);
}

static void drops_are_read(void **state)
{
	uint64_t before = 0, after = 0;
	struct device dev;
	int fd = make_tun("dv1", IFF_TAP | IFF_NO_PI);

	(void)state;
	set_up("dv1", true);
	assert_int_equal(open_device(&dev, fd), 0);
	assert_int_equal(device_dropped(&dev, &before), 0);
	overflow("dv1");
	assert_int_equal(device_dropped(&dev, &after), 0);
	assert_true(after - before >= 100);
	close(fd);
	assert_int_equal(device_dropped(&dev, &after), -ENODEV);
	device_close(&dev);
	assert_int_equal(device_dropped(&dev, &after), -ENODEV);
	device_close(&dev);
}

static void no_device(void **state)
{
	struct device dev;
	int sv[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sv),
			 0);
	assert_int_equal(open_device(&dev, sv[0]), -ENODEV);
	assert_int_equal(dev.netlink, -1);
	device_close(&dev);
	close(sv[0]);
	close(sv[1]);
}

/* A TAP, while we go to another namespace, in which one of the same name is. */
static void other_namespace_is_entered(void **state)
{
	int home = open_own_netns(), fd, twin;
	const struct kind *kind;
	struct fdl_info info;
	struct device dev;
	uint64_t dropped;

	(void)state;
	fd = make_tun("dv2", IFF_TAP | IFF_NO_PI);
	set_up("dv2", true);
	overflow("dv2");
	assert_true(enter_new_netns());
	twin = make_tun("dv2", IFF_TAP | IFF_NO_PI);
	assert_int_equal(probe_fd(fd, &kind, &info, &to_said), 0);
	assert_true(info.device && info.up);
	assert_int_equal(device_open(&dev, kind->device, fd, info.name), 0);
	assert_int_equal(device_dropped(&dev, &dropped), 0);
	assert_true(dropped > 0);
	device_close(&dev);
	close(twin);
	close(fd);
	assert_int_equal(setns(home, CLONE_NEWNET), 0);
	close(home);
}

/* The child has no privilege left. Its exit status says what was wrong. */
static int without_privilege(int (*check)(int fd), int fd)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(setuid(NOBODY) ? 100 : check(fd));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 101;
}

static int check_known(int fd)
{
	const struct kind *kind;
	struct fdl_info info;
	struct device dev;
	uint64_t dropped;

	if (probe_fd(fd, &kind, &info, &to_said))
		return 1;
	if (!info.device || info.mtu != 1500)
		return 2;
	if (device_open(&dev, kind->device, fd, info.name))
		return 3;
	return device_dropped(&dev, &dropped) ? 4 : 0;
}

static int check_unknown(int fd)
{
	const struct kind *kind;
	struct fdl_info info;
	struct device dev;

	if (probe_fd(fd, &kind, &info, &to_said))
		return 1;
	if (info.device || info.mtu || info.ifindex || !*info.name)
		return 2;
	return device_open(&dev, kind->device, fd, info.name) != -EXDEV ||
	       dev.netlink != -1;
}

static bool is_root(void)
{
	/* In a user namespace of one user there is nobody else to become. */
	return geteuid() == 0 && !setegid(NOBODY) && !setegid(0);
}

static void unprivileged_guess_is_safe(void **state)
{
	int tap, tun, own, home = open_own_netns(), twin[2];

	(void)state;
	if (!is_root()) {
		close(home);
		print_message("lacks: a second user to become\n");
		skip();
	}
	tap = make_tun("dv3", IFF_TAP | IFF_NO_PI);
	tun = make_tun("dv4", IFF_TUN | IFF_NO_PI);
	own = make_tun("dv5", IFF_TUN | IFF_NO_PI);
	assert_return_code(ioctl(own, TUNSETOWNER, NOBODY), 0);
	assert_int_equal(without_privilege(check_known, tap), 0);
	assert_int_equal(without_privilege(check_known, own), 0);
	assert_int_equal(without_privilege(check_unknown, tun), 0);
	assert_true(enter_new_netns());
	assert_int_equal(without_privilege(check_unknown, tap), 0);
	twin[0] = make_tun("dv3", IFF_TAP | IFF_NO_PI);
	twin[1] = make_tun("dv4", IFF_TUN | IFF_NO_PI);
	assert_int_equal(without_privilege(check_unknown, tap), 0);
	assert_int_equal(without_privilege(check_unknown, tun), 0);
	close(twin[0]);
	close(twin[1]);
	close(tap);
	close(tun);
	close(own);
	assert_int_equal(setns(home, CLONE_NEWNET), 0);
	close(home);
}

struct seen {
	pthread_t thread;
	bool found;
	bool masked;
};

static int look(void *arg, const struct log *log)
{
	struct seen *seen = arg;
	sigset_t set;

	pthread_sigmask(SIG_SETMASK, NULL, &set);
	seen->masked = sigismember(&set, SIGTERM) && sigismember(&set, SIGUSR1);
	seen->thread = pthread_self();
	seen->found = if_nametoindex("dv6") != 0;
	log_say(log, FDL_LOG_ERR, "said there");
	return 42;
}

static void visits_leave_the_caller_at_home(void **state)
{
	int home = open_own_netns(), there, fd;
	struct seen seen = { 0 };
	sigset_t set;

	(void)state;
	assert_true(enter_new_netns());
	there = open_own_netns();
	fd = make_tun("dv6", IFF_TAP | IFF_NO_PI);
	assert_int_equal(setns(home, CLONE_NEWNET), 0);
	said_forget(&said);
	assert_int_equal(netns_run(there, look, &seen, &to_said), 42);
	assert_true(seen.found && seen.masked);
	assert_int_equal(if_nametoindex("dv6"), 0);
	expect_said(&said, "said there");
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	assert_false(sigismember(&set, SIGTERM));
	close(fd);
	close(there);
	close(home);
}

static void namespaces_that_are_none(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct seen seen = { 0 };

	(void)state;
	said_forget(&said);
	assert_int_equal(netns_open("no-such-netns", &to_said), -ENOENT);
	expect_said(&said, "netns=no-such-netns: no such network namespace");
	said_forget(&said);
	assert_int_equal(netns_run(fd, look, &seen, &to_said), -EINVAL);
	expect_said(&said, "network namespace");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_by_name_and_index),
		cmocka_unit_test(drops_are_read),
		cmocka_unit_test(no_device),
		cmocka_unit_test(other_namespace_is_entered),
		cmocka_unit_test(unprivileged_guess_is_safe),
		cmocka_unit_test(visits_leave_the_caller_at_home),
		cmocka_unit_test(namespaces_that_are_none),
	};
	int fds = count_fds();
	int failed;

	if (!have_network())
		return SKIPPED;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed || count_fds() != fds;
}
