/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints by the name of a device: what is opened, refused, left behind. */
#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "open_bed.h"

enum { NOBODY = 65534 };

static void taps_are_made_and_go(void **state)
{
	struct fdl_endpoint *ep;
	struct fdl_info info;
	int fds = count_fds();

	(void)state;
	expect_no_probe("tap:op0", -ENODEV, "no such device yet");
	assert_int_equal(if_nametoindex("op0"), 0);
	assert_int_equal(open_it(&ep, "tap:op0,mtu=9000", 0, 0), 0);
	assert_int_equal(said.lines, 0);
	assert_int_equal(fdl_mtu(ep), 9000);
	assert_int_equal(fdl_max_header_len(ep), 14);
	expect_probe("tap:op0", &info);
	assert_int_equal(info.kind, FDL_KIND_TAP);
	assert_int_equal(info.mtu, 9000);
	assert_true(info.device && info.ethernet);
	assert_false(info.packet_info);
	assert_int_equal(info.vnet_hdr_len, 10);
	assert_int_equal(info.offloads & TCP_OFFLOADS, TCP_OFFLOADS);
	expect_probe("packet:op0", &info);
	assert_int_equal(info.kind, FDL_KIND_PACKET);
	assert_true(info.ethernet);
	expect_refused("tap:op0", -EBUSY, "op0 is busy");
	expect_refused("tun:op0", -EINVAL, "open it as tap:");
	expect_no_probe("tun:op0", -EINVAL, "open it as tap:");
	assert_int_equal(fdl_endpoint_free(ep), 0);
	assert_int_equal(if_nametoindex("op0"), 0);
	assert_int_equal(count_fds(), fds);
}

static void files_for_another_process(void **state)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .log = said_take,
					  .log_ctx = &said };
	int fds[2], before = count_fds();

	(void)state;
	assert_int_equal(fdl_open_fds(fds, 2, "null:", false, &opts),
			 -EOPNOTSUPP);
	said_forget(&said);
	assert_int_equal(fdl_open_fds(fds, 2, "tap:op0", true, &opts), -ENODEV);
	expect_said(&said, "make it with 'ip tuntap add op0 mode tap'");
	assert_int_equal(if_nametoindex("op0"), 0);
	assert_int_equal(fdl_open_fds(fds, 0, "tap:op0", false, NULL), -ENOSPC);
	assert_int_equal(count_fds(), before);
	assert_int_equal(fdl_open_fds(fds, 2, "tap:op0", false, NULL), 1);
	assert_int_not_equal(if_nametoindex("op0"), 0);
	close(fds[0]);
	assert_int_equal(if_nametoindex("op0"), 0);
}

/* Each packet would pay for a header that only such a stack can use. */
static void a_stack_that_takes_tunnels_is_offered_them(void **state)
{
	const uint32_t takes = FDL_RX_CSUM | FDL_RX_GSO;
	const uint32_t tunnels = FDL_OFFLOAD_TUNNEL | FDL_OFFLOAD_TUNNEL_CSUM;
	struct fdl_endpoint *ep;
	struct fdl_info info;

	(void)state;
	assert_int_equal(open_it(&ep, "tap:op0", 0, takes), 0);
	fdl_get_info(ep, &info, sizeof(info));
	assert_int_equal(info.vnet_hdr_len, 10);
	assert_false(info.offloads & tunnels);
	fdl_endpoint_free(ep);
	assert_int_equal(open_it(&ep, "tap:op0", 0, takes | FDL_RX_TUNNEL), 0);
	fdl_get_info(ep, &info, sizeof(info));
	if (info.offloads & FDL_OFFLOAD_TUNNEL)
		assert_int_equal(info.vnet_hdr_len, 24);
	else
		assert_int_equal(info.vnet_hdr_len, 10);
	fdl_endpoint_free(ep);
}

static void expect_carrier(const char *locator, bool on)
{
	struct fdl_endpoint *ep;
	struct fdl_link link;

	assert_int_equal(open_it(&ep, locator, 0, 0), 0);
	assert_int_equal(said.lines, 0);
	assert_int_equal(system("ip link set op0 up"), 0);
	assert_int_equal(fdl_link_state(ep, &link, sizeof(link)), 0);
	assert_true(link.up);
	assert_int_equal(link.carrier, on);
	fdl_endpoint_free(ep);
}

/* What one opens without, the next one has. */
static void taps_without_a_carrier(void **state)
{
	(void)state;
	assert_int_equal(system("ip tuntap add op0 mode tap"), 0);
	expect_carrier("tap:op0,carrier=off", false);
	expect_carrier("tap:op0,carrier=on", true);
	expect_carrier("tap:op0,carrier=off", false);
	expect_carrier("tap:op0", true);
	assert_int_equal(system("ip tuntap del op0 mode tap"), 0);
	expect_carrier("tap:op0,queues=2,carrier=off", false);
	expect_carrier("tun:op0,carrier=off", false);
}

static void expect_medium(const char *locator, enum fdl_medium medium)
{
	struct fdl_info info;
	int err = fdl_probe(locator, &info, sizeof(info), NULL, NULL);

	assert_true(err <= 0);
	assert_int_equal(info.medium, medium);
	assert_int_equal(info.ethernet, medium == FDL_MEDIUM_ETHERNET);
}

/* Who has to know it before the device is made. */
static void what_is_not_there_has_a_medium(void **state)
{
	(void)state;
	expect_medium("tap:op8", FDL_MEDIUM_ETHERNET);
	expect_medium("tun:op8", FDL_MEDIUM_IP);
	expect_medium("packet:op8", FDL_MEDIUM_UNKNOWN);
	expect_medium("packet:lo", FDL_MEDIUM_ETHERNET);
	expect_medium("seqpacket:@op8", FDL_MEDIUM_AGREED);
	expect_medium("unixgram:@op8", FDL_MEDIUM_AGREED);
	expect_medium("op8", FDL_MEDIUM_UNKNOWN);
}

static void tuns(void **state)
{
	struct fdl_endpoint *ep;
	struct fdl_info info;

	(void)state;
	assert_int_equal(open_it(&ep, "tun:op1", 0, 0), 0);
	assert_int_equal(fdl_max_header_len(ep), 0);
	assert_int_equal(fdl_mtu(ep), 1500);
	expect_probe("tun:op1", &info);
	assert_int_equal(info.kind, FDL_KIND_TUN);
	assert_false(info.ethernet);
	expect_probe("packet:op1", &info);
	assert_false(info.ethernet);
	fdl_endpoint_free(ep);
}

static void contradictions(void **state)
{
	struct fdl_endpoint *ep = NULL;

	(void)state;
	assert_int_equal(open_it(&ep, "tap:op2,mtu=9000", 1500, 0), -EINVAL);
	expect_said(&said, "mtu=9000 in the locator contradicts mtu 1500");
	assert_int_equal(open_it(&ep, "tun:op2", 0, FDL_ETHERNET), -EINVAL);
	expect_said(&said, "leave FDL_ETHERNET out");
	assert_int_equal(open_it(&ep, "tap:op2", 67, 0), -EINVAL);
	expect_said(&said, "out of range");
	assert_int_equal(if_nametoindex("op2"), 0);
	expect_refused("tap:op2,mtu=70000", -EINVAL,
		       "mtu=70000 is out of range: 68 to 65535");
	expect_refused("tap:op2,mtu=65535", -EINVAL, "more than op2 takes");
	expect_refused("tap:lo", -EINVAL, "is no tap device");
	expect_refused("packet:op-none", -ENODEV,
		       "packet:op-none: no such interface");
	expect_no_probe("packet:op-none", -ENODEV, "see 'ip link'");
	assert_int_equal(fdl_open(&ep, "tap:", NULL), -EINVAL);
	assert_int_equal(open_it(&ep, "tap:op2,mtu=1400", 1400, 0), 0);
	fdl_endpoint_free(ep);
}

/* What the last user of a persistent device left set. */
static void persistent_devices_start_afresh(void **state)
{
	int fd = make_tun("op3", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	struct fdl_endpoint *ep;
	struct fdl_info info;

	(void)state;
	assert_return_code(ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4),
			   0);
	assert_return_code(ioctl(fd, TUNSETPERSIST, 1), 0);
	close(fd);
	expect_probe("tap:op3", &info);
	assert_int_equal(info.vnet_hdr_len, 10);
	assert_int_equal(info.offloads, FDL_OFFLOAD_CSUM | FDL_OFFLOAD_TSO4);
	assert_int_equal(open_it(&ep, "tap:op3,offload=off", 0, 0), 0);
	expect_probe("tap:op3,offload=off", &info);
	assert_int_equal(info.vnet_hdr_len, 0);
	assert_int_equal(info.offloads, 0);
	fdl_endpoint_free(ep);
	assert_int_equal(open_it(&ep, "tap:op3,offload=on", 0, 0), 0);
	expect_probe("tap:op3", &info);
	assert_int_equal(info.vnet_hdr_len, 10);
	assert_int_equal(info.offloads & TCP_OFFLOADS, TCP_OFFLOADS);
	assert_int_equal(fdl_tx_offloads(ep) & TCP_OFFLOADS, TCP_OFFLOADS);
	fdl_endpoint_free(ep);
	fd = make_tun("op3", IFF_TAP | IFF_NO_PI);
	assert_return_code(ioctl(fd, TUNSETPERSIST, 0), 0);
	close(fd);
}

/* Of the one TAP that is open. */
static int is_little(void)
{
	char path[32], target[32];
	int fd, little;

	for (fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		memset(target, 0, sizeof(target));
		if (readlink(path, target, sizeof(target) - 1) > 0 &&
		    !strcmp(target, "/dev/net/tun") &&
		    !ioctl(fd, TUNGETVNETLE, &little))
			return little;
	}
	return -1;
}

static int packet_socket_on(const char *name)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	sll.sll_ifindex = (int)if_nametoindex(name);
	assert_int_equal(bind(fd, (struct sockaddr *)&sll, sizeof(sll)), 0);
	return fd;
}

/* It let nothing through to him. */
static void persistent_devices_filter_nothing(void **state)
{
	struct {
		uint16_t flags, count;
		uint8_t address[6];
	} mine = { 0, 1, { 2, 0, 0, 0, 0, 9 } };
	int fd = make_tun("op4", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	const uint8_t frame[60] = { 2, 0, 0, 0, 0, 8,	 2,
				    0, 0, 0, 0, 7, 0x88, 0xb5 };
	int on = 1, sock;
	struct fdl_packet *pkt = NULL;
	struct fdl_endpoint *ep;

	(void)state;
	assert_return_code(ioctl(fd, TUNSETTXFILTER, &mine), 0);
	assert_return_code(ioctl(fd, TUNSETVNETLE, &on), 0);
	assert_return_code(ioctl(fd, TUNSETPERSIST, 1), 0);
	close(fd);
	assert_int_equal(open_it(&ep, "tap:op4", 0, 0), 0);
	assert_int_equal(said.lines, 0);
	assert_int_equal(is_little(), 0);
	set_up("op4", true);
	sock = packet_socket_on("op4");
	assert_int_equal(send(sock, frame, sizeof(frame), 0), sizeof(frame));
	do {
		fdl_release(&pkt, 1);
		assert_true(fdl_poll(ep, 30000) > 0);
		if (fdl_recv(fdl_get_queue(ep, 0), &pkt, 1) != 1)
			pkt = NULL;
	} while (!pkt || memcmp(pkt->data, frame, 14));
	fdl_release(&pkt, 1);
	close(sock);
	fdl_endpoint_free(ep);
	fd = make_tun("op4", IFF_TAP | IFF_NO_PI);
	assert_return_code(ioctl(fd, TUNSETPERSIST, 0), 0);
	close(fd);
}

static void devices_of_several_queues(void **state)
{
	const int flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;
	int fd = make_tun("op4", flags);
	struct fdl_endpoint *ep;
	struct fdl_info info;

	(void)state;
	expect_probe("tap:op4", &info);
	assert_true(info.multi_queue);
	assert_int_equal(info.queues, 1);
	expect_refused("tap:op4", -EBUSY, "op4 is busy");
	assert_return_code(ioctl(fd, TUNSETPERSIST, 1), 0);
	close(fd);
	expect_probe("tap:op4", &info);
	assert_int_equal(info.queues, 0);
	assert_int_equal(open_it(&ep, "tap:op4", 0, 0), 0);
	fdl_endpoint_free(ep);
	fd = make_tun("op4", flags);
	assert_return_code(ioctl(fd, TUNSETPERSIST, 0), 0);
	close(fd);
}

static void packet_sockets(void **state)
{
	int tap = make_tun("op5", IFF_TAP | IFF_NO_PI);
	struct fdl_endpoint *ep;
	struct fdl_info info;

	(void)state;
	set_up("op5", true);
	assert_int_equal(open_it(&ep, "packet:op5,promisc", 0, 0), 0);
	assert_int_equal(said.lines, 0);
	assert_int_equal(fdl_mtu(ep), 1500);
	assert_int_equal(fdl_max_header_len(ep), 14);
	expect_probe("packet:op5", &info);
	assert_true(info.up && info.device);
	assert_int_equal(info.queues, 1);
	fdl_endpoint_free(ep);
	close(tap);
}

static void other_namespaces(void **state)
{
	int home = open_own_netns(), there;
	struct fdl_endpoint *ep;
	struct fdl_info info;
	struct fdl_stats stats;
	char locator[64];

	(void)state;
	assert_true(enter_new_netns());
	there = open_own_netns();
	assert_int_equal(setns(home, CLONE_NEWNET), 0);
	snprintf(locator, sizeof(locator),
		 "tap:op6,netns=/proc/self/fd/%d,mtu=1300", there);
	expect_no_probe(locator, -ENODEV, "no such device yet");
	assert_int_equal(open_it(&ep, locator, 0, 0), 0);
	assert_int_equal(said.lines, 0);
	assert_int_equal(fdl_mtu(ep), 1300);
	assert_int_equal(if_nametoindex("op6"), 0);
	expect_no_probe("tap:op6", -ENODEV, "no such device yet");
	expect_probe(locator, &info);
	assert_int_equal(info.mtu, 1300);
	assert_int_equal(fdl_get_stats(ep, &stats, sizeof(stats)), 0);
	fdl_endpoint_free(ep);
	snprintf(locator, sizeof(locator), "packet:x,netns=/proc/self/fd/%d",
		 there);
	expect_refused(locator, -ENODEV, "packet:x: no such interface");
	expect_refused("tap:op6,netns=op-none", -ENOENT,
		       "no such network namespace");
	expect_refused("tap:op6,netns=/dev/null", -EINVAL, "namespace");
	close(there);
	close(home);
}

/* In a child that may do nothing any more. Returns what fdl_open does. */
static int open_unprivileged(const char *locator, char *text, size_t size)
{
	struct fdl_endpoint *ep;
	int p[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		status = setuid(NOBODY) ? 0 : open_it(&ep, locator, 0, 0);
		_exit(write(p[1], said.text, strlen(said.text)) < 0 ? 0 :
								      -status);
	}
	close(p[1]);
	n = read(p[0], text, size - 1);
	text[n < 0 ? 0 : n] = '\0';
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return -WEXITSTATUS(status);
}

/* A device of the user's own does not help who may not open that file. */
static void missing_permission(void **state)
{
	static const char for_all[] = "run as root, or create the device";
	static const char for_root[] = "run as root, or 'chmod a+rw "
				       "/dev/net/tun' and create the device";
	char text[512];
	struct stat st;
	bool open_to_all;
	int err;

	(void)state;
	if (setegid(NOBODY) || setegid(0)) {
		print_message("lacks: a second user to become\n");
		skip();
	}
	assert_int_equal(stat("/dev/net/tun", &st), 0);
	open_to_all = st.st_mode & S_IWOTH;
	err = open_unprivileged("tap:op7", text, sizeof(text));
	assert_int_equal(err, open_to_all ? -EPERM : -EACCES);
	assert_non_null(strstr(text, "op7: not permitted to"));
	assert_non_null(strstr(text, open_to_all ? for_all : for_root));
	assert_non_null(strstr(text, "create the device for your user with "
				     "'ip tuntap add op7 mode tap user UID'"));
	err = open_unprivileged("packet:lo", text, sizeof(text));
	assert_int_equal(err, -EPERM);
	assert_non_null(strstr(text, "not permitted to open an AF_PACKET"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taps_are_made_and_go),
		cmocka_unit_test(files_for_another_process),
		cmocka_unit_test(a_stack_that_takes_tunnels_is_offered_them),
		cmocka_unit_test(taps_without_a_carrier),
		cmocka_unit_test(what_is_not_there_has_a_medium),
		cmocka_unit_test(tuns),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(persistent_devices_start_afresh),
		cmocka_unit_test(persistent_devices_filter_nothing),
		cmocka_unit_test(devices_of_several_queues),
		cmocka_unit_test(packet_sockets),
		cmocka_unit_test(other_namespaces),
		cmocka_unit_test(missing_permission),
	};

	if (!have_network())
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
