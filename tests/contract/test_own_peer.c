/* SPDX-License-Identifier: Apache-2.0 */
/* A link does not become its own peer, and does not keep the peer's port. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "netns.h"

enum {
	PORT = 40000,
	TRY_MS = 500,		/* in which the link tries more than once */
};

static char dir[] = "/tmp/fdlink-test.XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

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

/* Returns what is at "name" of the directory of the test; two results last. */
static const char *in_dir(const char *form, const char *name)
{
	static char text[2][256];
	static unsigned i;

	i = !i;
	snprintf(text[i], sizeof(text[i]), form, dir, name, dir);
	return text[i];
}

static int bind_there(const char *path)
{
	struct sockaddr_un there = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(strlen(path) < sizeof(there.sun_path));
	strcpy(there.sun_path, path);
	assert_int_equal(bind(fd, (const void *)&there, sizeof(there)), 0);
	return fd;
}

static void send_there(int fd, const char *path)
{
	struct sockaddr_un there = { .sun_family = AF_UNIX };
	static const uint8_t frame[60];

	strcpy(there.sun_path, path);
	assert_int_equal(sendto(fd, frame, sizeof(frame), 0,
				(const void *)&there, sizeof(there)),
			 sizeof(frame));
}

static void unixgram_by_another_spelling_is_refused(void **state)
{
	static const char *const forms[] = {
		"unixgram:%s/%s,local=%s/./own",
		"unixgram:%s/%s,local=%s//own,reconnect",
		"unixgram:%s/./%s,local=%s/own,listen",
	};
	struct fdl_endpoint *ep;
	size_t i;

	(void)state;
	assert_int_equal(symlink("own", in_dir("%s/%s", "link")), 0);
	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		assert_int_equal(fdl_open(&ep, in_dir(forms[i], "own"), NULL),
				 -EINVAL);
		assert_int_equal(fdl_open(&ep, in_dir(forms[i], "link"), NULL),
				 -EINVAL);
	}
	assert_int_equal(access(in_dir("%s/%s", "own"), F_OK), -1);
	assert_int_equal(unlink(in_dir("%s/%s", "link")), 0);
}

/* The name leads to this end for a while, and to a peer then. */
static void unixgram_waits_for_another(void **state)
{
	const long long end = netns_now_ms() + TRY_MS;
	struct fdl_endpoint *ep;
	int fd;

	(void)state;
	assert_int_equal(
		fdl_open(
			&ep,
			in_dir("unixgram:%s/%s,local=%s/own,reconnect", "peer"),
			NULL),
		0);
	assert_int_equal(symlink("own", in_dir("%s/%s", "peer")), 0);
	while (netns_now_ms() < end) {
		turn(ep, 10);
		assert_false(has_peer(ep));
	}
	assert_int_equal(unlink(in_dir("%s/%s", "peer")), 0);
	fd = bind_there(in_dir("%s/%s", "peer"));
	while (!has_peer(ep))
		turn(ep, 100);
	fdl_endpoint_free(ep);
	close(fd);
	assert_int_equal(unlink(in_dir("%s/%s", "peer")), 0);
}

/* Its socket file was moved away, and its name is that of this end now. */
static void a_sender_with_our_name_is_a_stranger(void **state)
{
	const int liar = bind_there(in_dir("%s/%s", "own"));
	struct fdl_stats stats;
	struct fdl_endpoint *ep;

	(void)state;
	assert_int_equal(
		rename(in_dir("%s/%s", "own"), in_dir("%s/%s", "moved")), 0);
	assert_int_equal(
		fdl_open(&ep, in_dir("unixgram:%s/%s,listen", "own"), NULL), 0);
	send_there(liar, in_dir("%s/%s", "own"));
	do {
		turn(ep, 100);
		assert_false(has_peer(ep));
		fdl_get_stats(ep, &stats, sizeof(stats));
	} while (!stats.rx_drop_stranger);
	fdl_endpoint_free(ep);
	close(liar);
	assert_int_equal(unlink(in_dir("%s/%s", "moved")), 0);
}

/* The names are the same, and the directories are not. */
static void a_namesake_is_a_peer(void **state)
{
	const char *other = in_dir("%s/%s", "other");
	struct fdl_endpoint *ep;
	int fd;

	(void)state;
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(chdir(other), 0);
	fd = bind_there("own");
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(
		fdl_open(&ep, "unixgram:other/own,local=own,reconnect", NULL),
		0);
	while (!has_peer(ep))
		turn(ep, 100);
	fdl_endpoint_free(ep);
	close(fd);
	assert_int_equal(unlink("other/own"), 0);
	assert_int_equal(rmdir("other"), 0);
}

int main(int argc, char *argv[])
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_is_refused),
		cmocka_unit_test(a_stream_waits_for_another),
		cmocka_unit_test(udp_is_refused),
		cmocka_unit_test(udp_gets_another_port),
		cmocka_unit_test(unixgram_by_another_spelling_is_refused),
		cmocka_unit_test(unixgram_waits_for_another),
		cmocka_unit_test(a_sender_with_our_name_is_a_stranger),
		cmocka_unit_test(a_namesake_is_a_peer),
	};

	(void)argc;
	netns_enter(argv);
	netns_set_up("lo", true);
	leave_one_port();
	return cmocka_run_group_tests_name("own peer", tests, make_dir,
					   remove_dir);
}
