/* SPDX-License-Identifier: Apache-2.0 */
/* Links whose fds have more settings than those of most tests. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "held.h"
#include "macvtap.h"
#include "netns.h"

enum {
	OFFLOADS = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
	PREFIX = 4,
};

static int make_tap(struct link *l)
{
	return link_make_tuntap(l, IFF_TAP | IFF_VNET_HDR, OFFLOADS);
}

static int make_tun(struct link *l)
{
	return link_make_tuntap(l, IFF_TUN | IFF_VNET_HDR, OFFLOADS);
}

static int make_queue(struct link *l)
{
	return link_make_tuntap(l, IFF_TAP | IFF_VNET_HDR | IFF_MULTI_QUEUE,
				OFFLOADS);
}

/* What is written goes through the kernel's GRO. */
static int make_napi(struct link *l)
{
	return link_make_tuntap(l, IFF_TAP | IFF_VNET_HDR | IFF_NAPI, OFFLOADS);
}

/* A page of each frame is the kernel's from the start. */
static int make_frags(struct link *l)
{
	return link_make_tuntap(
		l, IFF_TAP | IFF_VNET_HDR | IFF_NAPI | IFF_NAPI_FRAGS,
		OFFLOADS);
}

static int make_napi_tun(struct link *l)
{
	return link_make_tuntap(l, IFF_TUN | IFF_NAPI, 0);
}

static int make_udp6(struct link *l)
{
	if (system("echo 0 >/proc/sys/net/ipv6/conf/lo/disable_ipv6"))
		return -EAFNOSUPPORT;
	return link_make_udp(l, AF_INET6);
}

/* What listens, until the endpoint has called. */
static int make_stream(struct link *l)
{
	l->peer = link_listen(l);
	return l->peer < 0 ? l->peer : 0;
}

static int make_tcp(struct link *l)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);

	l->dev[0] = '\0';
	netns_set_up("lo", true);
	l->peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(l->peer, (struct sockaddr *)&addr, len) || listen(l->peer, 1))
		return -errno;
	getsockname(l->peer, (struct sockaddr *)&addr, &len);
	snprintf(l->locator, sizeof(l->locator), "stream:127.0.0.1:%u",
		 ntohs(addr.sin_port));
	return 0;
}

static int accept_it(struct link *l)
{
	const int listener = l->peer;

	l->peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	return l->peer < 0 ? -errno : 0;
}

enum {
	TAP = LINK_ETHERNET | LINK_DEVICE | LINK_TUNTAP | LINK_TAGS,
	TUN = LINK_IP | LINK_DEVICE | LINK_TUNTAP,
	DATAGRAMS = LINK_UNIX | LINK_NO_EOF | LINK_LOSSY,
	STREAM = LINK_ETHERNET | LINK_UNIX | LINK_TAGS | HELD_STREAM,
};

const struct link_kind held_kinds[] = {
	{ "tap-vnet", TAP | HELD_VNET, 0, make_tap, NULL },
	{ "tun-vnet", TUN | HELD_VNET, 0, make_tun, NULL },
	{ "tap-queue", TAP | HELD_VNET | HELD_QUEUE, 0, make_queue, NULL },
	{ "tap-napi", TAP | HELD_VNET, 0, make_napi, NULL },
	{ "tap-frags", TAP | HELD_VNET, 0, make_frags, NULL },
	{ "tun-napi", TUN, 0, make_napi_tun, NULL },
	{ "macvtap", TAP | HELD_MACVTAP, 0, macvtap_make, NULL },
	{ "udp6", LINK_ETHERNET | LINK_TAGS | DATAGRAMS | HELD_V6, FDL_ETHERNET,
	  make_udp6, NULL },
	{ "udp6-ip", LINK_IP | DATAGRAMS | HELD_V6, 0, make_udp6, NULL },
	{ "stream", STREAM, FDL_ETHERNET, make_stream, accept_it },
	{ "stream-tcp", STREAM | HELD_TCP, FDL_ETHERNET, make_tcp, accept_it },
	{ NULL, 0, 0, NULL, NULL },
};

void held_feed(struct link *l, const uint8_t *frame, size_t len)
{
	uint8_t message[PREFIX + 2 * FRAME_MAX];
	const uint32_t prefix = htonl((uint32_t)len);

	if (!(l->kind->traits & HELD_STREAM)) {
		link_feed_bytes(l, frame, len);
		return;
	}
	memcpy(message, &prefix, PREFIX);
	memcpy(message + PREFIX, frame, len);
	link_feed_bytes(l, message, PREFIX + len);
}

ssize_t held_collect(struct link *l, uint8_t *buf, size_t size)
{
	uint32_t prefix;

	if (!(l->kind->traits & HELD_STREAM))
		return link_collect(l, buf, size, WAIT_MS);
	if (recv(l->peer, &prefix, PREFIX, MSG_WAITALL) != PREFIX ||
	    ntohl(prefix) > size)
		return -EPROTO;
	return recv(l->peer, buf, ntohl(prefix), MSG_WAITALL);
}
