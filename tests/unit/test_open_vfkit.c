/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams as libkrun and vfkit send them: a hello, then frames. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fdlink/offload.h>

#include "open_bed.h"

enum {
	WAIT_MS = 30000,
	LEN = 60,
	MOST = 100,
};

static const char hello[4] = { 'V', 'F', 'K', 'T' };
static char dir[] = "/tmp/fdlink-vfkit-XXXXXX";

static void name_in_dir(struct sockaddr_un *un, const char *name)
{
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	snprintf(un->sun_path, sizeof(un->sun_path), "%s/%s", dir, name);
}

static int bind_peer(const char *name)
{
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un un;

	name_in_dir(&un, name);
	unlink(un.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

/* As a virtual machine does, when it starts. */
static int start_vm(const char *name, const char *to)
{
	const int fd = bind_peer(name);
	struct sockaddr_un un;

	name_in_dir(&un, to);
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(send(fd, hello, sizeof(hello), 0), sizeof(hello));
	return fd;
}

static void drop(const char *name)
{
	struct sockaddr_un un;

	name_in_dir(&un, name);
	assert_int_equal(unlink(un.sun_path), 0);
}

static void make_frame(uint8_t *frame, unsigned seq)
{
	memset(frame, (int)seq, LEN);
	frame[0] = frame[6] = 2;
	frame[12] = 0x88;
	frame[13] = 0xb5;
}

static struct fdl_endpoint *open_link(const char *name, const char *options)
{
	struct fdl_endpoint *ep = NULL;
	char locator[128];

	snprintf(locator, sizeof(locator), "unixgram:%s/%s,vfkit%s", dir, name,
		 options);
	assert_int_equal(open_it(&ep, locator, 0, FDL_ETHERNET), 0);
	assert_int_equal(said.lines, 0);
	return ep;
}

/* The frame of that number is next. */
static void expect_frame(struct fdl_endpoint *ep, unsigned seq)
{
	struct fdl_packet *pkt;
	uint8_t frame[LEN];
	int n = 0;

	make_frame(frame, seq);
	while (!n) {
		assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_READABLE);
		n = fdl_recv(fdl_get_queue(ep, 0), &pkt, 1);
	}
	assert_int_equal(n, 1);
	assert_int_equal(pkt->len, LEN);
	assert_memory_equal(pkt->data, frame, LEN);
	fdl_release(&pkt, 1);
}

static int write_frame(struct fdl_endpoint *ep, unsigned seq)
{
	uint8_t frame[LEN];
	const struct iovec iov = { frame, LEN };

	make_frame(frame, seq);
	return fdl_write(fdl_get_queue(ep, 0), &iov, 1, NULL);
}

static void expect_message(int peer, const void *bytes, size_t len)
{
	uint8_t got[MOST];

	assert_int_equal(recv(peer, got, sizeof(got), 0), len);
	assert_memory_equal(got, bytes, len);
}

static void expect_written(struct fdl_endpoint *ep, int peer, unsigned seq)
{
	uint8_t frame[LEN];

	make_frame(frame, seq);
	assert_int_equal(write_frame(ep, seq), 0);
	expect_message(peer, frame, LEN);
}

static void feed(int peer, unsigned seq)
{
	uint8_t frame[LEN];

	make_frame(frame, seq);
	assert_int_equal(send(peer, frame, LEN, 0), LEN);
}

/* Whoever is connected to says nothing before the hello, and then to its
 * sender. */
static int accept_client(int fd)
{
	struct sockaddr_un from;
	socklen_t len = sizeof(from);
	char got[MOST];

	assert_int_equal(recvfrom(fd, got, sizeof(got), 0,
				  (struct sockaddr *)&from, &len),
			 sizeof(hello));
	assert_memory_equal(got, hello, sizeof(hello));
	return connect(fd, (struct sockaddr *)&from, len);
}

static void who_connects_says_hello_first(void **state)
{
	int fd = bind_peer("switch");
	struct fdl_endpoint *ep = open_link("switch", "");
	struct fdl_info info;

	(void)state;
	fdl_get_info(ep, &info, sizeof(info));
	assert_string_equal(info.kind_name, "vfkit");
	assert_int_equal(accept_client(fd), 0);
	expect_written(ep, fd, 1);
	feed(fd, 2);
	expect_frame(ep, 2);
	fdl_endpoint_free(ep);
	close(fd);
	drop("switch");
}

static void a_peer_that_comes_back_hears_it_again(void **state)
{
	int fd = bind_peer("switch");
	struct fdl_endpoint *ep = open_link("switch", "");
	uint8_t frame[LEN];

	(void)state;
	assert_int_equal(accept_client(fd), 0);
	close(fd);
	assert_int_equal(write_frame(ep, 1), -ECONNREFUSED);
	fd = bind_peer("switch");
	assert_int_equal(write_frame(ep, 2), 0);
	assert_int_equal(accept_client(fd), 0);
	make_frame(frame, 2);
	expect_message(fd, frame, LEN);
	expect_written(ep, fd, 3);
	fdl_endpoint_free(ep);
	close(fd);
	drop("switch");
}

static bool is_readable(int fd)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };

	return poll(&in, 1, 0) > 0;
}

/* Who listens cannot send before it has heard the hello. */
static void a_silent_peer_that_comes_back_hears_it_again(void **state)
{
	struct fdl_endpoint *ep;
	struct fdl_packet *pkt;
	int fd = bind_peer("switch"), next;

	(void)state;
	ep = open_link("switch", ",reconnect");
	assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 0);
	assert_int_equal(accept_client(fd), 0);
	next = bind_peer("switch");
	close(fd);
	while (!is_readable(next)) {
		assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_READABLE);
		assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 0);
	}
	assert_int_equal(accept_client(next), 0);
	expect_written(ep, next, 1);
	fdl_endpoint_free(ep);
	close(next);
	drop("switch");
}

static void a_full_peer_is_told_of(void **state)
{
	const char frame[LEN] = { 0 };
	int fd = bind_peer("switch"), other;
	char locator[128];
	struct sockaddr_un un;

	(void)state;
	other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	name_in_dir(&un, "switch");
	assert_int_equal(connect(other, (struct sockaddr *)&un, sizeof(un)), 0);
	while (send(other, frame, sizeof(frame), 0) > 0)
		;
	snprintf(locator, sizeof(locator), "unixgram:%s/switch,vfkit", dir);
	expect_refused(locator, -EAGAIN, "it reads nothing");
	close(other);
	close(fd);
	drop("switch");
}

/* What a virtual machine sends that starts once somebody listens. It ends well
 * if it is answered with a frame. */
static pid_t start_vm_later(size_t hdr_len)
{
	const pid_t pid = fork();
	uint8_t message[MOST] = { 0 };
	struct sockaddr_un un;
	unsigned i;
	int fd;

	if (pid)
		return pid;
	alarm(WAIT_MS / 1000);
	name_in_dir(&un, "listen");
	while (access(un.sun_path, F_OK))
		poll(NULL, 0, 1);
	fd = start_vm("vm", "listen");
	if (hdr_len)
		message[FDL_VNET_HDR_LEN] = 1;
	for (i = 1; i <= 2; i++) {
		make_frame(message + hdr_len, i);
		send(fd, message, hdr_len + LEN, 0);
		send(fd, hello, sizeof(hello), 0);
		send(fd, "VFKX", 4, 0);
	}
	_exit(recv(fd, message, MOST, 0) != (ssize_t)(hdr_len + LEN));
}

/* What it is in a frame's place is no hello, and is counted. */
static void who_listens_swallows_it(void **state)
{
	static const struct {
		const char *options;
		size_t hdr_len;
	} links[] = { { ",listen", 0 },
		      { ",listen,offload=v1", FDL_VNET_HDR_MRG_LEN } };
	struct fdl_endpoint *ep;
	struct fdl_stats stats;
	struct fdl_packet *pkt;
	int status, i;
	pid_t pid;

	(void)state;
	for (i = 0; i < 2; i++) {
		pid = start_vm_later(links[i].hdr_len);
		ep = open_link("listen", links[i].options);
		expect_frame(ep, 1);
		expect_frame(ep, 2);
		assert_int_equal(write_frame(ep, 3), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 0);
		fdl_get_stats(ep, &stats, sizeof(stats));
		assert_int_equal(stats.rx_packets, 2);
		assert_int_equal(
			i ? stats.rx_drop_vnet_hdr : stats.rx_drop_runt, 2);
		fdl_endpoint_free(ep);
		drop("vm");
	}
}

/* Without the option it is a frame, of a wrong length. */
static void who_was_not_told_counts_it(void **state)
{
	const struct fdl_options options = { .size = sizeof(options),
					     .flags = FDL_ETHERNET };
	struct fdl_endpoint *ep;
	struct fdl_packet *pkt;
	struct fdl_stats stats;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	assert_int_equal(fdl_endpoint_new(&ep, fds, 1, &options), 0);
	assert_int_equal(send(fds[1], hello, sizeof(hello), 0), sizeof(hello));
	assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 0);
	fdl_get_stats(ep, &stats, sizeof(stats));
	assert_int_equal(stats.rx_drop_runt, 1);
	fdl_endpoint_free(ep);
	close(fds[0]);
	close(fds[1]);
}

static void what_it_is_is_told(void **state)
{
	int fd = bind_peer("switch");
	struct fdl_info info;
	char locator[128];

	(void)state;
	snprintf(locator, sizeof(locator), "unixgram:%s/switch,vfkit", dir);
	expect_probe(locator, &info);
	assert_string_equal(info.kind_name, "vfkit");
	assert_int_equal(info.kind, FDL_KIND_DGRAM);
	assert_null(fdl_mode_refusal(&info, FDL_MODE_RECVMMSG));
	assert_int_equal(recv(fd, locator, sizeof(locator), MSG_DONTWAIT), -1);
	expect_refused("seqpacket:/x,vfkit", -EINVAL, "it is for unixgram");
	close(fd);
	drop("switch");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_connects_says_hello_first),
		cmocka_unit_test(a_peer_that_comes_back_hears_it_again),
		cmocka_unit_test(a_silent_peer_that_comes_back_hears_it_again),
		cmocka_unit_test(a_full_peer_is_told_of),
		cmocka_unit_test(who_listens_swallows_it),
		cmocka_unit_test(who_was_not_told_counts_it),
		cmocka_unit_test(what_it_is_is_told),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return rmdir(dir) || failed;
}
