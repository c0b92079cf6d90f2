/* SPDX-License-Identifier: Apache-2.0 */
/* A macvtap device: a TAP that says less, by its file or by its name. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "flows.h"
#include "link.h"
#include "netns.h"

enum { LEN = 100 };

static const uint8_t its_address[6] = { 0x02, 0, 0, 0, 0, 0x77 };

static void lacking(const char *what)
{
	print_message("skipped: %s: %s\n", what, strerror(errno));
	skip();
}

/* /sys as it is in this network namespace, and a /dev that is empty. */
static bool see_own_devices(void)
{
	return !unshare(CLONE_NEWNS) &&
	       !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("sysfs", "/sys", "sysfs", 0, NULL) &&
	       !mount("none", "/dev", "tmpfs", 0, NULL);
}

static dev_t device_number(const char *name)
{
	char path[128];
	unsigned major = 0, minor = 0;
	FILE *file;
	int n = 0;

	snprintf(path, sizeof(path), "/sys/class/net/%s/tap%u/dev", name,
		 if_nametoindex(name));
	file = fopen(path, "r");
	if (file) {
		n = fscanf(file, "%u:%u", &major, &minor);
		fclose(file);
	}
	if (n != 2)
		lacking("no macvtap in this kernel");
	return makedev(major, minor);
}

/* Give a device the device file that it has, or that of another one. */
static void make_node(const char *name, const char *of)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/tap%u", if_nametoindex(name));
	if (mknod(path, S_IFCHR | 0600, device_number(of)))
		lacking("a device file cannot be made");
}

static void drop_node(const char *name)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/tap%u", if_nametoindex(name));
	assert_int_equal(unlink(path), 0);
}

static void make_device(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "ip link add %s link fdqp address 02:00:00:00:00:77 "
		 "type macvtap mode bridge && ip link set %s up",
		 name, name);
	if (system(command))
		lacking("no macvtap in this kernel");
}

/* By the fd of a file that the test opened. */
static struct fdl_endpoint *open_macvtap(void)
{
	struct fdl_endpoint *ep = NULL;
	char path[32];
	int fd;

	make_device("fdm");
	make_node("fdm", "fdm");
	snprintf(path, sizeof(path), "/dev/tap%u", if_nametoindex("fdm"));
	fd = open(path, O_RDWR | O_CLOEXEC);
	drop_node("fdm");
	if (fd < 0)
		lacking("a device file cannot be opened");
	assert_int_equal(fdl_endpoint_new(&ep, &fd, 1, NULL), 0);
	close(fd);
	return ep;
}

/* By its name. */
static struct fdl_endpoint *open_named(const char *options)
{
	struct fdl_endpoint *ep;
	char locator[64];

	make_device("fdm");
	make_node("fdm", "fdm");
	snprintf(locator, sizeof(locator), "macvtap:fdm%s", options);
	ep = flows_open(locator);
	drop_node("fdm");
	return ep;
}

static void make_frame(uint8_t frame[LEN])
{
	memset(frame, 0x5a, LEN);
	memcpy(frame, its_address, sizeof(its_address));
	memcpy(frame + 6, link_remote, sizeof(link_remote));
	frame[12] = 0x88;
	frame[13] = 0xb5;
}

static void exchange(struct fdl_endpoint *ep)
{
	int sock = flows_socket("fdq", ETH_P_ALL);
	uint8_t frame[LEN], got[LEN + 1];
	struct fdl_packet *pkt = NULL;
	struct iovec iov = { frame, LEN };

	make_frame(frame);
	assert_int_equal(send(sock, frame, LEN, 0), LEN);
	while (fdl_recv(fdl_get_queue(ep, 0), &pkt, 1) != 1)
		assert_true(fdl_poll(ep, WAIT_MS) > 0);
	assert_int_equal(pkt->len, LEN);
	assert_memory_equal(pkt->data, frame, LEN);
	fdl_release(&pkt, 1);
	memcpy(frame, link_remote, sizeof(link_remote));
	memcpy(frame + 6, its_address, sizeof(its_address));
	assert_int_equal(fdl_write(fdl_get_queue(ep, 0), &iov, 1, NULL), 0);
	assert_int_equal(recv(sock, got, sizeof(got), 0), LEN);
	assert_memory_equal(got, frame, LEN);
	close(sock);
}

static void expect_info(struct fdl_endpoint *ep, unsigned hdr_len)
{
	struct fdl_info info;

	fdl_get_info(ep, &info, sizeof(info));
	assert_int_equal(info.kind, FDL_KIND_TAP);
	assert_string_equal(info.kind_name, "macvtap");
	assert_string_equal(info.name, "fdm");
	assert_memory_equal(info.address, its_address, sizeof(its_address));
	assert_int_equal(info.vnet_hdr_len, hdr_len);
}

static void it_is_a_tap_with_a_name_of_its_own(void **state)
{
	struct fdl_endpoint *ep = open_macvtap();

	(void)state;
	expect_info(ep, 10);
	exchange(ep);
	fdl_endpoint_free(ep);
}

static void a_locator_opens_it(void **state)
{
	struct fdl_endpoint *ep = open_named("");

	(void)state;
	expect_info(ep, 10);
	assert_int_equal(fdl_tx_offloads(ep) & FDL_OFFLOAD_TSO4,
			 FDL_OFFLOAD_TSO4);
	exchange(ep);
	fdl_endpoint_free(ep);
}

static void a_locator_opens_it_without_offloads(void **state)
{
	struct fdl_endpoint *ep = open_named(",offload=off");

	(void)state;
	expect_info(ep, 0);
	assert_int_equal(fdl_tx_offloads(ep), 0);
	exchange(ep);
	fdl_endpoint_free(ep);
}

static void a_locator_opens_several_queues(void **state)
{
	struct fdl_endpoint *ep = open_named(",queues=2");

	(void)state;
	assert_int_equal(fdl_queues(ep), 2);
	fdl_endpoint_free(ep);
}

/* Neither opened nor looked up, with these words. */
static void expect_refused(const char *locator, int err, const char *words)
{
	struct fdl_endpoint *ep;
	const struct fdl_options options = { .size = sizeof(options) };
	struct fdl_info info;

	assert_int_equal(flows_open_with(&ep, locator, options), err);
	assert_non_null(strstr(flows_said, words));
	flows_said[0] = '\0';
	assert_int_equal(
		fdl_probe(locator, &info, sizeof(info), flows_say, NULL), err);
	assert_non_null(strstr(flows_said, words));
}

static void what_cannot_be_opened_is_told_with_the_way_out(void **state)
{
	struct fdl_endpoint *ep;
	struct fdl_info info;
	char words[64];

	(void)state;
	expect_refused("macvtap:fdm", -ENODEV,
		       "ip link add fdm link DEVICE type macvtap");
	expect_refused("macvtap:fdq", -EINVAL, "packet:fdq");
	make_device("fdm");
	snprintf(words, sizeof(words), "'mknod /dev/tap%u c MAJOR MINOR'",
		 if_nametoindex("fdm"));
	expect_refused("macvtap:fdm", -ENOENT, words);
	snprintf(words, sizeof(words), "/sys/class/net/fdm/tap%u/dev",
		 if_nametoindex("fdm"));
	assert_non_null(strstr(flows_said, words));
	make_node("fdm", "fdm");
	assert_int_equal(
		fdl_probe("macvtap:fdm", &info, sizeof(info), NULL, NULL), 0);
	assert_string_equal(info.kind_name, "macvtap");
	assert_int_equal(info.vnet_hdr_len, 10);
	assert_true(info.device && info.ethernet);
	ep = flows_open("macvtap:fdm");
	fdl_endpoint_free(ep);
	drop_node("fdm");
}

/* As when another network namespace has a device of that index. */
static void the_file_of_another_device_is_not_taken(void **state)
{
	const struct fdl_options options = { .size = sizeof(options) };
	struct fdl_endpoint *ep;

	(void)state;
	make_device("fdm");
	netns_command("ip link add fdn link fdqp type macvtap mode bridge");
	make_node("fdm", "fdn");
	assert_int_equal(flows_open_with(&ep, "macvtap:fdm", options), -ENODEV);
	assert_non_null(strstr(flows_said, "of another device, fdn"));
	assert_non_null(strstr(flows_said, "hand it over as fd:"));
	drop_node("fdm");
}

static void what_it_had_no_room_for_is_counted(void **state)
{
	const unsigned n = 3000;
	const int room = 64 << 20;
	struct fdl_endpoint *ep = open_macvtap();
	int sock = flows_socket("fdq", 0);
	struct fdl_packet *pkt;
	struct fdl_stats st;
	uint8_t frame[LEN];
	unsigned i, got = 0;

	(void)state;
	/* What is queued counts for its sender. */
	setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	make_frame(frame);
	for (i = 0; i < n; i++)
		assert_int_equal(send(sock, frame, LEN, 0), LEN);
	do {
		while (fdl_recv(fdl_get_queue(ep, 0), &pkt, 1) == 1) {
			fdl_release(&pkt, 1);
			got++;
		}
		fdl_get_stats(ep, &st, sizeof(st));
	} while (got + st.rx_drop_kernel < n && fdl_poll(ep, WAIT_MS) > 0);
	assert_true(st.rx_drop_kernel > 0);
	assert_int_equal(st.rx_packets, got);
	assert_int_equal(got + st.rx_drop_kernel, n);
	close(sock);
	fdl_endpoint_free(ep);
}

static void its_deletion_ends_both_directions(void **state)
{
	struct fdl_endpoint *ep = open_macvtap();
	struct fdl_queue *q = fdl_get_queue(ep, 0);
	uint8_t frame[LEN];
	struct iovec iov = { frame, LEN };
	struct fdl_packet *pkt;
	struct fdl_stats st;
	int err = 0;

	(void)state;
	make_frame(frame);
	netns_command("ip link del fdm");
	while (err == 0 && fdl_poll(ep, WAIT_MS) > 0)
		err = fdl_recv(q, &pkt, 1);
	assert_int_equal(err, -ENODEV);
	assert_int_equal(fdl_write(q, &iov, 1, NULL), -ENODEV);
	assert_int_equal(fdl_alloc(q, &pkt, 1), 1);
	assert_int_equal(fdl_send(q, &pkt, 1), -ENODEV);
	fdl_release(&pkt, 1);
	fdl_get_stats(ep, &st, sizeof(st));
	assert_int_equal(st.tx_packets, 0);
	assert_int_equal(st.tx_drop_other, 1);
	fdl_endpoint_free(ep);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		OVER_VETH(it_is_a_tap_with_a_name_of_its_own),
		OVER_VETH(a_locator_opens_it),
		OVER_VETH(a_locator_opens_it_without_offloads),
		OVER_VETH(a_locator_opens_several_queues),
		OVER_VETH(what_cannot_be_opened_is_told_with_the_way_out),
		OVER_VETH(the_file_of_another_device_is_not_taken),
		OVER_VETH(what_it_had_no_room_for_is_counted),
		OVER_VETH(its_deletion_ends_both_directions),
	};

	(void)argc;
	netns_enter(argv);
	if (!see_own_devices()) {
		fprintf(stderr,
			"skipped: /sys and /dev cannot be mounted: %s\n",
			strerror(errno));
		return EXIT_SKIPPED;
	}
	return cmocka_run_group_tests_name("macvtap", tests, NULL, NULL);
}
