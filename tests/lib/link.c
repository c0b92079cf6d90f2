/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "netns.h"

const uint8_t link_local[6] = { 0x02, 0, 0, 0, 0, 0x01 };
const uint8_t link_remote[6] = { 0x02, 0, 0, 0, 0, 0x02 };

int link_packet_socket(const char *dev)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(dev),
	};
	const int room = 8 << 20;
	int fd;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) <
		    0 ||
	    bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

int link_make_tuntap(struct link *l, short flags, unsigned offloads)
{
	struct ifreq ifr = { .ifr_flags = (short)(flags | IFF_NO_PI) };

	l->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (l->fd < 0)
		return -errno;
	memcpy(ifr.ifr_name, l->dev, sizeof(l->dev));
	if (ioctl(l->fd, TUNSETIFF, &ifr) < 0 ||
	    (offloads && ioctl(l->fd, TUNSETOFFLOAD, (long)offloads) < 0))
		return -errno;
	netns_set_up(l->dev, true);
	netns_wait_running(l->dev);
	l->peer = link_packet_socket(l->dev);
	return l->peer < 0 ? l->peer : 0;
}

static int make_tap(struct link *l)
{
	return link_make_tuntap(l, IFF_TAP, 0);
}

static int make_tun(struct link *l)
{
	return link_make_tuntap(l, IFF_TUN, 0);
}

static int make_veth(struct link *l)
{
	netns_command("ip link add %s address 02:00:00:00:00:01 type veth "
		      "peer name %s address 02:00:00:00:00:02",
		      l->dev, l->peer_dev);
	netns_set_up(l->dev, true);
	netns_set_up(l->peer_dev, true);
	netns_wait_running(l->dev);
	netns_wait_running(l->peer_dev);
	l->fd = link_packet_socket(l->dev);
	l->peer = link_packet_socket(l->peer_dev);
	if (l->fd < 0)
		return l->fd;
	return l->peer < 0 ? l->peer : 0;
}

static int make_opened(struct link *l)
{
	int err = make_veth(l);

	close(l->fd);
	l->fd = -1;
	snprintf(l->locator, sizeof(l->locator), "packet:%s", l->dev);
	return err;
}

/* Bind the peer to an abstract address, which the endpoint is to connect to. */
static int make_unix_peer(struct link *l, int type, const char *kind,
			  const char *options)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	socklen_t len;

	snprintf(l->locator, sizeof(l->locator), "%s:@fdlink-%d-%s%s", kind,
		 (int)getpid(), l->dev, options);
	l->dev[0] = '\0';
	len = (socklen_t)(strcspn(strchr(l->locator, '@'), ","));
	memcpy(name.sun_path, strchr(l->locator, '@'), len);
	name.sun_path[0] = '\0';
	len += (socklen_t)offsetof(struct sockaddr_un, sun_path);
	l->peer = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (l->peer < 0 || bind(l->peer, (struct sockaddr *)&name, len))
		return -errno;
	return 0;
}

static int make_vfkit(struct link *l)
{
	return make_unix_peer(l, SOCK_DGRAM, "unixgram", ",vfkit");
}

static int hear_hello(struct link *l)
{
	struct sockaddr_un from;
	socklen_t len = sizeof(from);
	char hello[5];

	if (recvfrom(l->peer, hello, sizeof(hello), MSG_DONTWAIT,
		     (struct sockaddr *)&from, &len) != 4)
		return -EPROTO;
	return connect(l->peer, (struct sockaddr *)&from, len) ? -errno : 0;
}

static int make_pair(struct link *l, int type)
{
	int fds[2];

	l->dev[0] = '\0';
	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	l->fd = fds[0];
	l->peer = fds[1];
	return 0;
}

static int make_seqpacket(struct link *l)
{
	return make_pair(l, SOCK_SEQPACKET);
}

static int make_dgram(struct link *l)
{
	return make_pair(l, SOCK_DGRAM);
}

union udp_name {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int udp_socket(sa_family_t family, union udp_name *name)
{
	socklen_t len = sizeof(*name);
	const int room = 8 << 20;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*name = (union udp_name){ .v6.sin6_addr = in6addr_loopback };
	if (family == AF_INET)
		name->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	name->any.sa_family = family;
	if (fd < 0)
		return -errno;
	if (!setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) &&
	    !bind(fd, &name->any, sizeof(*name)) &&
	    !getsockname(fd, &name->any, &len))
		return fd;
	close(fd);
	return -errno;
}

int link_make_udp(struct link *l, sa_family_t family)
{
	union udp_name ours, theirs;

	l->dev[0] = '\0';
	netns_set_up("lo", true);
	l->fd = udp_socket(family, &ours);
	if (l->fd < 0)
		return l->fd;
	l->peer = udp_socket(family, &theirs);
	if (l->peer < 0)
		return l->peer;
	if (connect(l->fd, &theirs.any, sizeof(theirs)) ||
	    connect(l->peer, &ours.any, sizeof(ours)))
		return -errno;
	return 0;
}

static int make_udp(struct link *l)
{
	return link_make_udp(l, AF_INET);
}

int link_listen(struct link *l)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(addr.sun_family);
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	l->dev[0] = '\0';
	/* The kernel chooses the name: five hexadecimal digits. */
	if (bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 1))
		return -errno;
	len = sizeof(addr);
	getsockname(fd, (struct sockaddr *)&addr, &len);
	snprintf(l->locator, sizeof(l->locator), "stream:@%.5s",
		 addr.sun_path + 1);
	return fd;
}

const struct link_kind link_kinds[] = {
	{ "tap", LINK_ETHERNET | LINK_DEVICE | LINK_TUNTAP | LINK_TAGS, 0,
	  make_tap, NULL },
	{ "tun", LINK_IP | LINK_DEVICE | LINK_TUNTAP, 0, make_tun, NULL },
	{ "veth", LINK_ETHERNET | LINK_DEVICE | LINK_OUTGOING | LINK_KERNEL_MAC,
	  0, make_veth, NULL },
	{ "packet",
	  LINK_ETHERNET | LINK_DEVICE | LINK_OUTGOING | LINK_KERNEL_MAC |
		  LINK_OPENED,
	  0, make_opened, NULL },
	{ "seqpacket", LINK_ETHERNET | LINK_UNIX | LINK_EOF | LINK_TAGS,
	  FDL_ETHERNET, make_seqpacket, NULL },
	{ "seqpacket-ip", LINK_IP | LINK_UNIX | LINK_EOF, 0, make_seqpacket,
	  NULL },
	{ "dgram", LINK_ETHERNET | LINK_UNIX | LINK_NO_EOF | LINK_TAGS,
	  FDL_ETHERNET, make_dgram, NULL },
	{ "dgram-ip", LINK_IP | LINK_UNIX | LINK_NO_EOF, 0, make_dgram, NULL },
	{ "udp",
	  LINK_ETHERNET | LINK_UNIX | LINK_NO_EOF | LINK_TAGS | LINK_LOSSY,
	  FDL_ETHERNET, make_udp, NULL },
	{ "udp-ip", LINK_IP | LINK_UNIX | LINK_NO_EOF | LINK_LOSSY, 0, make_udp,
	  NULL },
	{ "vfkit",
	  LINK_ETHERNET | LINK_UNIX | LINK_NO_EOF | LINK_TAGS | LINK_NAMED,
	  FDL_ETHERNET, make_vfkit, hear_hello },
	{ NULL, 0, 0, NULL, NULL },
};

int link_make(struct link *l, const struct link_kind *kind, unsigned index)
{
	int err;

	*l = (struct link){ .kind = kind, .fd = -1, .peer = -1 };
	snprintf(l->dev, sizeof(l->dev), "fdt%u", index);
	snprintf(l->peer_dev, sizeof(l->peer_dev), "fdp%u", index);
	err = kind->make(l);
	if (err)
		link_free(l);
	return err;
}

static int open_link(struct link *l, const struct fdl_options *opts)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	int err;

	/* It may have met an endpoint before. */
	if (l->kind->traits & LINK_NAMED)
		assert_int_equal(connect(l->peer, &nobody, sizeof(nobody)), 0);
	err = fdl_open(&l->ep, l->locator, opts);
	return err || !l->kind->met ? err : l->kind->met(l);
}

int link_endpoint(struct link *l, enum fdl_mode mode,
		  const struct fdl_options *opts)
{
	struct fdl_options o = { 0 };
	int err;

	if (opts)
		o = *opts;
	o.size = sizeof(o);
	o.mode = mode;
	o.flags |= l->kind->flags;
	memcpy(o.address, link_local, sizeof(o.address));
	err = *l->locator ? open_link(l, &o) :
			    fdl_endpoint_new(&l->ep, &l->fd, 1, &o);
	if (err)
		return err;
	l->q = fdl_get_queue(l->ep, 0);
	return 0;
}

void link_free(struct link *l)
{
	fdl_endpoint_free(l->ep);
	if (l->fd >= 0)
		close(l->fd);
	if (l->peer >= 0)
		close(l->peer);
	if (l->dev[0] && netns_has(l->dev))
		netns_command("ip link del %s", l->dev);
	/* Of a veth, or of one that could not be used to the end. */
	if (l->peer_dev[0] && netns_has(l->peer_dev))
		netns_command("ip link del %s", l->peer_dev);
	*l = (struct link){ .fd = -1, .peer = -1 };
}

bool link_try_feed(struct link *l, const void *bytes, size_t len)
{
	ssize_t n = send(l->peer, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	return n == (ssize_t)len;
}

void link_feed_bytes(struct link *l, const void *bytes, size_t len)
{
	assert_true(link_try_feed(l, bytes, len));
	l->rx_offered++;
}

void link_feed(struct link *l, size_t len, unsigned seq)
{
	uint8_t buf[FRAME_MAX];

	frame_make(l, false, buf, len, seq);
	link_feed_bytes(l, buf, len);
}

ssize_t link_collect(struct link *l, void *buf, size_t size, int timeout_ms)
{
	struct pollfd p = { .fd = l->peer, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, timeout_ms) < 1)
		return -EAGAIN;
	n = recv(l->peer, buf, size, MSG_DONTWAIT | MSG_TRUNC);
	return n < 0 ? -errno : n;
}

void link_expect(struct link *l, size_t len, unsigned seq)
{
	uint8_t got[FRAME_MAX], want[FRAME_MAX];
	ssize_t n = link_collect(l, got, sizeof(got), WAIT_MS);

	frame_make(l, true, want, len, seq);
	assert_int_equal(n, len);
	assert_memory_equal(got, want, len);
}

void link_hang_up(struct link *l)
{
	close(l->peer);
	l->peer = -1;
}

void link_set_up(struct link *l, bool up)
{
	socklen_t len = sizeof(int);
	int err;

	netns_set_up(l->dev, up);
	if (!up && l->kind->traits & LINK_OUTGOING)
		netns_wait_stopped(l->peer_dev);
	/* The peer's own socket is told as well, and would tell us later. */
	getsockopt(l->peer, SOL_SOCKET, SO_ERROR, &err, &len);
	if (!up)
		return;
	netns_wait_running(l->dev);
	if (l->kind->traits & LINK_OUTGOING)
		netns_wait_running(l->peer_dev);
}

void link_delete_device(struct link *l)
{
	netns_command("ip link del %s", l->dev);
}

/*
 * An IPv4 packet as far as a link looks, with a number and a pattern in it. Its
 * checksum is wrong, so that no kernel answers it.
 */
void frame_make(const struct link *l, bool local, uint8_t *buf, size_t len,
		unsigned seq)
{
	const bool ethernet = l->kind->traits & LINK_ETHERNET;
	size_t at = 0, i;

	if (ethernet) {
		memcpy(buf, local ? link_remote : link_local, 6);
		memcpy(buf + 6, local ? link_local : link_remote, 6);
		buf[12] = 0x08;
		buf[13] = 0x00;
		at = 14;
	}
	for (i = at; i < len; i++)
		buf[i] = (uint8_t)(seq * 31 + i);
	buf[at] = 0x45;
	memcpy(buf + at + 1, &seq, sizeof(seq));
}

unsigned frame_seq(const struct link *l, const uint8_t *frame)
{
	unsigned seq;

	memcpy(&seq, frame + (l->kind->traits & LINK_ETHERNET ? 14 : 0) + 1,
	       sizeof(seq));
	return seq;
}

size_t frame_len(unsigned seq)
{
	return FRAME_MIN + seq * 37 % (1500 - FRAME_MIN);
}
