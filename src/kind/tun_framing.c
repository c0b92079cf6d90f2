/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/tun_framing.h"

#include <errno.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "io/changes.h"
#include "kind/tun_offer.h"
#include "os.h"

enum {
	PACKET_INFO = 4,	/* bytes: struct tun_pi */
};

static int vnet_hdr_len(int fd, unsigned *len)
{
	int size = 0, err;

	err = os_ioctl(fd, TUNGETVNETHDRSZ, &size);
	if (err >= 0)
		*len = (unsigned)size;
	return err < 0 ? err : 0;
}

/* The order that the fd was told, else the machine's own. */
static enum fdl_order vnet_order(int fd)
{
	int on = 0;

	if (!os_ioctl(fd, TUNGETVNETLE, &on) && on)
		return FDL_ORDER_LITTLE;
	if (!os_ioctl(fd, TUNGETVNETBE, &on) && on)
		return FDL_ORDER_BIG;
	return FDL_ORDER_NATIVE;
}

/*
 * TUNGETIFF cannot tell: it answers IFF_NOFILTER in the bit of IFF_NO_PI. A
 * write from an address that cannot be read tells (drivers/net/tun.c,
 * tun_get_user), by its errno. No packet comes of it.
 *
 * - Usually, write as many bytes as packet information has. With packet
 *   information the kernel tries to read it: EFAULT. Without it, so few bytes
 *   are neither a virtio-net header nor an Ethernet header, and are refused
 *   unread.
 * - A TUN without virtio-net header reads any byte. So write fewer bytes there:
 *   with packet information they are refused (EINVAL). Without it the device
 *   counts one packet in its rx_dropped.
 */
static bool has_packet_info(int fd, short flags)
{
	const bool bare = flags & IFF_TUN && !(flags & IFF_VNET_HDR);
	void *const nowhere = NULL;

	if (bare)
		return os_write(fd, nowhere, PACKET_INFO - 1) == -EINVAL;
	return os_write(fd, nowhere, PACKET_INFO) == -EFAULT;
}

int tun_framing(int fd, struct io_framing *framing)
{
	struct ifreq tun = { 0 };
	int err;

	*framing = (struct io_framing){ .order = FDL_ORDER_NATIVE };
	err = os_ioctl(fd, TUNGETIFF, &tun);
	if (err < 0)
		return err;
	framing->detached = tun.ifr_flags & IFF_DETACH_QUEUE;
	framing->packet_info = has_packet_info(fd, tun.ifr_flags);
	if (!(tun.ifr_flags & IFF_VNET_HDR))
		return 0;
	framing->order = vnet_order(fd);
	return vnet_hdr_len(fd, &framing->vnet_hdr_len);
}

/*
 * A device with offloads leaves checksums and segmentation to its reader. Only
 * a virtio-net header says which packets that concerns, and this fd has none;
 * nor has any other fd of the device. So switch the device's offloads off.
 */
static int have_all_done(struct io *io, const struct set_up *how)
{
	if (how->info->offloads)
		log_say(how->log, FDL_LOG_WARNING,
			"%s leaves checksums and segmentation to its reader, "
			"and this fd has no virtio-net header to tell it by: "
			"they are turned off; open it with IFF_VNET_HDR to "
			"have them",
			how->info->name);
	return changes_set_offload(io->changes, io->fd, how->info->offloads, 0);
}

/* Nothing makes a write wait: the default. */
static bool never_full(int fd)
{
	int size = 0;

	return !os_ioctl(fd, TUNGETSNDBUF, &size) && size == INT_MAX;
}

/*
 * Another holder of the fd may clear its O_NONBLOCK. So each call has to say
 * that it must not wait. That costs a tenth of a short packet, and passes an
 * iovec where the plain calls pass none. So do it only for fds that others
 * hold, and only for writes that could wait.
 */
static void say_nowait(struct io *io, const struct set_up *how)
{
	if (!how->borrowed || how->opts->max_syscall_header_bytes)
		return;
	io->nowait_read = true;
	io->nowait_write = !never_full(io->fd);
}

int tun_set_up(struct io *io, const struct set_up *how)
{
	struct io_framing framing;
	int err;

	err = tun_framing(io->fd, &framing);
	if (err)
		return err;
	io->vnet_hdr_len = framing.vnet_hdr_len;
	io->order = framing.order;
	if (framing.detached)
		log_say(how->log, FDL_LOG_WARNING,
			"%s: this fd is detached from its device: nothing "
			"comes until it is attached again (TUNSETQUEUE, "
			"IFF_ATTACH_QUEUE)",
			how->info->name);
	if (!io->vnet_hdr_len)
		err = have_all_done(io, how);
	say_nowait(io, how);
	return err ? err : changes_set_nonblocking(io->changes, io->fd);
}

int tun_follow(int fd, struct io_framing *now)
{
	const bool unreadable = now->unreadable;
	int err = tun_framing(fd, now);

	if (!err && !now->vnet_hdr_len)
		err = os_ioctl(fd, TUNSETOFFLOAD, NULL);
	else if (!err && unreadable &&
		 now->vnet_hdr_len < FDL_VNET_HDR_TUNNEL_LEN)
		err = tun_offer_less(fd);
	return err;
}
