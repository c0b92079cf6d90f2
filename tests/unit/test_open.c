/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints by locator: what is opened, what is refused, what is left behind. */
#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fdlink/open.h>

#include "fd_common.h"

enum { NOBODY = 65534, WAIT_MS = 30000 };

enum {
	TCP_OFFLOADS = FDL_OFFLOAD_CSUM | FDL_OFFLOAD_TSO4 | FDL_OFFLOAD_TSO6,
};

static struct said said;
static char dir[] = "/tmp/fdlink-open-XXXXXX";

static int open_it(struct fdl_endpoint **ep, const char *locator, uint32_t mtu,
		   uint32_t flags)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .mtu = mtu,
					  .flags = flags,
					  .log = said_take,
					  .log_ctx = &said };

	said_forget(&said);
	return fdl_open(ep, locator, &opts);
}

/* Refused with one sentence, *ep untouched, and no fd left open. */
static void expect_refused(const char *locator, int err, const char *words)
{
	struct fdl_endpoint *const before = (void *)&said;
	struct fdl_endpoint *ep = before;
	int fds = count_fds();

	assert_int_equal(open_it(&ep, locator, 0, 0), err);
	expect_said(&said, words);
	assert_ptr_equal(ep, before);
	assert_int_equal(count_fds(), fds);
}

static int probe(const char *locator, struct fdl_info *info)
{
	said_forget(&said);
	return fdl_probe(locator, info, sizeof(*info), said_take, &said);
}

static void expect_no_probe(const char *locator, int err, const char *words)
{
	struct fdl_info info;
	int fds = count_fds();

	assert_int_equal(probe(locator, &info), err);
	expect_said(&said, words);
	assert_int_equal(count_fds(), fds);
}

static void expect_probe(const char *locator, struct fdl_info *info)
{
	int fds = count_fds();

	assert_int_equal(probe(locator, info), 0);
	assert_int_equal(said.lines, 0);
	assert_int_equal(count_fds(), fds);
}

static const char *in_dir(const char *form, const char *name)
{
	static char text[2][256];
	static int turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), form, dir, name);
	return text[turn];
}

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

static void missing_permission(void **state)
{
	char text[512];
	struct stat st;
	int err;

	(void)state;
	if (setegid(NOBODY) || setegid(0)) {
		print_message("lacks: a second user to become\n");
		skip();
	}
	assert_int_equal(stat("/dev/net/tun", &st), 0);
	err = open_unprivileged("tap:op7", text, sizeof(text));
	assert_int_equal(err, st.st_mode & S_IWOTH ? -EPERM : -EACCES);
	assert_non_null(strstr(text, "op7: not permitted to"));
	assert_non_null(strstr(text,
			       "run as root, or create the device for "
			       "your user with 'ip tuntap add op7 mode tap "
			       "user UID'"));
	err = open_unprivileged("packet:lo", text, sizeof(text));
	assert_int_equal(err, -EPERM);
	assert_non_null(strstr(text, "not permitted to open an AF_PACKET"));
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
	start_waiter(&w, "seqpacket:%s/%s,listen", "lis");
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
	start_waiter(&w, "unixgram:%s/%s,listen", "glis");
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
	static const char *const forms[] = { "seqpacket:%s/%s,listen",
					     "unixgram:%s/%s,listen" };
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

/* The pair's first fd is the last one of those passed. */
static void pass_by_name(int fd)
{
	char names[256] = "", text[16];

	for (int i = 3; i < fd; i++)
		strcat(names, "web:");
	strcat(names, "link:more");
	setenv("LISTEN_FDNAMES", names, 1);
	snprintf(text, sizeof(text), "%d", fd - 2);
	setenv("LISTEN_FDS", text, 1);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
}

static void fds_of_systemd(void **state)
{
	struct fdl_info info;
	int sv[2];

	(void)state;
	expect_refused("fd:link", -ENOENT, "no fds were passed");
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sv),
			 0);
	pass_by_name(sv[0]);
	expect_probe("fd:link", &info);
	assert_int_equal(info.kind, FDL_KIND_DGRAM);
	expect_refused("fd:lin", -ENOENT, "link:more");
	expect_refused("fd:more", -ENOENT, "no fd was passed under that name");
	setenv("LISTEN_PID", "1", 1);
	expect_refused("fd:link", -ENOENT, "no fds were passed");
	pass_by_name(sv[0]);
	unsetenv("LISTEN_FDNAMES");
	expect_refused("fd:link", -ENOENT, "which is not set");
	setenv("LISTEN_FDS", "x", 1);
	expect_refused("fd:link", -ENOENT, "no fds were passed");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	close(sv[0]);
	close(sv[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taps_are_made_and_go),
		cmocka_unit_test(tuns),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(persistent_devices_start_afresh),
		cmocka_unit_test(devices_of_several_queues),
		cmocka_unit_test(packet_sockets),
		cmocka_unit_test(other_namespaces),
		cmocka_unit_test(missing_permission),
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
		cmocka_unit_test(fds_of_systemd),
	};
	int failed;

	if (!have_network())
		return SKIPPED;
	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return rmdir(dir) || failed;
}
