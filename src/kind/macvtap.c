/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A macvtap or ipvtap device (/dev/tapN): a TAP to its user, and a second
 * address on another device. Its driver (drivers/net/tap.c) differs from that
 * of TUN and TAP in three points:
 *
 * - when the device is deleted, no call on the fd tells;
 * - writes go on to succeed then;
 * - drops of a slow reader are among the device's rx_dropped.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <fdlink/offload.h>

#include "fd/link.h"
#include "kind/kind.h"
#include "kind/lookup.h"
#include "kind/tun_framing.h"
#include "kind/tun_offer.h"
#include "kind/tun_probe.h"
#include "os.h"

/* Its device file, where udev puts it. */
struct node {
	char path[32];
	unsigned number;	/* of the device */
};

/* Only the driver of TUN and TAP knows IFF_TUN as well as IFF_TAP. */
static bool owns(const struct fd_facts *facts)
{
	unsigned features = 0;

	return !facts->socket && facts->tun.ifr_flags & IFF_TAP &&
	       !os_ioctl(facts->fd, TUNGETFEATURES, &features) &&
	       !(features & IFF_TUN);
}

/* No ioctl tells the device's network namespace, so look for it in ours. */
static const struct device_of device = {
	.get_netns = TUNGETDEVNETNS,
	.looks_same = device_same_address,
	.stays = true,
	.drops = DEVICE_DROPS_RX,
};

static int probe_macvtap(const struct fd_facts *facts, struct fdl_info *info,
			 const struct log *log)
{
	const int err = tun_probe(facts, &device, info);

	(void)log;
	/* Only the driver of TUN and TAP has that. */
	info->packet_info = false;
	return err;
}

static int find(const struct locator *loc, struct link *link, struct node *node,
		uint32_t *offloads, const struct log *log)
{
	const char *name = loc->name;
	int err = lookup_link(loc, link, offloads, log);

	if (err == -ENODEV)
		log_say(log, FDL_LOG_ERR,
			"macvtap:%s: no such device: make it with 'ip link add "
			"%s link DEVICE type macvtap mode bridge'",
			name, name);
	if (err)
		return err;
	node->number = link->ifindex;
	snprintf(node->path, sizeof(node->path), "/dev/tap%u", node->number);
	if (link->has_node)
		return 0;
	log_say(log, FDL_LOG_ERR,
		"macvtap:%s: the device exists and is not a macvtap: choose "
		"another name, or open it as packet:%s",
		name, name);
	return -EINVAL;
}

static int say_no_node(const struct locator *loc, const struct node *node,
		       int err, const struct log *log)
{
	if (err == -ENOENT)
		log_say(log, FDL_LOG_ERR,
			"macvtap:%s: there is no %s, as happens to devices of "
			"other network namespaces: 'mknod %s c MAJOR MINOR' "
			"with the numbers in /sys/class/net/%s/tap%u/dev",
			loc->name, node->path, node->path, loc->name,
			node->number);
	else if (err == -EACCES || err == -EPERM)
		log_say(log, FDL_LOG_ERR,
			"macvtap:%s: not permitted to open %s (%s): run as "
			"root, or have root give your user the file",
			loc->name, node->path, strerror(-err));
	else
		log_say(log, FDL_LOG_ERR,
			"macvtap:%s: cannot open %s (%s): see whether it is "
			"the device file of %s, and how many have it open",
			loc->name, node->path, strerror(-err), loc->name);
	return err;
}

/* Devices in two network namespaces may have the same number N, and only one of
 * them has the file /dev/tapN. */
static int check_node(const struct locator *loc, int fd,
		      const struct link *link, const struct node *node,
		      const struct log *log)
{
	struct ifreq ifr = { 0 };
	int err = os_ioctl(fd, TUNGETIFF, &ifr);

	if (!err && !strcmp(ifr.ifr_name, loc->name) &&
	    device_same_address(fd, link))
		return 0;
	log_say(log, FDL_LOG_ERR,
		"macvtap:%s: %s is the file of another device%s%.15s, maybe of "
		"another network namespace: open the one with the numbers in "
		"/sys/class/net/%s/tap%u/dev, and hand it over as fd:",
		loc->name, node->path, err ? "" : ", ", ifr.ifr_name, loc->name,
		node->number);
	return -ENODEV;
}

static int set_header(const struct locator *loc, int fd, const struct log *log)
{
	const bool header = loc->offload >= 0;
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int err;

	if (header)
		ifr.ifr_flags |= IFF_VNET_HDR;
	err = os_ioctl(fd, TUNSETIFF, &ifr);
	if (!err)
		err = tun_offer(fd, header, loc->tunnels);
	if (err)
		log_say(log, FDL_LOG_ERR,
			"macvtap:%s: cannot set its offloads: %s: try "
			"offload=off",
			loc->name, strerror(-err));
	return err;
}

static int open_queue(const struct locator *loc, const struct link *link,
		      const struct node *node, struct opened *opened,
		      const struct log *log)
{
	int fd = os_open(node->path, O_RDWR), err;

	if (fd < 0)
		return say_no_node(loc, node, fd, log);
	opened->fd[opened->n++] = fd;
	err = check_node(loc, fd, link, node, log);
	return err ? err : set_header(loc, fd, log);
}

static int open_macvtap(const struct locator *loc, struct opened *opened,
			const struct log *log)
{
	struct link link;
	struct node node;
	int err = find(loc, &link, &node, NULL, log);

	while (!err && opened->n < loc->queues)
		err = open_queue(loc, &link, &node, opened, log);
	if (err)
		opened_undo(opened);
	return err;
}

static int look_up(const struct locator *loc, struct fdl_info *info,
		   const struct log *log)
{
	struct link link;
	struct node node;
	uint32_t offloads;
	mode_t mode;
	int err = find(loc, &link, &node, &offloads, log);

	if (err)
		return err;
	info->vnet_hdr_len = loc->offload < 0 ? 0 : FDL_VNET_HDR_LEN;
	lookup_fill(info, &link);
	info->offloads = offloads;
	err = os_path_mode(node.path, &mode);
	return err ? say_no_node(loc, &node, err, log) : 0;
}

static const struct verdict on_receive[] = {
	{ EINVAL, DROP, RX_DROP_MALFORMED, 0, verdict_unread },
	{ .err = 0 },
};

static const struct verdict on_send[] = {
	{ ENETDOWN, DROP, TX_DROP_LINK_DOWN, -ENETDOWN, verdict_down },
	{ .err = 0 },
};

static const struct io_ops *const modes[] = { &io_readv, NULL };

const struct kind kind_macvtap = {
	.name = "macvtap",
	.number = FDL_KIND_TAP,
	.locator = "macvtap",
	.form = "IFACE",
	.options = 1 << OPTION_MTU | 1 << OPTION_QUEUES | 1 << OPTION_OFFLOAD |
		   1 << OPTION_RECONNECT,
	.take_name = locator_take_device,
	.open = open_macvtap,
	.look_up = look_up,
	.owns = owns,
	.probe = probe_macvtap,
	.device = &device,
	.medium = FDL_MEDIUM_ETHERNET,
	.header = HEADER_OPENED,
	.modes = modes,
	.set_up = tun_set_up,
	.follow = tun_follow,
	.takes_after_end = true,
	.on_receive = on_receive,
	.on_send = on_send,
};
