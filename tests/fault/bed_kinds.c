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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "bed_lives.h"
#include "bed_pair.h"
#include "macvtap.h"
#include "netns.h"

enum {
	ALL = 10000,		/* runs */
};

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

static void set_up_lo(struct bed *b)
{
	(void)b;
	netns_set_up("lo", true);
}

static void call_port_when_awaited(void *arg)
{
	meet_port(arg);
}

static void will_call_port(struct bed *b)
{
	set_up_lo(b);
	fault_on_wait(call_port_when_awaited, b);
}

static void stay(struct bed *b)
{
	(void)b;
}

static void have_device(struct bed *b)
{
	if (b->link.peer < 0)
		meet_device(b);
}

static void have_veth(struct bed *b)
{
	if (b->link.peer < 0)
		meet_veth(b);
}

/* The first datagram says who the peer is; the first again, where that one
 * could not be answered. */
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

/* What comes after it finds the endpoint also where that could not answer. */
static void say_hello(struct bed *b)
{
	b->link.peer = unix_socket(b, b->local);
	assert_int_equal(connect_unix(b->link.peer, b->path), 0);
	assert_int_equal(send(b->link.peer, "VFKT", 4, 0), 4);
	b->hellos = 1;
}

static void hear_hello(struct bed *b)
{
	b->link.kind->met(&b->link);
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
	  .locator = "seqpacket:%2$s,listen", .meet = meet_path,
	  .end = hang_up, .binds = true, .most = ALL },
	{ .name = "stream-later", .base = "seqpacket", .make = make_paths,
	  .locator = "stream:%2$s,listen", .meet = meet_path,
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
	{ .name = "vfkit-later", .base = "dgram", .make = make_paths,
	  .locator = "unixgram:%2$s,vfkit,listen", .opened = say_hello,
	  .end = hang_up, .binds = true, .most = ALL },
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
	{ .name = "stream-tcp-listen", .base = "seqpacket", .make = make_paths,
	  .locator = "stream:127.0.0.1:7002,listen,wait",
	  .begin = will_call_port, .end = hang_up, .most = ALL },
	{ .name = "pair", .base = "seqpacket", .make = make_paths,
	  .locator = "pair:walk", .begin = pair_begin,
	  .opened = pair_take_end, .end = pair_end, .most = ALL },
	{ .name = "pair-second", .base = "seqpacket", .make = make_paths,
	  .locator = "pair:walk", .begin = pair_begin_first,
	  .end = pair_end, .most = ALL },
	{ .name = "null", .base = "dgram", .make = make_paths,
	  .locator = "null:", .silent = true, .most = ALL },
	/* Links that last. */
	{ .name = "seqpacket-lasting", .base = "seqpacket", .make = make_paths,
	  .locator = "seqpacket:%2$s,listen,reconnect", .meet = meet_path,
	  .part = part_socket, .end = hang_up, .binds = true,
	  .forgiving = true, .most = ALL },
	{ .name = "seqpacket-reconnect", .base = "seqpacket",
	  .make = make_listener, .locator = "seqpacket:%3$s,reconnect",
	  .meet = meet_caller, .part = part_socket, .end = hang_up,
	  .forgiving = true, .most = ALL },
	{ .name = "stream-lasting", .base = "seqpacket", .make = make_paths,
	  .locator = "stream:%2$s,listen,reconnect", .meet = meet_path,
	  .part = part_socket, .end = hang_up, .binds = true,
	  .forgiving = true, .most = ALL },
	{ .name = "stream-reconnect", .base = "seqpacket",
	  .make = make_listener, .locator = "stream:%3$s,reconnect",
	  .meet = meet_caller, .part = part_socket, .end = hang_up,
	  .forgiving = true, .most = ALL },
	{ .name = "stream-tcp-lasting", .base = "seqpacket", .make = make_paths,
	  .locator = "stream:127.0.0.1:7002,listen,reconnect",
	  .begin = set_up_lo, .meet = meet_port, .part = part_socket,
	  .end = hang_up, .forgiving = true, .most = 150 },
	{ .name = "stream-tcp-reconnect", .base = "seqpacket",
	  .make = make_tcp, .locator = "stream:127.0.0.1:7001,reconnect",
	  .meet = meet_caller, .part = part_socket, .end = hang_up,
	  .forgiving = true, .most = 150 },
	{ .name = "unixgram-lasting", .base = "dgram", .make = make_paths,
	  .locator = "unixgram:%3$s,local=%2$s,listen", .meet = meet_name,
	  .part = part_socket, .end = end_name, .binds = true,
	  .forgiving = true, .most = ALL },
	{ .name = "unixgram-reconnect", .base = "dgram", .make = make_paths,
	  .locator = "unixgram:%3$s,local=%2$s,reconnect", .meet = meet_name,
	  .part = part_socket, .end = end_name, .binds = true,
	  .forgiving = true, .most = ALL },
	{ .name = "vfkit-reconnect", .base = "vfkit", .make = make_paths,
	  .locator = "unixgram:%3$s,vfkit,reconnect", .meet = meet_hello,
	  .part = part_socket, .end = end_name, .forgiving = true,
	  .most = ALL },
	{ .name = "udp-reconnect", .base = "udp", .make = make_udp,
	  .locator = "udp:127.0.0.1:7001,local=127.0.0.1:7002,reconnect",
	  .meet = stay, .forgiving = true, .most = ALL },
	{ .name = "tap-reconnect", .base = "tap", .make = make_device,
	  .locator = "tap:%1$s,reconnect", .begin = have_device,
	  .meet = meet_device, .part = part_device, .end = end_name,
	  .forgiving = true, .most = 100 },
	{ .name = "tap-reopened", .base = "tap", .make = make_device,
	  .locator = "tap:%1$s,reconnect", .begin = have_device,
	  .meet = meet_device, .part = part_device, .end = end_name,
	  .outside = true, .forgiving = true, .most = 100 },
	{ .name = "packet-reconnect", .base = "packet", .make = make_given,
	  .locator = "packet:%1$s,reconnect", .mode = FDL_MODE_RECVMMSG,
	  .begin = have_veth, .meet = meet_veth, .part = part_device,
	  .end = end_name, .forgiving = true, .most = 120 },
	{ .name = "packet-reopened", .base = "packet", .make = make_given,
	  .locator = "packet:%1$s,queues=2,reconnect",
	  .mode = FDL_MODE_RECVMMSG, .begin = have_veth, .meet = meet_veth,
	  .part = part_device, .end = end_name, .outside = true,
	  .lacking = true, .forgiving = true, .most = 300 },
	{ .name = "packet-reopened-adaptive", .base = "packet",
	  .make = make_given, .locator = "packet:%1$s,queues=2,reconnect",
	  .mode = FDL_MODE_ADAPTIVE, .begin = have_veth, .meet = meet_veth,
	  .part = part_device, .end = end_name, .outside = true,
	  .lacking = true, .forgiving = true, .most = 150 },
	{ .name = NULL },
};
/* clang-format on */
