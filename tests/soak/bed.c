/* SPDX-License-Identifier: Apache-2.0 */
#include "bed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fdlink/open.h>

#include "macvtap.h"
#include "netns.h"
#include "peer.h"

enum { POOL = 1024, WAIT_ROOM_MS = 20 };

/* The endpoint connects to an abstract address, and the peer is who is
 * there. */
static int make_stream(struct link *l)
{
	l->fd = link_listen(l);
	return l->fd < 0 ? l->fd : 0;
}

static int accept_peer(struct link *l)
{
	l->peer = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
	return l->peer < 0 ? -errno : 0;
}

static int make_seqpacket(struct link *l)
{
	int fds[2];

	l->dev[0] = '\0';
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	l->fd = fds[0];
	l->peer = fds[1];
	return 0;
}

/* As a user has one: by its name, with all offloads. */
static int make_opened_tap(struct link *l)
{
	netns_command("ip tuntap add dev %s mode tap", l->dev);
	netns_set_up(l->dev, true);
	snprintf(l->locator, sizeof(l->locator), "tap:%s", l->dev);
	return 0;
}

/* Its carrier comes with the endpoint. */
static int meet_tap(struct link *l)
{
	netns_wait_running(l->dev);
	l->peer = link_packet_socket(l->dev);
	return l->peer < 0 ? l->peer : 0;
}

static int make_null(struct link *l)
{
	l->dev[0] = '\0';
	strcpy(l->locator, "null:");
	return 0;
}

static const struct link_kind rows[] = {
	{ "macvtap", LINK_ETHERNET | LINK_DEVICE | LINK_TAGS, 0, macvtap_make,
	  NULL },
	{ "stream", LINK_ETHERNET | LINK_UNIX | LINK_TAGS, FDL_ETHERNET,
	  make_stream, accept_peer },
	{ "tap-opened", LINK_ETHERNET | LINK_DEVICE | LINK_TUNTAP | LINK_TAGS,
	  0, make_opened_tap, meet_tap },
	{ "seqpacket-vnet", LINK_ETHERNET | LINK_UNIX | LINK_TAGS,
	  FDL_ETHERNET | FDL_VNET_HDR, make_seqpacket, NULL },
	{ "null", LINK_ETHERNET | LINK_UNIX | LINK_TAGS, FDL_ETHERNET,
	  make_null, NULL },
	{ NULL, 0, 0, NULL, NULL },
};

#define MESSAGES .feed = feed_message, .collect = collect_message
#define VETH                                               \
	.feed = feed_veth, .collect = collect_message, .ahead = ahead_at_veth, \
	.behind = behind_at_packet
#define LOOPBACK MESSAGES, .behind = behind_at_udp, .device = "lo"

static const struct bed beds[] = {
	{ "tap", "tap", MESSAGES, .behind = behind_at_packet },
	{ "tap-opened", "tap", MESSAGES, .behind = behind_at_packet },
	{ "tun", "tun", MESSAGES, .behind = behind_at_packet },
	{ "macvtap", "macvtap", .feed = feed_veth, .collect = collect_message,
	  .ahead = ahead_at_veth, .behind = behind_at_macvtap },
	{ "veth", "packet", VETH },
	{ "packet", "packet", VETH },
	{ "seqpacket", "seqpacket", MESSAGES },
	{ "seqpacket-ip", "seqpacket", MESSAGES },
	{ "seqpacket-vnet", "seqpacket", .feed = feed_with_header,
	  .collect = collect_with_header },
	{ "stream", "stream", .feed = feed_stream, .collect = collect_stream },
	{ "dgram", "datagram", MESSAGES },
	{ "dgram-ip", "datagram", MESSAGES },
	{ "vfkit", "vfkit", MESSAGES },
	{ "udp", "udp", LOOPBACK },
	{ "udp-ip", "udp", LOOPBACK },
	{ .name = "null", .kind = "null" },
};

const struct bed *bed_at(unsigned n)
{
	return n < sizeof(beds) / sizeof(beds[0]) ? &beds[n] : NULL;
}

static const struct link_kind *find(const struct link_kind *row,
				    const char *name)
{
	while (row->name && strcmp(row->name, name) != 0)
		row++;
	return row->name ? row : NULL;
}

static const struct link_kind *row_of(const struct bed *bed)
{
	const struct link_kind *row = find(rows, bed->name);

	return row ? row : find(link_kinds, bed->name);
}

int bed_open(struct soak *s)
{
	const struct fdl_options opts = {
		.size = sizeof(opts),
		.pool = POOL,
		.tx_wait_ms = WAIT_ROOM_MS,
	};
	int err = link_make(&s->l, row_of(s->bed), 0);

	if (!err)
		err = link_endpoint(&s->l, s->mode, &opts);
	if (err)
		bed_close(s);
	return err;
}

void bed_close(struct soak *s)
{
	link_free(&s->l);
}
