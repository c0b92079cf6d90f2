/* SPDX-License-Identifier: Apache-2.0 */
/* An fd of a macvtap device: a TAP that says less. */
#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
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

/* /sys as it is in this network namespace. */
static bool see_own_devices(void)
{
	return !unshare(CLONE_NEWNS) &&
	       !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("sysfs", "/sys", "sysfs", 0, NULL);
}

static int open_device(void)
{
	char path[] = "/tmp/fdlink-macvtap-XXXXXX/tap";
	char *const slash = strrchr(path, '/');
	unsigned major, minor;
	FILE *file;
	int fd;

	file = popen("cat /sys/class/net/fdm/tap*/dev "
		     "/sys/class/net/fdm/macvtap/tap*/dev 2>/dev/null",
		     "r");
	assert_non_null(file);
	fd = fscanf(file, "%u:%u", &major, &minor);
	pclose(file);
	if (fd != 2)
		lacking("no macvtap in this kernel");
	*slash = '\0';
	assert_non_null(mkdtemp(path));
	*slash = '/';
	fd = -1;
	if (!mknod(path, S_IFCHR | 0600, makedev(major, minor))) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		unlink(path);
	}
	*slash = '\0';
	rmdir(path);
	if (fd < 0)
		lacking("a device file cannot be made");
	return fd;
}

static struct fdl_endpoint *open_macvtap(void)
{
	struct fdl_endpoint *ep = NULL;
	int fd;

	netns_command("ip link add fdm link fdqp address 02:00:00:00:00:77 "
		      "type macvtap mode bridge && ip link set fdm up");
	fd = open_device();
	assert_int_equal(fdl_endpoint_new(&ep, &fd, 1, NULL), 0);
	close(fd);
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

static void it_is_a_tap_with_a_name_of_its_own(void **state)
{
	struct fdl_endpoint *ep = open_macvtap();
	int sock = flows_socket("fdq", ETH_P_ALL);
	uint8_t frame[LEN], got[LEN + 1];
	struct fdl_packet *pkt = NULL;
	struct iovec iov = { frame, LEN };
	struct fdl_info info;

	(void)state;
	fdl_get_info(ep, &info, sizeof(info));
	assert_int_equal(info.kind, FDL_KIND_TAP);
	assert_string_equal(info.kind_name, "macvtap");
	assert_string_equal(info.name, "fdm");
	assert_memory_equal(info.address, its_address, sizeof(its_address));
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
	fdl_endpoint_free(ep);
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
		OVER_VETH(what_it_had_no_room_for_is_counted),
		OVER_VETH(its_deletion_ends_both_directions),
	};

	(void)argc;
	netns_enter(argv);
	if (!see_own_devices()) {
		fprintf(stderr, "skipped: /sys cannot be mounted: %s\n",
			strerror(errno));
		return EXIT_SKIPPED;
	}
	return cmocka_run_group_tests_name("macvtap", tests, NULL, NULL);
}
