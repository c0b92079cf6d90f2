/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints over unix sockets, by address or as an fd that was passed. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/un.h>

#include "open_bed.h"

enum { WAIT_MS = 30000 };

static char dir[] = "/tmp/fdlink-open-XXXXXX";

static const char *in_dir(const char *form, const char *name)
{
	static char text[2][256];
	static int turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), form, dir, name);
	return text[turn];
}

static int listener(int type, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (*path == '@')
		un.sun_path[0] = '\0';
	assert_int_equal(
		bind(fd, (struct sockaddr *)&un,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				 strlen(path))),
		0);
	if (type != SOCK_DGRAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void connect_to(int fd, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int r;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	do { /* bound, but not yet listening */
		r = connect(fd, (struct sockaddr *)&un, sizeof(un));
	} while (r < 0 && errno == ECONNREFUSED);
	assert_int_equal(r, 0);
}

static void expect_received(struct fdl_endpoint *ep, const char *text)
{
	struct fdl_packet *pkt;

	assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_READABLE);
	assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 1);
	assert_int_equal(pkt->len, strlen(text));
	assert_memory_equal(pkt->data, text, pkt->len);
	fdl_release(&pkt, 1);
}

static void expect_written(struct fdl_endpoint *ep, int peer, const char *text)
{
	const struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };
	char buf[64];

	assert_int_equal(fdl_write(fdl_get_queue(ep, 0), &iov, 1, NULL), 0);
	assert_int_equal(recv(peer, buf, sizeof(buf), 0), strlen(text));
	assert_memory_equal(buf, text, strlen(text));
}

static void seqpacket_connects(void **state)
{
	const char *path = in_dir("%s/%s", "seq");
	int fd = listener(SOCK_SEQPACKET, path), peer;
	struct fdl_endpoint *ep;
	struct fdl_info info;

	(void)state;
	expect_probe(in_dir("seqpacket:%s/%s", "seq"), &info);
	assert_int_equal(info.kind, FDL_KIND_SEQPACKET);
	expect_no_probe(in_dir("unixgram:%s/%s", "seq"), -EPROTOTYPE,
			"open it as seqpacket:");
	expect_refused(in_dir("unixgram:%s/%s", "seq"), -EPROTOTYPE,
		       "another type");
	assert_int_equal(open_it(&ep, in_dir("seqpacket:%s/%s", "seq"), 0, 0),
			 0);
	assert_int_equal(fdl_mtu(ep), 1500);
	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_int_equal(send(peer, "hello", 5, 0), 5);
	expect_received(ep, "hello");
	expect_written(ep, peer, "world");
	fdl_endpoint_free(ep);
	assert_int_equal(access(in_dir("%s/%s", "seq"), F_OK), 0);
	close(peer);
	close(fd);
	expect_refused(in_dir("seqpacket:%s/%s", "seq"), -ECONNREFUSED,
		       "nobody listens there");
	expect_no_probe(in_dir("seqpacket:%s/%s", "seq"), -ECONNREFUSED,
			"nobody listens there");
	assert_int_equal(unlink(in_dir("%s/%s", "seq")), 0);
}

static void peers_can_agree_on_offloads(void **state)
{
	static const char message[] = "\0\0\0\0\0\0\0\0\0\0hello";
	int fd = listener(SOCK_SEQPACKET, in_dir("%s/%s", "off")), peer;
	struct fdl_endpoint *ep, *const before = (void *)&said;
	struct fdl_info info;

	(void)state;
	expect_probe(in_dir("seqpacket:%s/%s", "off"), &info);
	assert_non_null(fdl_offload_refusal(&info, FDL_OFFLOAD_TSO4));
	expect_probe(in_dir("seqpacket:%s/%s,offload=on", "off"), &info);
	assert_null(fdl_offload_refusal(&info, FDL_OFFLOAD_TSO4));
	assert_int_equal(
		open_it(&ep, in_dir("seqpacket:%s/%s,offload=on", "off"), 0, 0),
		0);
	assert_int_equal(fdl_tx_offloads(ep) & TCP_OFFLOADS, TCP_OFFLOADS);
	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_int_equal(send(peer, message, sizeof(message) - 1, 0),
			 sizeof(message) - 1);
	expect_received(ep, "hello");
	fdl_endpoint_free(ep);
	ep = before;
	assert_int_equal(open_it(&ep,
				 in_dir("seqpacket:%s/%s,offload=off", "off"),
				 0, FDL_VNET_HDR),
			 -EINVAL);
	expect_said(&said, "contradict");
	assert_ptr_equal(ep, before);
	close(peer);
	close(fd);
	assert_int_equal(unlink(in_dir("%s/%s", "off")), 0);
}

static void unix_refusals(void **state)
{
	int fd = listener(SOCK_STREAM, in_dir("%s/%s", "stream"));

	(void)state;
	expect_refused(in_dir("seqpacket:%s/%s", "none"), -ENOENT,
		       "start the peer first");
	expect_no_probe(in_dir("unixgram:%s/%s", "none"), -ENOENT,
			"start the peer first");
	expect_refused(in_dir("seqpacket:%s/%s", "stream"), -EPROTOTYPE,
		       "a stream keeps no packet boundaries");
	expect_no_probe(in_dir("seqpacket:%s/%s", "stream"), -EPROTOTYPE,
			"is a stream socket");
	expect_refused(in_dir("seqpacket:%s/%s,listen", "stream"), -EADDRINUSE,
		       "cannot bind to it");
	expect_no_probe(in_dir("seqpacket:%s/%s,listen", "stream"), -EADDRINUSE,
			"is taken");
	expect_no_probe("seqpacket:/dev/null", -ECONNREFUSED, "is no socket");
	expect_refused("seqpacket:@fdlink-open-none", -ECONNREFUSED,
		       "nobody listens");
	expect_refused("seqpacket:/proc/x/y,listen", -ENOENT,
		       "cannot bind to it");
	expect_no_probe("seqpacket:/proc/x/y,listen", -ENOENT, "make it first");
	expect_no_probe("seqpacket:/dev/null/y,listen", -ENOTDIR,
			"make it first");
	expect_no_probe("seqpacket:/dev/null/y", -ENOTDIR, "give the path");
	expect_refused("unixgram:/run/x,local=/run/x", -EINVAL, "of its own");
	expect_no_probe("unixgram:@x,local=@x,listen", -EINVAL, "of its own");
	close(fd);
	assert_int_equal(unlink(in_dir("%s/%s", "stream")), 0);
}

static void abstract_addresses(void **state)
{
	int fd = listener(SOCK_SEQPACKET, "@fdlink-open-abs");
	struct fdl_endpoint *ep;
	struct fdl_info info;

	(void)state;
	expect_probe("seqpacket:@fdlink-open-abs", &info);
	assert_int_equal(open_it(&ep, "seqpacket:@fdlink-open-abs", 0, 0), 0);
	fdl_endpoint_free(ep);
	close(fd);
}

/* An endpoint that listens, on a thread. */
struct waiter {
	pthread_t thread;
	char locator[256];
	struct fdl_endpoint *ep;
	int err;
};

static void *wait_for_peer(void *arg)
{
	struct waiter *w = arg;

	w->err = open_it(&w->ep, w->locator, 0, 0);
	return NULL;
}

static void start_waiter(struct waiter *w, const char *form, const char *name)
{
	const char *path = in_dir("%s/%s", name);

	memset(w, 0, sizeof(*w));
	snprintf(w->locator, sizeof(w->locator), "%s", in_dir(form, name));
	assert_int_equal(pthread_create(&w->thread, NULL, wait_for_peer, w), 0);
	for (int i = 0; i < WAIT_MS && access(path, F_OK); i++)
		poll(NULL, 0, 1);
	assert_int_equal(access(path, F_OK), 0);
}

static void seqpacket_listens(void **state)
{
	const char *path;
	struct fdl_info info;
	struct waiter w;
	int fds = count_fds(), peer;

	(void)state;
	expect_probe(in_dir("seqpacket:%s/%s,listen", "lis"), &info);
	start_waiter(&w, "seqpacket:%s/%s,listen,wait", "lis");
	path = in_dir("%s/%s", "lis");
	peer = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	connect_to(peer, path);
	pthread_join(w.thread, NULL);
	assert_int_equal(w.err, 0);
	assert_int_equal(send(peer, "in", 2, 0), 2);
	expect_received(w.ep, "in");
	expect_written(w.ep, peer, "out");
	assert_int_equal(access(path, F_OK), 0);
	fdl_endpoint_free(w.ep);
	assert_int_equal(access(path, F_OK), -1);
	close(peer);
	assert_int_equal(count_fds(), fds);
}

static void unixgram_connects_and_can_be_answered(void **state)
{
	int fd = listener(SOCK_DGRAM, in_dir("%s/%s", "gram"));
	struct sockaddr_un from;
	socklen_t len = sizeof(from);
	struct fdl_endpoint *ep;
	struct iovec iov = { (void *)(uintptr_t) "ask", 3 };
	char buf[16];

	(void)state;
	assert_int_equal(open_it(&ep, in_dir("unixgram:%s/%s", "gram"), 0, 0),
			 0);
	assert_int_equal(fdl_write(fdl_get_queue(ep, 0), &iov, 1, NULL), 0);
	assert_int_equal(recvfrom(fd, buf, sizeof(buf), 0,
				  (struct sockaddr *)&from, &len),
			 3);
	assert_int_equal(
		sendto(fd, "answer", 6, 0, (struct sockaddr *)&from, len), 6);
	expect_received(ep, "answer");
	fdl_endpoint_free(ep);
	close(fd);
	assert_int_equal(unlink(in_dir("%s/%s", "gram")), 0);
}

static void unixgram_with_an_address_of_its_own(void **state)
{
	int fd = listener(SOCK_DGRAM, in_dir("%s/%s", "gram"));
	const char *mine = in_dir("%s/%s", "mine");
	struct fdl_endpoint *ep;
	char locator[256];

	(void)state;
	snprintf(locator, sizeof(locator), "unixgram:%s/gram,local=%s", dir,
		 mine);
	assert_int_equal(open_it(&ep, locator, 0, 0), 0);
	assert_int_equal(access(mine, F_OK), 0);
	expect_written(ep, fd, "to the peer");
	fdl_endpoint_free(ep);
	assert_int_equal(access(mine, F_OK), -1);
	close(fd);
	expect_refused(locator, -ECONNREFUSED, "nobody listens");
	assert_int_equal(access(mine, F_OK), -1);
	assert_int_equal(unlink(in_dir("%s/%s", "gram")), 0);
}

static void unixgram_listens_for_the_first_who_can_be_answered(void **state)
{
	struct waiter w;
	int deaf, peer;

	(void)state;
	start_waiter(&w, "unixgram:%s/%s,listen,wait", "glis");
	deaf = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	connect_to(deaf, in_dir("%s/%s", "glis"));
	assert_int_equal(send(deaf, "nobody", 6, 0), 6);
	close(deaf);
	peer = listener(SOCK_DGRAM, in_dir("%s/%s", "gpeer"));
	connect_to(peer, in_dir("%s/%s", "glis"));
	assert_int_equal(send(peer, "first", 5, 0), 5);
	pthread_join(w.thread, NULL);
	assert_int_equal(w.err, 0);
	assert_int_equal(said.lines, 1);
	assert_int_equal(said.errors, 0);
	assert_non_null(strstr(said.text, "cannot be answered"));
	expect_received(w.ep, "first");
	expect_written(w.ep, peer, "back");
	fdl_endpoint_free(w.ep);
	assert_int_equal(access(in_dir("%s/%s", "glis"), F_OK), -1);
	close(peer);
	assert_int_equal(unlink(in_dir("%s/%s", "gpeer")), 0);
}

static void do_nothing(int sig)
{
	(void)sig;
}

static void signals_end_the_wait(void **state)
{
	struct sigaction sa = { .sa_handler = do_nothing };
	static const char *const forms[] = { "seqpacket:%s/%s,listen,wait",
					     "unixgram:%s/%s,listen,wait" };
	struct waiter w;
	struct timespec until;

	(void)state;
	assert_int_equal(sigaction(SIGUSR1, &sa, NULL), 0);
	for (int i = 0; i < 2; i++) {
		start_waiter(&w, forms[i], "sig");
		do {
			pthread_kill(w.thread, SIGUSR1);
			clock_gettime(CLOCK_REALTIME, &until);
			until.tv_nsec += 1000000;
			if (until.tv_nsec >= 1000000000) {
				until.tv_nsec -= 1000000000;
				until.tv_sec++;
			}
		} while (pthread_timedjoin_np(w.thread, NULL, &until));
		assert_int_equal(w.err, -EINTR);
		expect_said(&said, "waiting for a peer ended");
		assert_int_equal(access(in_dir("%s/%s", "sig"), F_OK), -1);
	}
}

static void fds_stay_the_callers(void **state)
{
	struct fdl_endpoint *ep;
	struct fdl_info info;
	char locator[32];
	int sv[2];

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	snprintf(locator, sizeof(locator), "fd:%d", sv[0]);
	expect_probe(locator, &info);
	assert_int_equal(open_it(&ep, locator, 0, 0), 0);
	expect_written(ep, sv[1], "through");
	fdl_endpoint_free(ep);
	assert_int_equal(fcntl(sv[0], F_GETFD), FD_CLOEXEC);
	close(sv[0]);
	close(sv[1]);
	expect_refused(locator, -EBADF, "is not open");
	expect_no_probe(locator, -EBADF, "is not open");
}

/* Nobody is there who could be sent to. */
static void fds_without_a_peer(void **state)
{
	static const struct {
		int family, type, err;
		const char *words;
	} bad[] = {
		{ AF_UNIX, SOCK_DGRAM, -ENOTCONN, "unix socket that is not" },
		{ AF_UNIX, SOCK_SEQPACKET, -ENOTCONN, "unix socket that is" },
		/* No way is told that leads to the next refusal. */
		{ AF_UNIX, SOCK_STREAM, -ENOTCONN,
		  "send to: have it wait for its peer by listen(2)" },
		{ AF_UNIX, SOCK_SEQPACKET, -ENOTCONN, "for one by listen(2)" },
		{ AF_UNIX, SOCK_DGRAM, -ENOTCONN, "for one by bind(2)" },
		{ AF_INET, SOCK_DGRAM, -ENOTCONN,
		  "an IPv4 socket that is not" },
		{ AF_INET6, SOCK_DGRAM, -ENOTCONN, "an IPv6 socket that is" },
		{ AF_NETLINK, SOCK_DGRAM, -EPROTOTYPE, "netlink" },
	};
	char locator[32];
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		fd = socket(bad[i].family, bad[i].type | SOCK_CLOEXEC, 0);
		assert_true(fd >= 0);
		snprintf(locator, sizeof(locator), "fd:%d", fd);
		expect_refused(locator, bad[i].err, bad[i].words);
		expect_no_probe(locator, bad[i].err, bad[i].words);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seqpacket_connects),
		cmocka_unit_test(peers_can_agree_on_offloads),
		cmocka_unit_test(unix_refusals),
		cmocka_unit_test(abstract_addresses),
		cmocka_unit_test(seqpacket_listens),
		cmocka_unit_test(unixgram_connects_and_can_be_answered),
		cmocka_unit_test(unixgram_with_an_address_of_its_own),
		cmocka_unit_test(
			unixgram_listens_for_the_first_who_can_be_answered),
		cmocka_unit_test(signals_end_the_wait),
		cmocka_unit_test(fds_stay_the_callers),
		cmocka_unit_test(fds_without_a_peer),
	};
	int failed;

	if (!have_network())
		return SKIPPED;
	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return rmdir(dir) || failed;
}
