/* SPDX-License-Identifier: Apache-2.0 */
/* A link does not become its own peer, and does not keep the peer's port. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "netns.h"

enum {
	PORT = 40000,
	TRY_MS = 500,		/* in which the link tries more than once */
};

/* The kernel has one port to give, and that is the one to connect to. */
static void leave_one_port(void)
{
	netns_command("sysctl -qw net.ipv4.ip_local_port_range='%u %u'", PORT,
		      PORT + 1);
}

/* Without SO_REUSEADDR. */
static int listen_there(void)
{
	const struct sockaddr_in there = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const void *)&there, sizeof(there)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static bool has_peer(struct fdl_endpoint *ep)
{
	struct fdl_link link;

	assert_int_equal(fdl_link_state(ep, &link, sizeof(link)), 0);
	return link.carrier;
}

static void turn(struct fdl_endpoint *ep, int ms)
{
	struct fdl_packet *pkt;

	assert_true(fdl_poll(ep, ms) >= 0);
	assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 0);
}

static void a_stream_is_refused(void **state)
{
	struct fdl_endpoint *ep;

	(void)state;
	assert_int_equal(fdl_open(&ep, "stream:127.0.0.1:40000", NULL),
			 -ECONNREFUSED);
	close(listen_there());
}

static void a_stream_waits_for_another(void **state)
{
	const long long end = netns_now_ms() + TRY_MS;
	struct fdl_endpoint *ep;
	int fd;

	(void)state;
	assert_int_equal(
		fdl_open(&ep, "stream:127.0.0.1:40000,reconnect", NULL), 0);
	while (netns_now_ms() < end) {
		turn(ep, 10);
		assert_false(has_peer(ep));
	}
	fd = listen_there();
	while (!has_peer(ep))
		turn(ep, 100);
	fdl_endpoint_free(ep);
	close(fd);
}

static void udp_is_refused(void **state)
{
	struct fdl_endpoint *ep;

	(void)state;
	assert_int_equal(
		fdl_open(&ep, "udp:127.0.0.1:5000,local=0.0.0.0:5000", NULL),
		-EADDRINUSE);
}

/* The kernel chooses one of two ports, of which one is the peer's. */
static void udp_gets_another_port(void **state)
{
	static uint8_t bytes[60] = { 0x45 };
	const struct iovec frame = { bytes, sizeof(bytes) };
	struct fdl_endpoint *ep;
	int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		assert_int_equal(
			fdl_open(&ep, "udp:127.0.0.1:40000,reconnect", NULL),
			0);
		while (!has_peer(ep))
			turn(ep, 100);
		fdl_write(fdl_get_queue(ep, 0), &frame, 1, NULL);
		turn(ep, 0);
		fdl_endpoint_free(ep);
	}
}

int main(int argc, char *argv[])
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_is_refused),
		cmocka_unit_test(a_stream_waits_for_another),
		cmocka_unit_test(udp_is_refused),
		cmocka_unit_test(udp_gets_another_port),
	};

	(void)argc;
	netns_enter(argv);
	netns_set_up("lo", true);
	leave_one_port();
	return cmocka_run_group_tests_name("own peer", tests, NULL, NULL);
}
