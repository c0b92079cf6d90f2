/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of an fd, and why many a one is no link. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/eventfd.h>
#include <sys/un.h>

#include "probe_bed.h"

static void expect_refused(int fd, int err, const char *words)
{
	struct fdl_info info;
	struct fdl_info before;

	memset(&before, 0xaa, sizeof(before));
	assert_int_equal(probe(fd, &info), err);
	expect_said(&said, words);
	assert_memory_equal(&info, &before, sizeof(info));
}

static void closed_fd(void **state)
{
	(void)state;
	expect_refused(-1, -EBADF, "fd -1 is not open");
	expect_refused(250, -EBADF, "fd 250 is not open");
}

static void expect_file_refused(const char *path, const char *words)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	expect_refused(fd, -EPROTOTYPE, words);
	close(fd);
}

static void no_socket_and_no_tun(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	expect_refused(p[0], -EPROTOTYPE, "is a pipe");
	close(p[0]);
	close(p[1]);
	expect_file_refused("/dev/null", "character device");
	expect_file_refused("/proc/self/exe", "is a file");
	expect_file_refused("/", "is a directory");
	p[0] = eventfd(0, EFD_CLOEXEC);
	expect_refused(p[0], -EPROTOTYPE, "such as an eventfd");
	close(p[0]);
}

static void sockets_without_a_link(void **state)
{
	static const struct {
		int family, type, protocol;
		const char *words;
	} bad[] = {
		{ AF_UNIX, SOCK_STREAM, 0, "stream socket" },
		{ AF_INET, SOCK_STREAM, 0, "stream socket" },
		{ AF_INET, SOCK_RAW, 1, "raw IPv4 socket, which carries no" },
		{ AF_INET6, SOCK_RAW, 58, "raw IPv6 socket, which carries no" },
		{ AF_NETLINK, SOCK_RAW, 0, "netlink socket, which carries no" },
		{ AF_NETLINK, SOCK_DGRAM, 0, "netlink socket, which carries" },
		{ AF_PACKET, SOCK_DGRAM, 0, "of type SOCK_DGRAM" },
	};
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = socket(bad[i].family, bad[i].type | SOCK_CLOEXEC,
			    bad[i].protocol);
		assert_true(fd >= 0);
		expect_refused(fd, -EPROTOTYPE, bad[i].words);
		close(fd);
	}
}

/* What ping(8) uses: the kernel takes what is sent for a header of ICMP. Who
 * may make one is a setting of the network namespace. */
static void ping_sockets(void **state)
{
	static const struct {
		int family, protocol;
		const char *words;
	} bad[] = {
		{ AF_INET, IPPROTO_ICMP, "non-UDP IPv4 socket" },
		{ AF_INET6, IPPROTO_ICMPV6, "non-UDP IPv6 socket" },
	};
	int tried = 0, fd;

	(void)state;
	fd = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0 0", 3) != 3)
		print_message("ping sockets stay forbidden\n");
	close(fd);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = socket(bad[i].family, SOCK_DGRAM | SOCK_CLOEXEC,
			    bad[i].protocol);
		if (fd < 0)
			continue;
		expect_refused(fd, -EPROTOTYPE, bad[i].words);
		close(fd);
		tried++;
	}
	if (!tried)
		skip();
}

static void listening_socket(void **state)
{
	const struct sockaddr_un any = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(
		bind(fd, (const struct sockaddr *)&any, sizeof(any.sun_family)),
		0);
	assert_int_equal(listen(fd, 1), 0);
	expect_refused(fd, -EPROTOTYPE, "listening socket");
	close(fd);
}

static void expect_pair(int family, int type, enum fdl_kind kind)
{
	struct fdl_info info;
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(probe(fd, &info), 0);
	assert_int_equal(info.kind, kind);
	assert_int_equal(info.queues, 1);
	assert_false(info.ethernet || info.device || info.up);
	assert_false(info.vnet_hdr_len || info.mtu || info.ifindex);
	assert_string_equal(info.name, "");
	assert_null(fdl_mode_refusal(&info, FDL_MODE_READV));
	close(fd);
}

static void message_sockets(void **state)
{
	(void)state;
	expect_pair(AF_UNIX, SOCK_SEQPACKET, FDL_KIND_SEQPACKET);
	expect_pair(AF_UNIX, SOCK_DGRAM, FDL_KIND_DGRAM);
	expect_pair(AF_INET, SOCK_DGRAM, FDL_KIND_DGRAM);
	expect_pair(AF_INET6, SOCK_DGRAM, FDL_KIND_DGRAM);
}

static int packet_socket(const char *name)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET,
				   .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	sll.sll_ifindex = (int)if_nametoindex(name);
	assert_int_equal(bind(fd, (struct sockaddr *)&sll, sizeof(sll)), 0);
	return fd;
}

static void packet_sockets(void **state)
{
	struct fdl_info info, tap;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int tapfd = make_tun("pr0", IFF_TAP | IFF_NO_PI);
	int on = 1;

	(void)state;
	expect_refused(fd, -ENODEV, "on no interface");
	close(fd);
	fd = packet_socket("pr0");
	assert_int_equal(probe(fd, &info), 0);
	assert_int_equal(probe(tapfd, &tap), 0);
	assert_int_equal(info.kind, FDL_KIND_PACKET);
	assert_true(info.ethernet && info.device && !info.up);
	assert_string_equal(info.name, "pr0");
	assert_int_equal(info.mtu, 1500);
	assert_int_equal(info.ifindex, if_nametoindex("pr0"));
	assert_int_equal(info.queues, 1);
	assert_int_equal(info.vnet_hdr_len, 0);
	assert_memory_equal(info.address, tap.address, 6);
	assert_int_equal(
		setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)),
		0);
	assert_int_equal(probe(fd, &info), 0);
	assert_int_equal(info.vnet_hdr_len, 10);
	close(tapfd);
	expect_refused(fd, -ENODEV, "interface is gone");
	close(fd);
}

static void packet_media(void **state)
{
	struct fdl_info info;
	int tunfd = make_tun("pr1", IFF_TUN | IFF_NO_PI);
	int fd = packet_socket("pr1");

	(void)state;
	assert_int_equal(probe(fd, &info), 0);
	assert_false(info.ethernet);
	close(fd);
	close(tunfd);
	set_up("lo", true);
	fd = packet_socket("lo");
	assert_int_equal(probe(fd, &info), 0);
	assert_true(info.ethernet && info.up);
	assert_string_equal(info.name, "lo");
	close(fd);
}

static void tun_without_device(void **state)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	(void)state;
	expect_refused(fd, -ENODEV, "without a device");
	close(fd);
}

static void info_grows(void **state)
{
	struct {
		struct fdl_info info;
		uint8_t more[16];
	} big;
	uint8_t zeros[16] = { 0 };
	enum fdl_kind kind = 0;
	int sv[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sv),
			 0);
	assert_int_equal(fdl_probe_fd(sv[0], (struct fdl_info *)(void *)&kind,
				      sizeof(kind), NULL, NULL),
			 0);
	assert_int_equal(kind, FDL_KIND_DGRAM);
	memset(&big, 0xaa, sizeof(big));
	assert_int_equal(
		fdl_probe_fd(sv[0], &big.info, sizeof(big), NULL, NULL), 0);
	assert_memory_equal(big.more, zeros, sizeof(zeros));
	close(sv[0]);
	close(sv[1]);
}

static void kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(fdl_kind_name(FDL_KIND_TUN), "tun");
	assert_string_equal(fdl_kind_name(FDL_KIND_TAP), "tap");
	assert_string_equal(fdl_kind_name(FDL_KIND_PACKET), "packet");
	assert_string_equal(fdl_kind_name(FDL_KIND_SEQPACKET), "seqpacket");
	assert_string_equal(fdl_kind_name(FDL_KIND_DGRAM), "datagram");
	assert_null(fdl_kind_name(0));
	assert_null(fdl_kind_name(FDL_KIND_DGRAM + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_fd),
		cmocka_unit_test(no_socket_and_no_tun),
		cmocka_unit_test(sockets_without_a_link),
		cmocka_unit_test(ping_sockets),
		cmocka_unit_test(listening_socket),
		cmocka_unit_test(message_sockets),
		cmocka_unit_test(packet_sockets),
		cmocka_unit_test(packet_media),
		cmocka_unit_test(tun_without_device),
		cmocka_unit_test(info_grows),
		cmocka_unit_test(kinds_have_names),
	};
	int fds = count_fds();
	int failed;

	if (!have_network())
		return SKIPPED;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed || count_fds() != fds;
}
