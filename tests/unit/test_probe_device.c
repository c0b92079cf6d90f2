/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a TUN or TAP fd: its framing, its offloads, its queues. */
#include <errno.h>
#include <sys/wait.h>

#include "probe_bed.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taps_and_tuns),
		cmocka_unit_test(packet_information_is_seen_from_anywhere),
		cmocka_unit_test(a_header_too_long_is_refused_by_name),
		cmocka_unit_test(virtio_header_and_offloads),
		cmocka_unit_test(several_queues),
	};
	int fds = count_fds();
	int failed;

	if (!have_network())
		return SKIPPED;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed || count_fds() != fds;
}
