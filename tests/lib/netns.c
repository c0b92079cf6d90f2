/* SPDX-License-Identifier: Apache-2.0 */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REEXEC "FDLINK_TEST_NETNS"

enum {
	PATIENCE_MS = 30000,
	MAX_ARGS = 16,
	/* Of linux/if_link.h, where older ones lack the second. */
	GSO_MAX = 41,
	GSO_IPV4_MAX = 63,
};

static void skip(const char *why)
{
	printf("skipped: %s\n", why);
	exit(EXIT_SKIPPED);
}

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	abort();
}

/* unshare(1) and not unshare(2): a sanitizer's own thread would make the
 * kernel refuse a user namespace to this process. */
static void start_anew(char *argv[])
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char unshare_cmd[] = "unshare", flags[] = "-Urn";
	char *args[MAX_ARGS] = { unshare_cmd, flags, self };
	int i;

	/* Of what it lacks unshare(1) tells by a status that is a failure's. */
	if (n < 0 || getenv(REEXEC) ||
	    system("unshare -Urn true 2>/dev/null") != 0)
		skip("no user namespace to be had");
	self[n] = '\0';
	for (i = 1; argv[i] && i + 3 < MAX_ARGS; i++)
		args[i + 2] = argv[i];
	setenv(REEXEC, "1", 1);
	execvp(args[0], args);
	skip("unshare(1) cannot be run");
}

void netns_ipv6_off(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6",
		      O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;		/* a kernel without IPv6 */
	if (write(fd, "1", 1) != 1)
		fail("disable_ipv6");
	close(fd);
}

/* Where ethtool is, which users' own paths often leave out. */
static void find_tools(void)
{
	const char *path = getenv("PATH");
	char with[4096];

	snprintf(with, sizeof(with), "%s:/usr/sbin:/sbin",
		 path ? path : "/usr/bin:/bin");
	setenv("PATH", with, 1);
}

void netns_enter(char *argv[])
{
	find_tools();
	if (geteuid() != 0)
		start_anew(argv);
	if (!getenv(REEXEC) && unshare(CLONE_NEWNET) < 0)
		skip("no network namespace to be had");
	netns_ipv6_off();
}

bool netns_lacks_tun(void)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		printf("lacks: /dev/net/tun: %s\n", strerror(errno));
	else
		close(fd);
	return fd < 0;
}

void netns_needs_tun(void)
{
	if (netns_lacks_tun())
		exit(EXIT_SKIPPED);
}

void netns_command(const char *fmt, ...)
{
	char cmd[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	if (system(cmd) != 0)
		fail(cmd);
}

static int request(const char *dev, unsigned long what, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		fail("socket");
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", dev);
	r = ioctl(fd, what, ifr);
	close(fd);
	return r;
}

void netns_set_up(const char *dev, bool up)
{
	struct ifreq ifr = { 0 };

	if (request(dev, SIOCGIFFLAGS, &ifr) < 0)
		fail(dev);
	ifr.ifr_flags = (short)(up ? ifr.ifr_flags | IFF_UP :
				     ifr.ifr_flags & ~IFF_UP);
	if (request(dev, SIOCSIFFLAGS, &ifr) < 0)
		fail(dev);
}

static bool is_running(const char *dev, struct ifreq *ifr)
{
	if (request(dev, SIOCGIFFLAGS, ifr) < 0)
		fail(dev);
	return ifr->ifr_flags & IFF_RUNNING;
}

static void wait_running(const char *dev, bool running)
{
	const long long end = netns_now_ms() + PATIENCE_MS;
	const struct timespec nap = { .tv_nsec = 1000000 };
	struct ifreq ifr = { 0 };

	while (is_running(dev, &ifr) != running) {
		errno = ETIMEDOUT;
		if (netns_now_ms() > end)
			fail(dev);
		nanosleep(&nap, NULL);
	}
	/* A device that was never looked at since its carrier came runs by its
	 * flags, and drops what is sent. To ask for it by name is to have the
	 * kernel look (since Linux 6.8). */
	netns_command("ip link show %s >/dev/null", dev);
	/* The flag comes a moment before the queueing discipline, but both
	 * under the lock that any change of a device takes. */
	if (request(dev, SIOCSIFFLAGS, &ifr) < 0)
		fail(dev);
}

void netns_wait_running(const char *dev)
{
	wait_running(dev, true);
}

void netns_wait_stopped(const char *dev)
{
	wait_running(dev, false);
}

/* By hand, because older ip(8) know only the first of the two. */
bool netns_set_gso_max(const char *dev, unsigned bytes)
{
	struct {
		struct nlmsghdr nh;
		struct ifinfomsg ifi;
		struct {
			struct rtattr head;
			uint32_t value;
		} max[2];
	} req = {
		.nh = { .nlmsg_len = sizeof(req),
			.nlmsg_type = RTM_NEWLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.ifi = { .ifi_index = (int)if_nametoindex(dev) },
		.max = { { { sizeof(req.max[0]), GSO_MAX }, bytes },
			 { { sizeof(req.max[0]), GSO_IPV4_MAX }, bytes } },
	};
	struct {
		struct nlmsghdr nh;
		struct nlmsgerr refusal;
		char more[1024];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n;

	if (fd < 0 || send(fd, &req, sizeof(req), 0) < 0)
		fail("netlink");
	n = recv(fd, &answer, sizeof(answer), 0);
	if (n < (ssize_t)(sizeof(answer) - sizeof(answer.more)))
		fail("netlink");
	close(fd);
	return answer.refusal.error == 0;
}

bool netns_has(const char *dev)
{
	return if_nametoindex(dev) != 0;
}

long long netns_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}
