/* SPDX-License-Identifier: Apache-2.0 */
/* TUN and TAP devices: read and written by packet, not through a socket. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

#include <fdlink/offload.h>

#include "fd/link.h"
#include "io/changes.h"
#include "kind/kind.h"
#include "kind/lookup.h"
#include "kind/tun_carrier.h"
#include "kind/tun_framing.h"
#include "kind/tun_offer.h"
#include "kind/tun_probe.h"
#include "kind/tun_reset.h"
#include "os.h"

extern const struct kind kind_tap;

/* IFF_TUN or IFF_TAP */
static short type_of(const struct locator *loc)
{
	return loc->kind == &kind_tap ? IFF_TAP : IFF_TUN;
}

static int check_type(const struct locator *loc, const struct link *link,
		      const struct log *log)
{
	const char *kind = loc->kind->locator;

	if (link->tun_type == type_of(loc))
		return 0;
	log_say(log, FDL_LOG_ERR,
		"%s is there, but is no %s device: choose another name%s",
		loc->name, kind,
		link->tun_type == IFF_TAP ? ", or open it as tap:" :
		link->tun_type == IFF_TUN ? ", or open it as tun:" :
					    "");
	return -EINVAL;
}

static int say_busy(const struct locator *loc, const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"%s is busy: a process has it already: stop that one or "
		"choose another name",
		loc->name);
	return -EBUSY;
}

static int say_missing(const struct locator *loc, const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"%s: no such device: make it with 'ip tuntap add %s mode %s'",
		loc->name, loc->name, loc->kind->locator);
	return -ENODEV;
}

/* It was there a moment ago. */
static int say_vanished(const struct locator *loc, const struct log *log)
{
	log_say(log, FDL_LOG_ERR, "%s: the device vanished while it was opened",
		loc->name);
	return -ENODEV;
}

static int say_single(const struct locator *loc, const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"%s is there, for one queue, and queues=%u: delete it, or make "
		"it with 'ip tuntap add %s mode %s multi_queue'",
		loc->name, loc->queues, loc->name, loc->kind->locator);
	return -EINVAL;
}

/* what: is not permitted; first: what the device alone does not help
 * against. */
static int say_forbidden(const struct locator *loc, const char *what,
			 const char *first, int err, const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"%s: not permitted to %s (%s): run as root, or %screate the "
		"device for your user with 'ip tuntap add %s mode %s user UID'",
		loc->name, what, err == -EACCES ? "EACCES" : "EPERM", first,
		loc->name, loc->kind->locator);
	return err;
}

static int open_clone(const struct locator *loc, const struct log *log)
{
	int fd = os_open("/dev/net/tun", O_RDWR);

	if (fd >= 0)
		return fd;
	if (fd == -EACCES || fd == -EPERM)
		return say_forbidden(loc, "open /dev/net/tun",
				     "'chmod a+rw /dev/net/tun' and ", fd, log);
	log_say(log, FDL_LOG_ERR,
		"%s: cannot open /dev/net/tun (%s): load the driver with "
		"'modprobe tun'",
		loc->name, strerror(-fd));
	return fd;
}

/*
 * Attaching sets the framing of a whole device. One that has several queues
 * must be attached as such, and one that is in use by others is theirs.
 */
static int choose_flags(const struct locator *loc, int sock, short *flags,
			bool *made, const struct log *log)
{
	struct link link;
	int err;

	*flags = IFF_NO_PI;
	if (loc->offload >= 0)
		*flags |= IFF_VNET_HDR;
	*flags |= type_of(loc);
	if (loc->queues > 1)
		*flags |= IFF_MULTI_QUEUE;
	err = link_get(sock, loc->name, 0, &link);
	*made = err == -ENODEV;
	if (*made)
		return loc->existing ? say_missing(loc, log) : 0;
	if (err) {
		log_say(log, FDL_LOG_ERR,
			"%s: cannot ask the kernel for it: "
			"%s",
			loc->name, strerror(-err));
		return err;
	}
	err = check_type(loc, &link, log);
	if (err)
		return err;
	if (!link.multi_queue)
		return loc->queues > 1 ? say_single(loc, log) : 0;
	*flags |= IFF_MULTI_QUEUE;
	return link.queues ? say_busy(loc, log) : 0;
}

/* Attaching makes a device if the one that was there has just been deleted. It
 * goes when fd is closed: nobody else keeps it. */
static bool has_made_it(int fd, short flags)
{
	struct ifreq ifr = { 0 };

	return !(flags & IFF_MULTI_QUEUE) && !os_ioctl(fd, TUNGETIFF, &ifr) &&
	       !(ifr.ifr_flags & IFF_PERSIST);
}

static int attach(const struct locator *loc, int fd, short flags,
		  const struct log *log)
{
	struct ifreq ifr = { .ifr_flags = flags };
	int err;

	strcpy(ifr.ifr_name, loc->name);
	err = os_ioctl(fd, TUNSETIFF, &ifr);
	if (!err && loc->existing && has_made_it(fd, flags))
		return say_missing(loc, log);
	if (err == -EBUSY)
		return say_busy(loc, log);
	if (err == -EPERM || err == -EACCES)
		return say_forbidden(loc, "create or open it", "", err, log);
	if (err < 0)
		log_say(log, FDL_LOG_ERR, "%s: cannot create or open it: %s",
			loc->name, strerror(-err));
	if (err)
		return err;
	err = tun_offer(fd, flags & IFF_VNET_HDR, loc->tunnels);
	if (!err)
		err = tun_reset(fd);
	if (err == -EBADFD)
		return say_vanished(loc, log);
	if (err)
		log_say(log, FDL_LOG_ERR,
			"%s: cannot set its offloads: %s: try offload=off",
			loc->name, strerror(-err));
	return err;
}

static int set_mtu(const struct locator *loc, int sock, const struct log *log)
{
	struct ifreq ifr = { 0 };
	int err;

	if (!loc->mtu)
		return 0;
	strcpy(ifr.ifr_name, loc->name);
	err = os_ioctl(sock, SIOCGIFMTU, &ifr);
	if (!err && ifr.ifr_mtu == (int)loc->mtu)
		return 0;
	ifr.ifr_mtu = (int)loc->mtu;
	if (!err)
		err = os_ioctl(sock, SIOCSIFMTU, &ifr);
	if (err == -ENODEV)
		return say_vanished(loc, log);
	if (err == -EINVAL)
		log_say(log, FDL_LOG_ERR,
			"mtu=%u is more than %s takes: leave room for the 14 "
			"bytes of Ethernet header",
			loc->mtu, loc->name);
	else if (err)
		log_say(log, FDL_LOG_ERR,
			"%s: cannot set mtu=%u (%s): run as root, or set it "
			"with 'ip link set %s mtu %u'",
			loc->name, loc->mtu, strerror(-err), loc->name,
			loc->mtu);
	return err;
}

static int open_queues(const struct locator *loc, short flags,
		       struct opened *opened, const struct log *log)
{
	int fd, err = 0;

	while (!err && opened->n < loc->queues) {
		fd = open_clone(loc, log);
		if (fd < 0)
			return fd;
		opened->fd[opened->n++] = fd;
		err = attach(loc, fd, flags, log);
	}
	return err;
}

/* Attaching to a device switches its carrier on. So only "off" needs a call. */
static int switch_carrier(const struct locator *loc, int fd,
			  const struct log *log)
{
	int err = 0;

	if (loc->carrier < 0)
		err = tun_set_carrier(fd, false);
	if (err == -ENODEV)
		return say_vanished(loc, log);
	if (err)
		log_say(log, FDL_LOG_ERR,
			"%s: cannot switch the carrier off (%s): carrier=off "
			"needs Linux 5.0",
			loc->name, strerror(-err));
	return err;
}

static int open_with(const struct locator *loc, int sock, struct opened *opened,
		     const struct log *log)
{
	short flags;
	int err;

	err = choose_flags(loc, sock, &flags, &opened->made, log);
	if (!err)
		err = open_queues(loc, flags, opened, log);
	if (!err)
		err = set_mtu(loc, sock, log);
	if (!err)
		err = switch_carrier(loc, opened->fd[0], log);
	if (err)
		opened_undo(opened);
	return err;
}

static int open_tun(const struct locator *loc, struct opened *opened,
		    const struct log *log)
{
	int sock, err;

	sock = link_socket();
	if (sock < 0) {
		log_say(log, FDL_LOG_ERR, "%s: no rtnetlink socket: %s",
			loc->name, strerror(-sock));
		return sock;
	}
	err = open_with(loc, sock, opened, log);
	os_close(sock);
	return err;
}

static int look_up(const struct locator *loc, struct fdl_info *info,
		   const struct log *log)
{
	struct link link;
	uint32_t offloads;
	int err;

	err = lookup_link(loc, &link, &offloads, log);
	if (err == -ENODEV)
		log_say(log, FDL_LOG_ERR,
			"%s:%s: no such device yet: opening it creates one, or "
			"'ip tuntap add %s mode %s'",
			loc->kind->locator, loc->name, loc->name,
			loc->kind->locator);
	if (!err)
		err = check_type(loc, &link, log);
	if (err)
		return err;
	/* Packet information and virtio-net header are for whoever opens it to
	 * choose, and fdl_open chooses no packet information. */
	info->vnet_hdr_len = loc->offload < 0		  ? 0 :
			     offloads & FDL_OFFLOAD_TUNNEL ?
						FDL_VNET_HDR_TUNNEL_LEN :
						FDL_VNET_HDR_LEN;
	lookup_fill(info, &link);
	info->offloads = offloads;
	return 0;
}

static int merge_tun(struct fdl_options *opts, struct locator *loc,
		     const struct log *log)
{
	if (!(opts->flags & FDL_ETHERNET))
		return 0;
	log_say(log, FDL_LOG_ERR,
		"tun:%s carries IP packets, and the "
		"options ask for an Ethernet header: use tap:, or "
		"leave FDL_ETHERNET out",
		loc->name);
	return -EINVAL;
}

static bool owns_tap(const struct fd_facts *facts)
{
	return !facts->socket && facts->tun.ifr_flags & IFF_TAP;
}

static bool owns_tun(const struct fd_facts *facts)
{
	return !facts->socket && facts->tun.ifr_flags & IFF_TUN;
}

/* A TUN has no hardware address. It belongs to the user we are, which is what
 * lets such a user open it at all. */
static bool is_our_tun(int fd, const struct link *link)
{
	(void)fd;
	return link->tun_type == IFF_TUN && link->owner == os_geteuid();
}

static const struct device_of tap_device = {
	.get_netns = TUNGETDEVNETNS,
	.looks_same = device_same_address,
	.stays = true,
	.drops = DEVICE_DROPS_TX,
};

static const struct device_of tun_device = {
	.get_netns = TUNGETDEVNETNS,
	.looks_same = is_our_tun,
	.stays = true,
	.drops = DEVICE_DROPS_TX,
};

static int probe_tun(const struct fd_facts *facts, struct fdl_info *info,
		     const struct log *log)
{
	(void)log;
	return tun_probe(facts, info->ethernet ? &tap_device : &tun_device,
			 info);
}

/* The kernel keeps the program that was given last, also where it has gone. */
static bool has_filter(int fd)
{
	struct sock_fprog program = { 0 };

	return !os_ioctl(fd, TUNGETFILTER, &program) && program.len;
}

static const struct verdict on_receive[] = {
	{ EINVAL, DROP, RX_DROP_MALFORMED, 0, verdict_unread },
	{ EBADFD, END, COUNTERS, -ENODEV, verdict_gone },
	{ .err = 0 },
};

static const struct verdict on_send[] = {
	{ EIO, DROP, TX_DROP_LINK_DOWN, -ENETDOWN, verdict_down },
	{ EBADFD, END, TX_DROP_OTHER, -ENODEV, verdict_gone },
	{ .err = 0 },
};

enum {
	TUN_OPTIONS = 1 << OPTION_MTU | 1 << OPTION_NETNS | 1 << OPTION_QUEUES |
		      1 << OPTION_OFFLOAD | 1 << OPTION_CARRIER |
		      1 << OPTION_RECONNECT,
};

static const struct io_ops *const modes[] = { &io_readv, NULL };

const struct kind kind_tap = {
	.name = "tap",
	.number = FDL_KIND_TAP,
	.locator = "tap",
	.form = "NAME",
	.options = TUN_OPTIONS,
	.take_name = locator_take_device,
	.open = open_tun,
	.look_up = look_up,
	.owns = owns_tap,
	.probe = probe_tun,
	.device = &tap_device,
	.medium = FDL_MEDIUM_ETHERNET,
	.header = HEADER_OPENED,
	.modes = modes,
	.set_up = tun_set_up,
	.follow = tun_follow,
	.has_filter = has_filter,
	.set_carrier = tun_set_carrier,
	.on_receive = on_receive,
	.on_send = on_send,
};

const struct kind kind_tun = {
	.name = "tun",
	.number = FDL_KIND_TUN,
	.locator = "tun",
	.form = "NAME",
	.options = TUN_OPTIONS,
	.take_name = locator_take_device,
	.merge = merge_tun,
	.open = open_tun,
	.look_up = look_up,
	.owns = owns_tun,
	.probe = probe_tun,
	.device = &tun_device,
	.medium = FDL_MEDIUM_IP,
	.header = HEADER_OPENED,
	.modes = modes,
	.set_up = tun_set_up,
	.follow = tun_follow,
	.set_carrier = tun_set_carrier,
	.on_receive = on_receive,
	.on_send = on_send,
};
