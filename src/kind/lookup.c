/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a locator names, without touching it: devices by rtnetlink, unix sockets
 * by /proc/net/unix.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fdlink/offload.h>

#include "fd/link.h"
#include "fd/opened.h"
#include "os.h"

/* Packet information and virtio-net header are for whoever opens it to choose,
 * and fdl_open chooses no packet information. */
static void take_link(struct fdl_info *info, const struct link *link)
{
	info->device = true;
	info->up = link->up;
	info->ifindex = link->ifindex;
	info->mtu = link->mtu;
	info->queues = link->multi_queue ? link->queues : 1;
	info->multi_queue = link->multi_queue;
	memcpy(info->name, link->name, sizeof(info->name));
	if (info->ethernet)
		memcpy(info->address, link->address, sizeof(info->address));
}

static int take_tun(const struct locator *loc, struct fdl_info *info,
		    const struct link *link, const struct log *log)
{
	int err = check_tun_kind(loc, link, log);

	if (err)
		return err;
	info->ethernet = link->tun_type == IFF_TAP;
	info->kind = info->ethernet ? FDL_KIND_TAP : FDL_KIND_TUN;
	info->vnet_hdr_len = loc->offload < 0 ? 0 : FDL_VNET_HDR_LEN;
	take_link(info, link);
	return 0;
}

static void take_packet(struct fdl_info *info, const struct link *link)
{
	info->kind = FDL_KIND_PACKET;
	info->ethernet = link->arphrd == ARPHRD_ETHER ||
			 link->arphrd == ARPHRD_LOOPBACK;
	take_link(info, link);
	/* Those are matters of an fd, and the socket is yet to be opened. */
	info->queues = 1;
	info->multi_queue = false;
}

static void say_missing(const struct locator *loc, int err,
			const struct log *log)
{
	const char *kind = locator_kind_name(loc->kind);

	if (err != -ENODEV)
		log_say(log, FDL_LOG_ERR,
			"%s:%s: cannot ask the kernel for "
			"it: %s",
			kind, loc->name, strerror(-err));
	else if (loc->kind == LOCATOR_PACKET)
		log_say(log, FDL_LOG_ERR,
			"packet:%s: no such interface: see 'ip link'",
			loc->name);
	else
		log_say(log, FDL_LOG_ERR,
			"%s:%s: no such device yet: opening it creates one, or "
			"'ip tuntap add %s mode %s'",
			kind, loc->name, loc->name, kind);
}

static int look_up(const struct locator *loc, int sock, struct fdl_info *info,
		   const struct log *log)
{
	struct link link;
	int err;

	err = link_get(sock, loc->name, 0, &link);
	if (err) {
		say_missing(loc, err, log);
		return err;
	}
	if (loc->kind == LOCATOR_PACKET) {
		take_packet(info, &link);
		info->adaptive = !packet_pair_refusal(loc);
		return 0;
	}
	err = take_tun(loc, info, &link, log);
	if (!err)
		info->offloads = link_offloads(sock, loc->name);
	return err;
}

int probe_device(const struct locator *loc, struct fdl_info *info,
		 const struct log *log)
{
	int sock = link_socket();
	int err;

	if (sock < 0) {
		say_missing(loc, sock, log);
		return sock;
	}
	err = look_up(loc, sock, info, log);
	os_close(sock);
	return err;
}
