/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With PACKET_ORIGDEV the frames of a macvlan name the device below it. They are
 * the macvlan's all the same, also in mode adaptive, with two sockets per queue.
 */
#include <linux/if_packet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "flows.h"
#include "link.h"
#include "netns.h"

enum {
	LEN = 60,
	TYPE = 0x88b5,
	MANY = 64,		/* fds */
};

static const uint8_t own[6] = { 0x02, 0, 0, 0, 0, 0x77 };

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

static void feed(int sock)
{
	uint8_t frame[LEN] = { 0 };

	memcpy(frame, own, sizeof(own));
	memcpy(frame + 6, link_remote, 6);
	frame[12] = TYPE >> 8;
	frame[13] = TYPE & 0xff;
	assert_int_equal(send(sock, frame, LEN, 0), LEN);
}

/* The kernel says something of itself at times. */
static void expect(struct fdl_endpoint *ep)
{
	struct fdl_packet *pkt = NULL;

	while (!pkt || pkt->protocol != TYPE) {
		fdl_release(&pkt, 1);
		pkt = NULL;
		if (fdl_recv(fdl_get_queue(ep, 0), &pkt, 1) != 1)
			assert_true(fdl_poll(ep, WAIT_MS) > 0);
	}
	assert_memory_equal(pkt->data, own, sizeof(own));
	fdl_release(&pkt, 1);
}

static void frames_come_by_the_device_below(enum fdl_mode mode)
{
	const struct fdl_options opts = { .mode = mode };
	struct fdl_endpoint *ep;
	int sock = flows_socket("fdq", 0);

	netns_command("ip link add fdm link fdqp address 02:00:00:00:00:77 "
		      "type macvlan mode bridge && ip link set fdm up");
	assert_int_equal(flows_open_with(&ep, "packet:fdm", opts), 0);
	assert_int_equal(fdl_get_mode(ep), mode);
	set_on_all_sockets();
	feed(sock);
	expect(ep);
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

static int drop_all(void **state)
{
	if (netns_has("fdm"))
		netns_command("ip link del fdm");
	return flows_drop_veth(state);
}

#define OVER_MACVLAN(f) \
	cmocka_unit_test_setup_teardown(f, flows_make_veth, drop_all)

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
