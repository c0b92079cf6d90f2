/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_PACKET sockets on devices of every link type: those whose frames are
 * Ethernet or bare IP are taken for what they are, and the others are refused
 * by name. Of most types this kernel has no device: there the kernel's answer
 * is changed on its way to the library.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "contract.h"
#include "flows.h"
#include "netns.h"

enum {
	AS_IT_IS = -1,
	P2P = IFF_POINTOPOINT,
};

/* What the kernel is made to answer. */
static int link_type = AS_IT_IS;
static short link_flags;

int __real_os_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int __wrap_os_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int __real_os_ioctl(int fd, unsigned long request, void *arg);
int __wrap_os_ioctl(int fd, unsigned long request, void *arg);

int __wrap_os_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	int err = __real_os_getsockname(fd, addr, len);
	struct sockaddr_ll *sll = (struct sockaddr_ll *)addr;

	if (!err && link_type != AS_IT_IS && addr->sa_family == AF_PACKET)
		sll->sll_hatype = (unsigned short)link_type;
	return err;
}

int __wrap_os_ioctl(int fd, unsigned long request, void *arg)
{
	int err = __real_os_ioctl(fd, request, arg);

	if (!err && link_type != AS_IT_IS && request == SIOCGIFFLAGS)
		((struct ifreq *)arg)->ifr_flags = link_flags;
	return err;
}

#define BARE(type, flags)                        \
	{                                        \
		type, flags, FDL_MEDIUM_IP, NULL \
	}
#define REFUSED(type, flags)                           \
	{                                              \
		type, flags, FDL_MEDIUM_UNKNOWN, #type \
	}

static const struct type {
	unsigned arphrd;
	short flags;
	enum fdl_medium medium;
	const char *name;
} types[] = {
	{ ARPHRD_ETHER, 0, FDL_MEDIUM_ETHERNET, NULL },
	{ ARPHRD_LOOPBACK, 0, FDL_MEDIUM_ETHERNET, NULL },
	BARE(ARPHRD_NONE, P2P),
	BARE(ARPHRD_RAWIP, 0),
	BARE(ARPHRD_TUNNEL, P2P),
	BARE(ARPHRD_TUNNEL, 0),
	BARE(ARPHRD_TUNNEL6, P2P),
	BARE(ARPHRD_SIT, P2P),
	BARE(ARPHRD_PIMREG, 0),
	BARE(ARPHRD_PHONET_PIPE, P2P),
	BARE(ARPHRD_RAWHDLC, P2P),
	BARE(ARPHRD_SLIP, P2P),
	BARE(ARPHRD_CSLIP, P2P),
	BARE(ARPHRD_SLIP6, P2P),
	BARE(ARPHRD_CSLIP6, P2P),
	BARE(ARPHRD_ADAPT, P2P),
	BARE(ARPHRD_IPGRE, P2P),
	BARE(ARPHRD_IP6GRE, P2P),
	REFUSED(ARPHRD_IPGRE, 0),
	REFUSED(ARPHRD_IPGRE, P2P | IFF_BROADCAST),
	REFUSED(ARPHRD_IPGRE, IFF_BROADCAST),
	REFUSED(ARPHRD_IP6GRE, 0),
	REFUSED(ARPHRD_NETROM, 0),
	REFUSED(ARPHRD_AX25, 0),
	REFUSED(ARPHRD_IEEE802, 0),
	REFUSED(ARPHRD_ARCNET, 0),
	REFUSED(ARPHRD_DLCI, P2P),
	REFUSED(ARPHRD_IEEE1394, 0),
	REFUSED(ARPHRD_INFINIBAND, 0),
	REFUSED(ARPHRD_X25, P2P),
	REFUSED(ARPHRD_CAN, 0),
	REFUSED(ARPHRD_PPP, P2P),
	REFUSED(ARPHRD_CISCO, P2P),
	REFUSED(ARPHRD_FRAD, P2P),
	REFUSED(ARPHRD_FDDI, 0),
	REFUSED(ARPHRD_IEEE802_TR, 0),
	REFUSED(ARPHRD_IEEE80211, 0),
	REFUSED(ARPHRD_IEEE80211_PRISM, 0),
	REFUSED(ARPHRD_IEEE80211_RADIOTAP, 0),
	REFUSED(ARPHRD_IEEE802154, 0),
	REFUSED(ARPHRD_IEEE802154_MONITOR, 0),
	REFUSED(ARPHRD_PHONET, P2P),
	REFUSED(ARPHRD_CAIF, 0),
	REFUSED(ARPHRD_NETLINK, 0),
	REFUSED(ARPHRD_6LOWPAN, 0),
	REFUSED(ARPHRD_VSOCKMON, 0),
	REFUSED(ARPHRD_VOID, 0),
};

static void expect_refused(int err, const char *dev, const char *name)
{
	assert_int_equal(err, -EOPNOTSUPP);
	assert_non_null(strstr(flows_said, dev));
	assert_non_null(strstr(flows_said, name));
	flows_said[0] = '\0';
}

static int make_endpoint(int fd)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .log = flows_say };
	struct fdl_endpoint *ep;
	int err = fdl_endpoint_new(&ep, &fd, 1, &opts);

	if (!err)
		fdl_endpoint_free(ep);
	return err;
}

static void expect_type(int fd, const char *dev, const struct type *t)
{
	struct fdl_info info;
	int err;

	link_type = (int)t->arphrd;
	link_flags = t->flags;
	err = fdl_probe_fd(fd, &info, sizeof(info), flows_say, NULL);
	if (t->name) {
		expect_refused(err, dev, t->name);
		expect_refused(make_endpoint(fd), dev, t->name);
	} else {
		assert_int_equal(err, 0);
		assert_int_equal(info.medium, t->medium);
		assert_int_equal(info.ethernet,
				 t->medium == FDL_MEDIUM_ETHERNET);
		assert_int_equal(make_endpoint(fd), 0);
	}
	link_type = AS_IT_IS;
}

static void each_type_is_what_its_frames_are(void **state)
{
	int fd = flows_socket("fdq", ETH_P_ALL);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(types); i++)
		expect_type(fd, "fdq", &types[i]);
	close(fd);
}

static bool is_listed(unsigned arphrd)
{
	size_t i;

	for (i = 0; i < COUNT_OF(types); i++)
		if (types[i].arphrd == arphrd)
			return true;
	return false;
}

static void all_other_types_are_refused_by_number(void **state)
{
	int fd = flows_socket("fdq", ETH_P_ALL);
	char number[16];
	struct type t = { .name = number };

	(void)state;
	for (; t.arphrd < 1100; t.arphrd++) {
		snprintf(number, sizeof(number), "(%u)", t.arphrd);
		if (!is_listed(t.arphrd))
			expect_type(fd, "fdq", &t);
	}
	close(fd);
}

/* The locator opens sockets of its own, and the refusal leaves none behind. */
static void a_locator_is_refused_alike(void **state)
{
	struct fdl_endpoint *ep = NULL;
	int before = dup(0), after;

	(void)state;
	close(before);
	link_type = ARPHRD_PPP;
	expect_refused(
		flows_open_with(&ep, "packet:fdq", (struct fdl_options){ 0 }),
		"fdq", "ARPHRD_PPP");
	expect_refused(flows_open_with(&ep, "packet:fdq,queues=2",
				       (struct fdl_options){ 0 }),
		       "fdq", "ARPHRD_PPP");
	link_type = AS_IT_IS;
	assert_null(ep);
	after = dup(0);
	assert_int_equal(after, before);
	close(after);
}

/* Its link type can be set while the device is down. */
static int make_tuntap(short kind, unsigned long arphrd)
{
	struct ifreq ifr = { .ifr_name = "fdm",
			     .ifr_flags = (short)(kind | IFF_NO_PI) };
	int fd;

	if (netns_lacks_tun())
		skip();
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_return_code(ioctl(fd, TUNSETIFF, &ifr), errno);
	assert_return_code(ioctl(fd, TUNSETLINK, arphrd), errno);
	netns_command("ip link set fdm up");
	return fd;
}

static void expect_device_refused(const char *dev, const char *name)
{
	char locator[32];
	struct fdl_endpoint *ep;
	struct fdl_info info;
	int fd = flows_socket(dev, ETH_P_ALL);

	snprintf(locator, sizeof(locator), "packet:%s", dev);
	expect_refused(make_endpoint(fd), dev, name);
	expect_refused(fdl_probe_fd(fd, &info, sizeof(info), flows_say, NULL),
		       dev, name);
	expect_refused(fdl_probe(locator, &info, sizeof(info), flows_say, NULL),
		       dev, name);
	assert_int_equal(info.medium, FDL_MEDIUM_UNKNOWN);
	expect_refused(flows_open_with(&ep, locator, (struct fdl_options){ 0 }),
		       dev, name);
	close(fd);
}

/* ARPHRD_ETHER on a TUN, and bare IP on a TAP, are not what they hand out. */
static void a_changed_link_type_is_refused(void **state)
{
	static const struct {
		short kind;
		unsigned arphrd;
		const char *name, *way_out;
	} changed[] = {
		{ IFF_TUN, ARPHRD_PPP, "ARPHRD_PPP", "ARPHRD_NONE" },
		{ IFF_TUN, ARPHRD_NETLINK, "ARPHRD_NETLINK", "ARPHRD_NONE" },
		{ IFF_TUN, ARPHRD_IEEE80211_RADIOTAP,
		  "ARPHRD_IEEE80211_RADIOTAP", "ARPHRD_NONE" },
		{ IFF_TUN, ARPHRD_ETHER, "ARPHRD_ETHER", "ARPHRD_NONE" },
		{ IFF_TUN, ARPHRD_LOOPBACK, "ARPHRD_LOOPBACK", "ARPHRD_NONE" },
		{ IFF_TAP, ARPHRD_IEEE80211, "ARPHRD_IEEE80211",
		  "ARPHRD_ETHER" },
		{ IFF_TAP, ARPHRD_NONE, "ARPHRD_NONE", "ARPHRD_ETHER" },
		{ IFF_TAP, ARPHRD_RAWIP, "ARPHRD_RAWIP", "ARPHRD_ETHER" },
	};
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < COUNT_OF(changed); i++) {
		fd = make_tuntap(changed[i].kind, changed[i].arphrd);
		expect_device_refused("fdm", changed[i].name);
		expect_device_refused("fdm", changed[i].way_out);
		close(fd);
	}
}

/* UDP over IPv4 from a TUN's writer, as a socket beside it has to see it. */
static void a_tun_that_says_raw_ip_gives_it(void **state)
{
	static const uint8_t packet[] = {
		0x45, 0, 0,  28, 0,   0, 0x40, 0, 64, 17, 0, 0, 192, 0,
		2,    1, 192, 0, 2,   2, 0,    7, 0,  7,  0, 8, 0,   0,
	};
	static const unsigned link_types[] = { ARPHRD_NONE, ARPHRD_RAWIP,
					       ARPHRD_SIT };
	struct fdl_endpoint *ep;
	struct fdl_packet *pkt;
	struct fdl_queue *q;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < COUNT_OF(link_types); i++) {
		fd = make_tuntap(IFF_TUN, link_types[i]);
		ep = flows_open("packet:fdm");
		q = fdl_get_queue(ep, 0);
		assert_int_equal(write(fd, packet, sizeof(packet)),
				 sizeof(packet));
		assert_int_equal(fdl_queue_poll(q, WAIT_MS), FDL_READABLE);
		assert_int_equal(fdl_recv(q, &pkt, 1), 1);
		assert_int_equal(pkt->len, sizeof(packet));
		assert_memory_equal(pkt->data, packet, sizeof(packet));
		fdl_release(&pkt, 1);
		assert_int_equal(fdl_endpoint_free(ep), 0);
		close(fd);
	}
}

static bool make_device(const char *how)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "ip link add fdm type %s 2>/dev/null && ip link set fdm up",
		 how);
	return system(command) == 0;
}

static void devices_of_this_kernel(void **state)
{
	static const struct {
		const char *how, *refused;
	} devices[] = {
		{ "nlmon", "ARPHRD_NETLINK" },
		{ "vcan", "ARPHRD_CAN" },
		{ "vsockmon", "ARPHRD_VSOCKMON" },
		{ "gre local 127.0.0.1 ttl 9", "ARPHRD_IPGRE" },
		{ "ip6gre local ::1", "ARPHRD_IP6GRE" },
		{ "gre local 127.0.0.1 remote 127.0.0.2", NULL },
		{ "ipip local 127.0.0.1 remote 127.0.0.2", NULL },
		{ "sit local 127.0.0.1 remote 127.0.0.2", NULL },
		{ "ifb", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(devices); i++) {
		if (!make_device(devices[i].how)) {
			print_message("lacks: a device of type %s\n",
				      devices[i].how);
			continue;
		}
		if (devices[i].refused)
			expect_device_refused("fdm", devices[i].refused);
		else
			fdl_endpoint_free(flows_open("packet:fdm"));
		netns_command("ip link del fdm");
	}
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		OVER_VETH(each_type_is_what_its_frames_are),
		OVER_VETH(all_other_types_are_refused_by_number),
		OVER_VETH(a_locator_is_refused_alike),
		cmocka_unit_test(a_changed_link_type_is_refused),
		cmocka_unit_test(a_tun_that_says_raw_ip_gives_it),
		cmocka_unit_test(devices_of_this_kernel),
	};

	(void)argc;
	netns_enter(argv);
	netns_command("ip link set lo up");
	return cmocka_run_group_tests_name("media", tests, NULL, NULL);
}
