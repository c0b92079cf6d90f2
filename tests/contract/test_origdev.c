/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With PACKET_ORIGDEV the frames of a macvlan name the device below it. They
 * are the macvlan's all the same, also in mode adaptive, with two sockets per
 * queue.
 */
#include <linux/if_packet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "flows.h"
#include "macvlan_bed.h"
#include "netns.h"

enum { MANY = 64 };	/* fds */

/* Whoever has one of them can set it. */
static void set_on_all_sockets(void)
{
	const int on = 1;
	int fd, set = 0;

	for (fd = 0; fd < MANY; fd++)
		set += !setsockopt(fd, SOL_PACKET, PACKET_ORIGDEV, &on,
				   sizeof(on));
	assert_true(set > 0);
}

static void frames_come_by_the_device_below(enum fdl_mode mode)
{
	const struct fdl_options opts = { .mode = mode };
	struct fdl_endpoint *ep;
	int sock = flows_socket("fdq", 0);

	macvlan_make("bridge");
	assert_int_equal(flows_open_with(&ep, "packet:fdm", opts), 0);
	assert_int_equal(fdl_get_mode(ep), mode);
	set_on_all_sockets();
	macvlan_feed(sock, macvlan_own);
	macvlan_expect(ep, macvlan_own);
	fdl_endpoint_free(ep);
	close(sock);
}

static void in_mode_recvmmsg(void **state)
{
	(void)state;
	frames_come_by_the_device_below(FDL_MODE_RECVMMSG);
}

static void in_mode_packet_mmap(void **state)
{
	(void)state;
	frames_come_by_the_device_below(FDL_MODE_PACKET_MMAP);
}

static void in_mode_adaptive(void **state)
{
	(void)state;
	frames_come_by_the_device_below(FDL_MODE_ADAPTIVE);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		OVER_MACVLAN(in_mode_recvmmsg),
		OVER_MACVLAN(in_mode_packet_mmap),
		OVER_MACVLAN(in_mode_adaptive),
	};

	(void)argc;
	netns_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
