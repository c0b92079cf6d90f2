/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fdlink/open.h>

#include "fd_common.h"

static struct said said;

static int probe(int fd, struct fdl_info *info)
{
	int err;

	said_forget(&said);
	memset(info, 0xaa, sizeof(*info));
	err = fdl_probe_fd(fd, info, sizeof(*info), said_take, &said);
	if (!err)
		assert_int_equal(said.lines, 0);
	return err;
}

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

static void taps_and_tuns(void **state)
{
	static const uint8_t none[6];
	struct fdl_info info;
	int fd = make_tun("pr2", IFF_TAP | IFF_NO_PI);

	(void)state;
	assert_int_equal(probe(fd, &info), 0);
	assert_int_equal(info.kind, FDL_KIND_TAP);
	assert_true(info.ethernet && info.device);
	assert_false(info.up || info.multi_queue || info.packet_info);
	assert_int_equal(info.vnet_hdr_len, 0);
	assert_int_equal(info.queues, 1);
	assert_int_equal(info.mtu, 1500);
	assert_int_equal(info.offloads, 0);
	assert_int_equal(info.ifindex, if_nametoindex("pr2"));
	assert_string_equal(info.name, "pr2");
	assert_memory_not_equal(info.address, none, 6);
	set_up("pr2", true);
	assert_int_equal(probe(fd, &info), 0);
	assert_true(info.up);
	close(fd);
	fd = make_tun("pr3", IFF_TUN);
	assert_int_equal(probe(fd, &info), 0);
	assert_int_equal(info.kind, FDL_KIND_TUN);
	assert_true(info.packet_info && !info.ethernet && info.device);
	assert_non_null(fdl_mode_refusal(&info, FDL_MODE_READV));
	assert_non_null(fdl_mode_refusal(&info, FDL_MODE_AUTO));
	assert_memory_equal(info.address, none, 6);
	close(fd);
}

static const short framings[] = {
	IFF_TUN,
	IFF_TUN | IFF_NO_PI,
	IFF_TUN | IFF_VNET_HDR,
	IFF_TUN | IFF_VNET_HDR | IFF_NO_PI,
	IFF_TAP,
	IFF_TAP | IFF_NO_PI,
	IFF_TAP | IFF_VNET_HDR,
	IFF_TAP | IFF_VNET_HDR | IFF_NO_PI,
};

enum {
	FRAMINGS = sizeof(framings) / sizeof(framings[0]),
};

/* Returns how many of the fds are told wrong. */
static int ask_about_framings(const int fd[FRAMINGS])
{
	struct fdl_info info;
	int i, wrong = 0;

	for (i = 0; i < FRAMINGS; i++) {
		if (probe(fd[i], &info))
			return FRAMINGS;
		wrong += info.packet_info == !!(framings[i] & IFF_NO_PI);
		wrong += (info.vnet_hdr_len == 10) ==
			 !(framings[i] & IFF_VNET_HDR);
	}
	return wrong;
}

/* As somebody who was handed the fds and may not look where the devices are. */
static int ask_from_outside(const int fd[FRAMINGS])
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(unshare(CLONE_NEWNET) || setuid(65534) ?
			      FRAMINGS :
			      ask_about_framings(fd));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A packet that went up would be counted. */
static unsigned long received(const char *dev)
{
	FILE *file = fopen("/proc/self/net/dev", "r");
	unsigned long bytes, packets = ~0UL;
	char line[256], name[32];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " %31[^:]: %lu %lu", name, &bytes, &packets) ==
			    3 &&
		    !strcmp(name, dev))
			break;
	fclose(file);
	return packets;
}

static void packet_information_is_seen_from_anywhere(void **state)
{
	int fd[FRAMINGS], i;
	char name[8];

	(void)state;
	for (i = 0; i < FRAMINGS; i++) {
		snprintf(name, sizeof(name), "fr%d", i);
		fd[i] = make_tun(name, framings[i]);
		set_up(name, true);
	}
	assert_int_equal(ask_about_framings(fd), 0);
	assert_int_equal(ask_from_outside(fd), 0);
	for (i = 0; i < FRAMINGS; i++) {
		snprintf(name, sizeof(name), "fr%d", i);
		assert_int_equal(received(name), 0);
		close(fd[i]);
	}
}

/* The kernel takes any length that a header fits in. */
static void a_header_too_long_is_refused_by_name(void **state)
{
	static const struct {
		int size, told, result;
	} rows[] = {
		{ 10, 10, 0 },
		{ 12, 12, 0 },
		{ 24, 24, 0 },
		{ 25, 25, -EOPNOTSUPP },
		{ 64, 64, -EOPNOTSUPP },
		{ 266, 255, -EOPNOTSUPP },
		{ 1 << 20, 255, -EOPNOTSUPP },
	};
	int fd = make_tun("pr9", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	const struct fdl_options opts = { .log = said_take, .log_ctx = &said };
	struct fdl_endpoint *ep;
	struct fdl_info info;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_return_code(ioctl(fd, TUNSETVNETHDRSZ, &rows[i].size),
				   0);
		assert_int_equal(probe(fd, &info), 0);
		assert_int_equal(info.vnet_hdr_len, rows[i].told);
		said_forget(&said);
		assert_int_equal(fdl_endpoint_new(&ep, &fd, 1, &opts),
				 rows[i].result);
		if (rows[i].result)
			expect_said(&said, "pr9 has a virtio-net header of");
		else
			fdl_endpoint_free(ep);
	}
	close(fd);
}

static void virtio_header_and_offloads(void **state)
{
	int fd = make_tun("pr4", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	struct fdl_info info;
	int size = 12;

	(void)state;
	assert_int_equal(probe(fd, &info), 0);
	assert_int_equal(info.vnet_hdr_len, 10);
	assert_int_equal(info.offloads, 0);
	assert_return_code(ioctl(fd, TUNSETVNETHDRSZ, &size), 0);
	assert_return_code(ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4),
			   0);
	assert_int_equal(probe(fd, &info), 0);
	assert_int_equal(info.vnet_hdr_len, 12);
	assert_int_equal(info.offloads, FDL_OFFLOAD_CSUM | FDL_OFFLOAD_TSO4);
	assert_return_code(ioctl(fd, TUNSETOFFLOAD,
				 TUN_F_CSUM | TUN_F_TSO6 | TUN_F_TSO_ECN),
			   0);
	assert_int_equal(probe(fd, &info), 0);
	assert_int_equal(info.offloads, FDL_OFFLOAD_CSUM | FDL_OFFLOAD_TSO6 |
						FDL_OFFLOAD_TSO_ECN);
	close(fd);
}

static void several_queues(void **state)
{
	const int flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;
	int a = make_tun("pr5", flags), b = make_tun("pr5", flags);
	struct fdl_info info;

	(void)state;
	assert_int_equal(probe(b, &info), 0);
	assert_true(info.multi_queue);
	assert_int_equal(info.queues, 2);
	close(b);
	assert_int_equal(probe(a, &info), 0);
	assert_int_equal(info.queues, 1);
	close(a);
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
		cmocka_unit_test(listening_socket),
		cmocka_unit_test(message_sockets),
		cmocka_unit_test(packet_sockets),
		cmocka_unit_test(packet_media),
		cmocka_unit_test(taps_and_tuns),
		cmocka_unit_test(packet_information_is_seen_from_anywhere),
		cmocka_unit_test(a_header_too_long_is_refused_by_name),
		cmocka_unit_test(virtio_header_and_offloads),
		cmocka_unit_test(several_queues),
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
