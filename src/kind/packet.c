/* SPDX-License-Identifier: Apache-2.0 */
/* AF_PACKET sockets of type SOCK_RAW: a second reader of an interface. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "io/changes.h"
#include "kind/fanout.h"
#include "kind/kind.h"
#include "kind/lookup.h"
#include "kind/packet_filter.h"
#include "kind/packet_medium.h"
#include "kind/packet_open.h"
#include "kind/told.h"
#include "os.h"

#ifndef PACKET_VNET_HDR_SZ /* Linux 6.6 */
#define PACKET_VNET_HDR_SZ 24
#endif

/* The group is made as the sockets are opened: none is left to ask for. */
static void take_fanout(struct fdl_options *opts, struct fanout *fanout)
{
	if (fanout->how == FDL_FANOUT_AUTO)
		fanout->how = opts->fanout;
	if (fanout->how == FDL_FANOUT_AUTO)
		fanout->how = FDL_FANOUT_HASH;
	fanout->program = opts->fanout_program;
	fanout->rollover |= (opts->flags & FDL_ROLLOVER) != 0;
	fanout->outgoing = opts->flags & FDL_RX_OUTGOING;
	opts->fanout = FDL_FANOUT_AUTO;
	opts->fanout_program = NULL;
	opts->flags &= ~(uint32_t)FDL_ROLLOVER;
}

static int merge_packet(struct fdl_options *opts, struct locator *loc,
			const struct log *log)
{
	const char *what = NULL;

	if (loc->outgoing > 0)
		opts->flags |= FDL_RX_OUTGOING;
	else if (loc->outgoing && opts->flags & FDL_RX_OUTGOING)
		what = "outgoing=off in the locator and FDL_RX_OUTGOING";
	else if (loc->fanout.how && opts->fanout &&
		 loc->fanout.how != opts->fanout)
		what = "fanout in the locator and fanout in the options";
	if (!what)
		take_fanout(opts, &loc->fanout);
	loc->mode = opts->mode;
	if (loc->fanout.how == FDL_FANOUT_ROLLOVER && loc->fanout.rollover)
		what = "fanout=rollover and rollover";
	if (!what)
		return 0;
	log_say(log, FDL_LOG_ERR,
		"packet:%s: %s contradict each other: give "
		"one of them",
		loc->name, what);
	return -EINVAL;
}

static int look_up_medium(const struct link *link, struct fdl_info *info,
			  const struct log *log)
{
	const struct packet_device dev = { link->name, link->arphrd,
					   link->flags, link->tun_type };

	return packet_medium(&dev, info, log);
}

static int look_up(const struct locator *loc, struct fdl_info *info,
		   const struct log *log)
{
	struct link link;
	int err;

	err = lookup_link(loc, &link, NULL, log);
	if (err == -ENODEV)
		log_say(log, FDL_LOG_ERR,
			"packet:%s: no such interface: see 'ip link'",
			loc->name);
	if (!err)
		err = look_up_medium(&link, info, log);
	if (err)
		return err;
	lookup_fill(info, &link);
	/* Those are matters of an fd, and the socket is yet to be opened. */
	info->queues = 1;
	info->multi_queue = false;
	info->adaptive = !packet_pair_refusal(loc);
	return 0;
}

static bool owns(const struct fd_facts *facts)
{
	return facts->socket && facts->domain == AF_PACKET &&
	       facts->type == SOCK_RAW;
}

static int get_int(int fd, int level, int name, int *value)
{
	socklen_t len = sizeof(*value);

	return os_getsockopt(fd, level, name, value, &len);
}

static int packet_vnet_hdr(int fd, uint8_t *len)
{
	int on, size, err;

	err = get_int(fd, SOL_PACKET, PACKET_VNET_HDR, &on);
	if (err || !on)
		return err;
	if (get_int(fd, SOL_PACKET, PACKET_VNET_HDR_SZ, &size))
		size = sizeof(struct virtio_net_hdr);
	*len = (uint8_t)size;
	return 0;
}

/* The ioctls look into the socket's own namespace. */
static int probe_packet_device(int fd, struct fdl_info *info, unsigned *flags)
{
	struct ifreq ifr = { .ifr_ifindex = (int)info->ifindex };
	int err;

	err = os_ioctl(fd, SIOCGIFNAME, &ifr);
	if (err)
		return err;
	memcpy(info->name, ifr.ifr_name, sizeof(info->name) - 1);
	err = os_ioctl(fd, SIOCGIFMTU, &ifr);
	if (err)
		return err;
	info->mtu = (uint32_t)ifr.ifr_mtu;
	err = os_ioctl(fd, SIOCGIFFLAGS, &ifr);
	if (err)
		return err;
	*flags = (unsigned short)ifr.ifr_flags;
	info->up = ifr.ifr_flags & IFF_UP;
	info->device = true;
	return 0;
}

/* What the socket and its device are, except what the frames are. */
static int probe_settings(int fd, struct fdl_info *info,
			  struct packet_device *dev, const struct log *log)
{
	int rcvbuf = 0;
	int err;

	err = packet_vnet_hdr(fd, &info->vnet_hdr_len);
	if (!err)
		err = get_int(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf);
	info->rcvbuf = (uint32_t)rcvbuf;
	if (!err)
		err = probe_packet_device(fd, info, &dev->flags);
	if (err)
		log_say(log, FDL_LOG_ERR,
			"fd %d: cannot ask about its interface: %s", fd,
			strerror(-err));
	return err;
}

static int probe_packet(const struct fd_facts *facts, struct fdl_info *info,
			const struct log *log)
{
	const int fd = facts->fd;
	struct packet_device dev = { .name = info->name };
	struct sockaddr_ll sll = { 0 };
	socklen_t len = sizeof(sll);
	int err;

	err = os_getsockname(fd, (struct sockaddr *)&sll, &len);
	if (err)
		return err;
	if (sll.sll_ifindex <= 0) {
		log_say(log, FDL_LOG_ERR,
			sll.sll_ifindex ?
				"fd %d is an AF_PACKET socket whose interface is gone: "
				"open another" :
				"fd %d is an AF_PACKET socket on no interface: "
				"bind(2) it to one",
			fd);
		return -ENODEV;
	}
	info->ifindex = (unsigned)sll.sll_ifindex;
	dev.arphrd = sll.sll_hatype;
	err = probe_settings(fd, info, &dev, log);
	if (err)
		return err;
	dev.tun_type = packet_tun_type(fd, info->name);
	err = packet_medium(&dev, info, log);
	if (!err && info->ethernet)
		memcpy(info->address, sll.sll_addr, sizeof(info->address));
	return err;
}

static const struct device_of device = {
	.get_netns = SIOCGSKNS,
	.looks_same = device_same_address,
};

static int set(struct io *io, int name, int value)
{
	return changes_set(io->changes, io->fd, SOL_PACKET, name, value);
}

/*
 * A ring tells the time of each packet, so a message is made to tell it, too. A
 * caller who has the time told in another form shall have it so: the kernel
 * keeps one form for all four.
 */
static int tell_time(struct io *io, const struct set_up *how)
{
	static const int forms[] = { SO_TIMESTAMP_OLD, SO_TIMESTAMP_NEW,
				     SO_TIMESTAMPNS_OLD };

	if (how->opts->mode == FDL_MODE_PACKET_MMAP ||
	    how->opts->flags & FDL_NO_METADATA ||
	    told_any(io->fd, forms, sizeof(forms) / sizeof(*forms)))
		return 0;
	return changes_set(io->changes, io->fd, SOL_SOCKET, SO_TIMESTAMPNS_NEW,
			   1);
}

/*
 * While a socket has a ring, what arrives goes there, and what is sent is taken
 * from there; no option tells that it has one. But then there are options that
 * cannot be set, not even to what they are.
 */
static int check(int fd, const struct log *log)
{
	int value, err;

	err = get_int(fd, SOL_PACKET, PACKET_LOSS, &value);
	if (!err)
		err = os_setsockopt(fd, SOL_PACKET, PACKET_LOSS, &value,
				    sizeof(value));
	if (err != -EBUSY)
		return 0;
	log_say(log, FDL_LOG_ERR,
		"fd %d is an AF_PACKET socket with a ring (PACKET_RX_RING or "
		"PACKET_TX_RING), which its packets go through: give another "
		"socket, or unmap the ring and set it to 0 blocks",
		fd);
	return err;
}

/* Reading them clears them: those from before are not ours to count. */
static int forget_drops(int fd)
{
	struct tpacket_stats st;
	socklen_t len = sizeof(st);

	return os_getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &st, &len);
}

/* The sender tells frames that this machine sends, and whom the others are for
 * where our own address does not. */
static bool asks_sender(const struct set_up *how)
{
	if (!how->no_outgoing)
		return true;
	return how->opts->flags & FDL_ETHERNET && !how->has_address;
}

static int bound_to(int fd, struct sockaddr_ll *sll)
{
	socklen_t len = sizeof(*sll);

	return os_getsockname(fd, (struct sockaddr *)sll, &len);
}

/* A device without a link header is told the protocol of each packet. Most
 * drivers would look at the packet; GRE sends it as of no protocol
 * (ipgre_xmit). */
static void name_protocols(struct io *io, const struct set_up *how)
{
	const struct sockaddr_ll to = { .sll_family = AF_PACKET,
					.sll_ifindex = io->ifindex };

	memset(io->to, 0, sizeof(io->to));
	if (how->info->medium != FDL_MEDIUM_IP)
		return;
	io->to[0] = io->to[1] = to;
	io->to[0].sll_protocol = htons(ETH_P_IP);
	io->to[1].sll_protocol = htons(ETH_P_IPV6);
}

static int set_up(struct io *io, const struct set_up *how)
{
	struct sockaddr_ll sll = { 0 };
	int err = bound_to(io->fd, &sll);

	if (err)
		return err;
	io->ifindex = sll.sll_ifindex;
	io->protocol = sll.sll_protocol;
	name_protocols(io, how);
	io->auxdata = true;
	io->error_queue = true;
	io->asks_sender = asks_sender(how);
	io->vnet_hdr_len = how->info->vnet_hdr_len;
	/* Always one, for a veth hands out super-packets and partial checksums
	 * whether the socket can tell them or not. */
	if (!io->vnet_hdr_len)
		io->vnet_hdr_len = FDL_VNET_HDR_LEN;
	err = set(io, PACKET_VNET_HDR, 1);
	if (!err)
		err = set(io, PACKET_AUXDATA, 1);
	if (!err)
		err = tell_time(io, how);
	if (!err && how->opts->flags & FDL_RX_OUTGOING)
		err = set(io, PACKET_IGNORE_OUTGOING, 0);
	if (err)
		return err;
	packet_filter(io, how);
	return forget_drops(io->fd);
}

/* The index of a device that is gone is -1. */
static bool rebind(const struct io *io)
{
	struct sockaddr_ll sll = { 0 };

	if (bound_to(io->fd, &sll) || sll.sll_ifindex < 0 ||
	    (sll.sll_ifindex == io->ifindex &&
	     sll.sll_protocol == io->protocol))
		return false;
	sll = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = io->protocol,
		.sll_ifindex = io->ifindex,
	};
	return !os_bind(io->fd, (struct sockaddr *)&sll, sizeof(sll));
}

/* With PACKET_ORIGDEV the socket tells of the port of a bridge or a bond by
 * which a frame came to its device. */
static bool strays(const struct io *io)
{
	int on = 0;

	return !get_int(io->fd, SOL_PACKET, PACKET_ORIGDEV, &on) && !on;
}

static void set_again(const struct io *io, int name, int value)
{
	os_setsockopt(io->fd, SOL_PACKET, name, &value, sizeof(value));
}

static void mend(const struct io *io)
{
	if (io->vnet_hdr_len == FDL_VNET_HDR_LEN)
		set_again(io, PACKET_VNET_HDR, 1);
	else
		set_again(io, PACKET_VNET_HDR_SZ, (int)io->vnet_hdr_len);
	set_again(io, PACKET_AUXDATA, 1);
}

static const struct verdict on_receive[] = {
	/* Once per link-down; the socket recovers by itself. */
	{ ENETDOWN, AGAIN, RX_LINK_DOWN, 0, NULL },
	{ EINVAL, DROP, RX_DROP_MALFORMED, 0, verdict_unread },
	{ .err = 0 },
};

static const struct verdict on_send[] = {
	/* Or it was down, and nobody has been told. */
	{ ENETDOWN, RETRY, TX_DROP_LINK_DOWN, -ENETDOWN, verdict_down },
	{ .err = 0 },
};

/* Reading them clears them. */
static void read_drops(struct io *io, int fd, struct kernel_drops *drops)
{
	struct tpacket_stats_v3 st = { 0 };
	socklen_t len = sizeof(st);

	(void)io;
	if (os_getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &st, &len))
		return;
	drops->packets += st.tp_drops;
	drops->freezes += st.tp_freeze_q_cnt;
}

static const struct io_ops *const modes[] = {
	&io_adaptive, &io_recvmmsg, &io_packet_mmap, &io_readv, NULL,
};

const struct kind kind_packet = {
	.name = "packet",
	.number = FDL_KIND_PACKET,
	.locator = "packet",
	.form = "IFACE",
	.options = 1 << OPTION_MTU | 1 << OPTION_NETNS | 1 << OPTION_QUEUES |
		   1 << OPTION_PROMISC | 1 << OPTION_FANOUT |
		   1 << OPTION_ROLLOVER | 1 << OPTION_OUTGOING |
		   1 << OPTION_RCVBUF | 1 << OPTION_RECONNECT,
	.take_name = locator_take_device,
	.merge = merge_packet,
	.open = packet_open,
	.look_up = look_up,
	.owns = owns,
	.probe = probe_packet,
	.device = &device,
	.header = HEADER_MADE,
	.flags = FDL_RX_OUTGOING,
	.modes = modes,
	.check = check,
	.set_up = set_up,
	.mend = mend,
	.rebind = rebind,
	.strays = strays,
	.join = packet_join,
	.socket = true,
	.notes = true,
	.big = true,
	.on_receive = on_receive,
	.on_send = on_send,
	.read_drops = read_drops,
};
