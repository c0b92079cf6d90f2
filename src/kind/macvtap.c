/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An fd of a macvtap or ipvtap device (/dev/tapN): a TAP to its user, and a second
 * address on another device. Its driver (drivers/net/tap.c) is not that of TUN
 * and TAP: it says no more when the device is deleted, takes what is written
 * then, and has the drops of a slow reader among those of receiving.
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kind/kind.h"
#include "kind/tun_framing.h"
#include "kind/tun_probe.h"
#include "os.h"

/* The driver of TUN and TAP knows both. */
static bool owns(const struct fd_facts *facts)
{
	unsigned features = 0;

	return !facts->socket && facts->tun.ifr_flags & IFF_TAP &&
	       !os_ioctl(facts->fd, TUNGETFEATURES, &features) &&
	       !(features & IFF_TUN);
}

/* No ioctl tells its network namespace: it is looked for in ours. */
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

static const struct verdict on_receive[] = {
	/* A packet whose offload the virtio-net header cannot express. */
	{ EINVAL, DROP, RX_DROP_MALFORMED, 0,
	  "a packet was dropped by the kernel as it was read" },
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
	.owns = owns,
	.probe = probe_macvtap,
	.device = &device,
	.medium = FDL_MEDIUM_ETHERNET,
	.header = HEADER_OPENED,
	.modes = modes,
	.set_up = tun_set_up,
	.takes_after_end = true,
	.on_receive = on_receive,
	.on_send = on_send,
};
