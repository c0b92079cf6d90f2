/* SPDX-License-Identifier: Apache-2.0 */
/* How each is made, and made anew. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "bed.h"
#include "macvtap.h"
#include "netns.h"

enum {
	PORT = 7001,
	OUR_PORT = 7002,
	ALL = 10000,		/* runs */
	MOST_FDS = 64,
};

static int socket_type(const struct bed *b)
{
	if (bed_is_stream(b))
		return SOCK_STREAM;
	return !strncmp(b->kind->name, "seqpacket", 9) ? SOCK_SEQPACKET :
							 SOCK_DGRAM;
}

static struct sockaddr_un unix_name(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	return un;
}

static struct sockaddr_in inet_name(in_port_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static int unix_socket(const struct bed *b, const char *path)
{
	const struct sockaddr_un un = unix_name(path);
	const int fd = socket(AF_UNIX, socket_type(b) | SOCK_CLOEXEC, 0);

	unlink(path);
	assert_int_equal(bind(fd, (const void *)&un, sizeof(un)), 0);
	return fd;
}

static int connect_unix(int fd, const char *path)
{
	const struct sockaddr_un un = unix_name(path);

	return connect(fd, (const void *)&un, sizeof(un));
}

static int make_given(struct bed *b)
{
	(void)b;
	return 0;
}

/* The device is there before it is opened, and stays. */
static int make_device(struct bed *b)
{
	struct link *l = &b->link;
	const char *mode = l->kind->traits & LINK_IP ? "tun" : "tap";

	close(l->fd);
	close(l->peer);
	l->fd = -1;
	while (netns_has(l->dev))
		usleep(1000);
	netns_command("ip tuntap add dev %s mode %s", l->dev, mode);
	netns_set_up(l->dev, true);
	l->peer = link_packet_socket(l->dev);
	return l->peer < 0 ? l->peer : 0;
}

static void await_device(struct bed *b)
{
	netns_wait_running(b->link.dev);
}

static int make_macvtap(struct bed *b)
{
	struct link *l = &b->link;

	close(l->fd);
	close(l->peer);
	l->fd = l->peer = -1;
	while (netns_has(l->dev))
		usleep(1000);
	return macvtap_make(l);
}

/* The socket that is given by its number stays open. */
static int make_numbered(struct bed *b)
{
	snprintf(b->locator, sizeof(b->locator), "fd:%d", b->link.fd);
	return 0;
}

static int make_paths(struct bed *b)
{
	strcpy(b->dir, "/tmp/fdlink-fault.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/ours", b->dir);
	snprintf(b->local, sizeof(b->local), "%s/theirs", b->dir);
	close(b->link.fd);
	close(b->link.peer);
	b->link.fd = b->link.peer = -1;
	return 0;
}

static int make_listener(struct bed *b)
{
	make_paths(b);
	b->listener = unix_socket(b, b->local);
	assert_int_equal(listen(b->listener, 8), 0);
	assert_int_equal(fcntl(b->listener, F_SETFL, O_NONBLOCK), 0);
	return 0;
}

static int make_tcp(struct bed *b)
{
	const struct sockaddr_in name = inet_name(PORT);
	const int on = 1;

	make_paths(b);
	netns_set_up("lo", true);
	b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(b->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(b->listener, (const void *)&name, sizeof(name)),
			 0);
	assert_int_equal(listen(b->listener, 8), 0);
	assert_int_equal(fcntl(b->listener, F_SETFL, O_NONBLOCK), 0);
	return 0;
}

static int make_udp(struct bed *b)
{
	const struct sockaddr_in theirs = inet_name(PORT);
	const struct sockaddr_in ours = inet_name(OUR_PORT);

	make_paths(b);
	b->link.peer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
		bind(b->link.peer, (const void *)&theirs, sizeof(theirs)), 0);
	return connect(b->link.peer, (const void *)&ours, sizeof(ours));
}

static void accept_it(struct bed *b)
{
	const int on = 1;

	b->link.peer = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(b->link.peer >= 0);
	/* Of no effect but on TCP, where a frame is to go at once. */
	setsockopt(b->link.peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void hang_up(struct bed *b)
{
	int fd;

	while (b->listener >= 0 &&
	       (fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(fd);
	if (b->link.peer >= 0)
		close(b->link.peer);
	b->link.peer = -1;
}

static void call_on(struct bed *b)
{
	b->link.peer = socket(AF_UNIX, socket_type(b) | SOCK_CLOEXEC, 0);
	assert_int_equal(connect_unix(b->link.peer, b->path), 0);
}

static void call_when_awaited(void *arg)
{
	call_on(arg);
}

static void will_call(struct bed *b)
{
	fault_on_wait(call_when_awaited, b);
}

/* The first datagram says who the peer is; the first again, where that one could
 * not be answered. */
static void write_to(void *arg)
{
	struct bed *b = arg;
	int queued = 0;

	if (b->link.peer < 0)
		b->link.peer = unix_socket(b, b->local);
	fault_on_wait(write_to, b);
	ioctl(b->link.peer, SIOCOUTQ, &queued);
	if (queued)
		return;
	assert_int_equal(connect_unix(b->link.peer, b->path), 0);
	b->link.rx_offered = 0;
	bed_feed(b);
}

static void write_first(struct bed *b)
{
	write_to(b);
	fault_on_wait(NULL, NULL);
}

static void will_write(struct bed *b)
{
	fault_on_wait(write_to, b);
}

static void bind_peer(struct bed *b)
{
	b->link.peer = unix_socket(b, b->local);
}

static void join_peer(struct bed *b)
{
	assert_int_equal(connect_unix(b->link.peer, b->path), 0);
}

/* Whom it is from, the peer's socket learns by the hello. */
static int make_vfkit(struct bed *b)
{
	strcpy(b->locator, b->link.locator);
	return 0;
}

static void await_hello(struct bed *b)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	assert_int_equal(connect(b->link.peer, &nobody, sizeof(nobody)), 0);
}

static void hear_hello(struct bed *b)
{
	b->link.kind->met(&b->link);
}

/* The kernel's numbers go up to a million, and each would be looked at. */
static void limit_fds(rlim_t most)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = most ? most : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void limit_search(struct bed *b)
{
	(void)b;
	limit_fds(MOST_FDS);
}

/* To which the end is bound that was made first: kind/pair.c. */
static struct sockaddr_un meeting_place(socklen_t *len)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const int n = snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1,
			       "fdlink pair %d walk", (int)getpid());

	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)n);
	return un;
}

/* The end that the library keeps for whoever comes second. */
static void take_other_end(struct bed *b)
{
	socklen_t place_len, len;
	const struct sockaddr_un place = meeting_place(&place_len);
	struct sockaddr_un peer;
	int fd;

	for (fd = 0; fd < MOST_FDS && b->link.peer < 0; fd++) {
		len = sizeof(peer);
		if (!getpeername(fd, (void *)&peer, &len) && len == place_len &&
		    !memcmp(&peer, &place, len))
			b->link.peer = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	assert_true(b->link.peer >= 0);
}

/* Somebody has come first. */
static void make_first_end(struct bed *b)
{
	socklen_t len;
	const struct sockaddr_un place = meeting_place(&len);
	int fds[2];

	limit_search(b);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(bind(fds[0], (const void *)&place, len), 0);
	b->link.peer = fds[0];
	b->listener = fds[1];
}

static void take_ends_away(struct bed *b)
{
	if (b->listener >= 0)
		close(b->listener);
	if (b->link.peer >= 0)
		close(b->link.peer);
	b->listener = b->link.peer = -1;
	limit_fds(0);
}

#define FORCE(name)	(SOL_SOCKET << 16 | (name))

/* clang-format off */
#define GIVEN(kind_name, base_name, how, times)                           \
	{ .name = (kind_name), .base = (base_name), .make = make_given,   \
	  .mode = FDL_MODE_##how, .most = (times) }

const struct bed_kind bed_kinds[] = {
	GIVEN("tap", "tap", READV, ALL),
	GIVEN("tun", "tun", READV, ALL),
	{ .name = "macvtap", .base = "tap", .make = make_macvtap,
	  .mode = FDL_MODE_READV, .most = ALL },
	GIVEN("packet-readv", "veth", READV, ALL),
	GIVEN("packet-recvmmsg", "veth", RECVMMSG, ALL),
	GIVEN("packet-mmap", "veth", PACKET_MMAP, 150),
	GIVEN("seqpacket-readv", "seqpacket", READV, ALL),
	GIVEN("seqpacket-recvmmsg", "seqpacket", RECVMMSG, ALL),
	GIVEN("datagram-readv", "dgram", READV, ALL),
	GIVEN("datagram-recvmmsg", "dgram", RECVMMSG, ALL),
	GIVEN("udp-readv", "udp", READV, ALL),
	GIVEN("udp-recvmmsg", "udp", RECVMMSG, ALL),
	{ .name = "tap-opened", .base = "tap", .make = make_device,
	  .locator = "tap:%1$s,mtu=1400", .opened = await_device,
	  .flags = FDL_COALESCE | FDL_RX_CSUM | FDL_RX_GSO | FDL_GRO,
	  .most = ALL },
	{ .name = "tap-netns", .base = "tap", .make = make_device,
	  .locator = "tap:%1$s,offload=off,netns=/proc/self/ns/net",
	  .opened = await_device, .most = ALL },
	{ .name = "tun-opened", .base = "tun", .make = make_device,
	  .locator = "tun:%1$s", .opened = await_device, .most = ALL },
	{ .name = "packet-opened", .base = "packet", .make = make_given,
	  .locator = "packet:%1$s", .mode = FDL_MODE_ADAPTIVE, .most = 120 },
	{ .name = "packet-auto", .base = "packet", .make = make_given,
	  .locator = "packet:%1$s,queues=2,promisc", .forgiving = true,
	  .most = 100 },
	{ .name = "packet-ring", .base = "packet", .make = make_given,
	  .locator = "packet:%1$s,queues=2", .mode = FDL_MODE_PACKET_MMAP,
	  .most = 100 },
	/* Memory is not moved: what stands in for that can fail as well. */
	{ .name = "packet-ring-unmoved", .base = "packet", .make = make_given,
	  .locator = "packet:%1$s", .mode = FDL_MODE_PACKET_MMAP,
	  .refused = { { FAULT_MOVE_MAP, ON_ANY, ENOMEM } }, .most = 60 },
	/* A user who has the socket or the device, and no privilege. */
	{ .name = "packet-poor", .base = "packet", .make = make_given,
	  .locator = "packet:%1$s", .mode = FDL_MODE_RECVMMSG,
	  .refused = { { FAULT_IOCTL, SIOCGSKNS, EPERM },
		       { FAULT_SETSOCKOPT, FORCE(SO_SNDBUFFORCE), EPERM },
		       { FAULT_SETSOCKOPT, FORCE(SO_RCVBUFFORCE), EPERM } },
	  .most = ALL },
	{ .name = "tap-poor", .base = "tap", .make = make_given,
	  .refused = { { FAULT_IOCTL, TUNGETDEVNETNS, EPERM } }, .most = ALL },
	{ .name = "packet-loaded", .base = "packet", .make = make_given,
	  .locator = "packet:%1$s", .mode = FDL_MODE_ADAPTIVE, .loaded = true,
	  .most = 60 },
	{ .name = "fd", .base = "seqpacket", .make = make_numbered,
	  .locator = "fd:", .most = ALL },
	{ .name = "seqpacket", .base = "seqpacket", .make = make_listener,
	  .locator = "seqpacket:%3$s", .opened = accept_it, .end = hang_up,
	  .most = ALL },
	{ .name = "seqpacket-listen", .base = "seqpacket", .make = make_paths,
	  .locator = "seqpacket:%2$s,listen,wait", .begin = will_call,
	  .end = hang_up, .binds = true, .most = ALL },
	{ .name = "seqpacket-later", .base = "seqpacket", .make = make_paths,
	  .locator = "seqpacket:%2$s,listen", .opened = call_on,
	  .end = hang_up, .binds = true, .most = ALL },
	{ .name = "stream-later", .base = "seqpacket", .make = make_paths,
	  .locator = "stream:%2$s,listen", .opened = call_on,
	  .end = hang_up, .binds = true, .most = ALL },
	{ .name = "unixgram-later", .base = "dgram", .make = make_paths,
	  .locator = "unixgram:%2$s,listen", .opened = write_first,
	  .end = hang_up, .binds = true, .most = ALL },
	{ .name = "unixgram", .base = "dgram", .make = make_paths,
	  .locator = "unixgram:%3$s,local=%2$s", .begin = bind_peer,
	  .opened = join_peer, .end = hang_up, .binds = true, .most = ALL },
	{ .name = "unixgram-listen", .base = "dgram", .make = make_paths,
	  .locator = "unixgram:%2$s,listen,wait", .begin = will_write,
	  .end = hang_up, .binds = true, .most = ALL },
	{ .name = "vfkit", .base = "vfkit", .make = make_vfkit,
	  .locator = "unixgram:", .begin = await_hello, .opened = hear_hello,
	  .most = ALL },
	{ .name = "udp", .base = "udp", .make = make_udp,
	  .locator = "udp:127.0.0.1:7001,local=127.0.0.1:7002", .most = ALL },
	{ .name = "stream", .base = "seqpacket", .make = make_listener,
	  .locator = "stream:%3$s", .opened = accept_it, .end = hang_up,
	  .most = ALL },
	{ .name = "stream-listen", .base = "seqpacket", .make = make_paths,
	  .locator = "stream:%2$s,listen,wait", .begin = will_call,
	  .end = hang_up, .binds = true, .most = ALL },
	{ .name = "stream-tcp", .base = "seqpacket", .make = make_tcp,
	  .locator = "stream:127.0.0.1:7001", .opened = accept_it,
	  .end = hang_up, .most = ALL },
	{ .name = "pair", .base = "seqpacket", .make = make_paths,
	  .locator = "pair:walk", .begin = limit_search,
	  .opened = take_other_end, .end = take_ends_away, .most = ALL },
	{ .name = "pair-second", .base = "seqpacket", .make = make_paths,
	  .locator = "pair:walk", .begin = make_first_end,
	  .end = take_ends_away, .most = ALL },
	{ .name = "null", .base = "dgram", .make = make_paths,
	  .locator = "null:", .silent = true, .most = ALL },
	{ .name = NULL },
};
/* clang-format on */
