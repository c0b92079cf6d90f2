/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of two network namespaces that have the same name, index and address,
 * and so look like one: an endpoint over fds of both is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/fdlink.h>

#include "flows.h"
#include "netns.h"

enum {
	INDEX = 77,
};

static int open_device(short flags)
{
	struct ifreq ifr = { .ifr_flags = (short)(flags | IFF_NO_PI |
						  IFF_MULTI_QUEUE) };
	const unsigned index = INDEX;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	strcpy(ifr.ifr_name, "twin");
	if (!if_nametoindex("twin"))
		assert_return_code(ioctl(fd, TUNSETIFINDEX, &index), errno);
	assert_return_code(ioctl(fd, TUNSETIFF, &ifr), errno);
	if (flags & IFF_TAP)
		netns_command("ip link set twin address 02:00:00:00:00:77");
	return fd;
}

static int open_tap(void)
{
	return open_device(IFF_TAP);
}

static int open_tun(void)
{
	return open_device(IFF_TUN);
}

static int open_packet(void)
{
	if (!if_nametoindex("twin"))
		netns_command("ip link add twin index 77 "
			      "address 02:00:00:00:00:77 type veth peer other");
	return flows_socket("twin", ETH_P_ALL);
}

static int try(const int fd[2], char *said)
{
	const struct fdl_options opts = { .log = flows_say };
	struct fdl_endpoint *ep;
	int err;

	flows_said[0] = '\0';
	err = fdl_endpoint_new(&ep, fd, 2, &opts);
	if (!err)
		fdl_endpoint_free(ep);
	strcpy(said, flows_said);
	return err;
}

static void twins_are_told_apart(void **state)
{
	int (*const open_one)(void) = *(int (**)(void)) * state;
	const int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	char said[sizeof(flows_said)];
	int first[2] = { open_one(), open_one() };
	int twins[2] = { first[0], -1 };

	assert_int_equal(try(first, said), 0);
	assert_return_code(unshare(CLONE_NEWNET), errno);
	twins[1] = open_one();
	assert_int_equal(try(twins, said), -EINVAL);
	assert_non_null(strstr(said, "all must carry the same link"));
	close(twins[1]);
	assert_return_code(setns(home, CLONE_NEWNET), errno);
	close(first[0]);
	close(first[1]);
	close(home);
	if (if_nametoindex("other"))
		netns_command("ip link del other");
}

int main(int argc, char *argv[])
{
	static int (*open_one[])(void) = { open_tap, open_tun, open_packet };
	struct CMUnitTest tests[] = {
		{ "TAP", twins_are_told_apart, NULL, NULL, &open_one[0] },
		{ "TUN", twins_are_told_apart, NULL, NULL, &open_one[1] },
		{ "AF_PACKET", twins_are_told_apart, NULL, NULL, &open_one[2] },
	};

	(void)argc;
	netns_enter(argv);
	netns_needs_tun();
	return cmocka_run_group_tests_name("namespaces", tests, NULL, NULL);
}
