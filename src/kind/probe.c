/* SPDX-License-Identifier: Apache-2.0 */
#include "fd/device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "fd/link.h"
#include "os.h"

#ifndef PACKET_VNET_HDR_SZ /* Linux 6.6 */
#define PACKET_VNET_HDR_SZ 24
#endif

static int get_int(int fd, int level, int name, int *value)
{
	socklen_t len = sizeof(*value);

	return os_getsockopt(fd, level, name, value, &len);
}

static int tun_vnet_hdr(int fd, uint8_t *len)
{
	int size = 0, err;

	err = os_ioctl(fd, TUNGETVNETHDRSZ, &size);
	if (err < 0)
		return err;
	*len = (uint8_t)size;
	return 0;
}

/* What only the device's namespace tells: no error if that is closed to us. */
static int probe_tun_device(int fd, struct fdl_info *info)
{
	int sock = device_socket(fd, info), err;
	struct link link;

	if (sock == -EMFILE || sock == -ENFILE || sock == -ENOMEM)
		return sock;
	if (sock < 0)
		return 0;
	err = link_get(sock, info->name, 0, &link);
	if (!err) {
		info->device = true;
		info->ifindex = link.ifindex;
		info->mtu = link.mtu;
		info->up = link.up;
		/* TUNGETIFF cannot tell: it answers IFF_NOFILTER in
		 * the bit of IFF_NO_PI. */
		info->packet_info = link.packet_info;
		if (info->multi_queue)
			info->queues = link.queues;
		info->offloads = link_offloads(sock, info->name);
	}
	os_close(sock);
	return err;
}

static int probe_tun(int fd, struct fdl_info *info, const struct ifreq *ifr)
{
	struct ifreq address = { 0 };
	int err;

	info->kind = ifr->ifr_flags & IFF_TAP ? FDL_KIND_TAP : FDL_KIND_TUN;
	info->ethernet = info->kind == FDL_KIND_TAP;
	info->multi_queue = ifr->ifr_flags & IFF_MULTI_QUEUE;
	info->queues = 1;
	memcpy(info->name, ifr->ifr_name, sizeof(info->name) - 1);
	if (info->ethernet && !os_ioctl(fd, SIOCGIFHWADDR, &address))
		memcpy(info->address, address.ifr_hwaddr.sa_data,
		       sizeof(info->address));
	if (ifr->ifr_flags & IFF_VNET_HDR) {
		err = tun_vnet_hdr(fd, &info->vnet_hdr_len);
		if (err)
			return err;
	}
	return probe_tun_device(fd, info);
}

static int probe_chardev(int fd, struct fdl_info *info, const struct log *log)
{
	struct ifreq ifr = { 0 };
	int err = os_ioctl(fd, TUNGETIFF, &ifr);

	if (err >= 0)
		return probe_tun(fd, info, &ifr);
	if (err == -EBADFD) {
		log_say(log, FDL_LOG_ERR,
			"fd %d is a TUN/TAP fd without a device, which was "
			"deleted or never attached: attach one by TUNSETIFF",
			fd);
		return -ENODEV;
	}
	log_say(log, FDL_LOG_ERR,
		"fd %d is a character device, but no TUN or TAP: "
		"open /dev/net/tun for one",
		fd);
	return -EPROTOTYPE;
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
static int probe_packet_device(int fd, struct fdl_info *info)
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
	info->up = ifr.ifr_flags & IFF_UP;
	err = os_ioctl(fd, SIOCGIFHWADDR, &ifr);
	if (err)
		return err;
	if (info->ethernet)
		memcpy(info->address, ifr.ifr_hwaddr.sa_data,
		       sizeof(info->address));
	info->device = true;
	return 0;
}

static int probe_packet(int fd, struct fdl_info *info, const struct log *log)
{
	struct sockaddr_ll sll = { 0 };
	socklen_t len = sizeof(sll);
	int rcvbuf = 0;
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
	info->kind = FDL_KIND_PACKET;
	info->ifindex = (unsigned)sll.sll_ifindex;
	info->ethernet = sll.sll_hatype == ARPHRD_ETHER ||
			 sll.sll_hatype == ARPHRD_LOOPBACK;
	info->queues = 1;
	err = packet_vnet_hdr(fd, &info->vnet_hdr_len);
	if (!err)
		err = get_int(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf);
	info->rcvbuf = (uint32_t)rcvbuf;
	if (!err)
		err = probe_packet_device(fd, info);
	if (err)
		log_say(log, FDL_LOG_ERR,
			"fd %d: cannot ask about its interface: %s", fd,
			strerror(-err));
	return err;
}

static int refuse_socket(int fd, int domain, int type, const struct log *log)
{
	if (type == SOCK_STREAM)
		log_say(log, FDL_LOG_ERR,
			"fd %d is a stream socket, which keeps no packet "
			"boundaries: use a seqpacket or datagram socket",
			fd);
	else if (domain == AF_PACKET)
		log_say(log, FDL_LOG_ERR,
			"fd %d is an AF_PACKET socket of type SOCK_DGRAM, "
			"which hides the link header: use SOCK_RAW",
			fd);
	else
		log_say(log, FDL_LOG_ERR,
			"fd %d is a socket of family %d and type %d, which "
			"carries no link: use a seqpacket, datagram or "
			"AF_PACKET raw socket",
			fd, domain, type);
	return -EPROTOTYPE;
}

static int probe_socket(int fd, struct fdl_info *info, const struct log *log)
{
	int domain, type, listening, err;

	err = get_int(fd, SOL_SOCKET, SO_DOMAIN, &domain);
	if (!err)
		err = get_int(fd, SOL_SOCKET, SO_TYPE, &type);
	if (!err)
		err = get_int(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening);
	if (err) {
		log_say(log, FDL_LOG_ERR, "fd %d: cannot ask the socket: %s",
			fd, strerror(-err));
		return err;
	}
	if (domain == AF_PACKET && type == SOCK_RAW)
		return probe_packet(fd, info, log);
	if (domain == AF_PACKET ||
	    (type != SOCK_SEQPACKET && type != SOCK_DGRAM))
		return refuse_socket(fd, domain, type, log);
	if (listening) {
		log_say(log, FDL_LOG_ERR,
			"fd %d is a listening socket: accept(2) a connection "
			"and use that",
			fd);
		return -EPROTOTYPE;
	}
	info->kind = type == SOCK_DGRAM ? FDL_KIND_DGRAM : FDL_KIND_SEQPACKET;
	info->queues = 1;
	return 0;
}

int probe_fd(int fd, struct fdl_info *info, const struct log *log)
{
	mode_t mode;
	int err;

	memset(info, 0, sizeof(*info));
	err = os_stat_mode(fd, &mode);
	if (err) {
		log_say(log, FDL_LOG_ERR,
			err == -EBADF ?
				"fd %d is not open: give one that is (%s)" :
				"fd %d cannot be looked at: %s",
			fd, strerror(-err));
		return err;
	}
	if (S_ISSOCK(mode))
		return probe_socket(fd, info, log);
	if (S_ISCHR(mode))
		return probe_chardev(fd, info, log);
	log_say(log, FDL_LOG_ERR,
		"fd %d is a %s, which keeps no packet boundaries: use a TUN, a "
		"TAP, or a seqpacket, datagram or AF_PACKET socket",
		fd,
		S_ISFIFO(mode) ? "pipe" :
		S_ISDIR(mode)  ? "directory" :
				 "file");
	return -EPROTOTYPE;
}

int fdl_probe_fd(int fd, struct fdl_info *info, size_t size,
		 void (*log)(void *ctx, int level, const char *msg), void *ctx)
{
	const struct log to = { log, ctx };
	struct fdl_info found;
	int err;

	err = probe_fd(fd, &found, &to);
	if (!err)
		info_give(info, size, &found);
	return err;
}

void info_give(struct fdl_info *info, size_t size, const struct fdl_info *found)
{
	size_t n = size < sizeof(*found) ? size : sizeof(*found);

	memset(info, 0, size);
	memcpy(info, found, n);
}

const char *fdl_kind_name(enum fdl_kind kind)
{
	static const char *const names[] = {
		[FDL_KIND_TUN] = "tun",
		[FDL_KIND_TAP] = "tap",
		[FDL_KIND_PACKET] = "packet",
		[FDL_KIND_SEQPACKET] = "seqpacket",
		[FDL_KIND_DGRAM] = "datagram",
	};

	if ((unsigned)kind >= sizeof(names) / sizeof(names[0]))
		return NULL;
	return names[kind];
}
