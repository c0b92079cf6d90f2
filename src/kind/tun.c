/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

#include <fdlink/offload.h>

#include "fd/link.h"
#include "fd/opened.h"
#include "os.h"

int check_tun_kind(const struct locator *loc, const struct link *link,
		   const struct log *log)
{
	const char *kind = locator_kind_name(loc->kind);

	if (link->tun_type == (loc->kind == LOCATOR_TAP ? IFF_TAP : IFF_TUN))
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
		"%s is busy: another process has it: stop "
		"that one or choose another name",
		loc->name);
	return -EBUSY;
}

static int say_single(const struct locator *loc, const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"%s is there, for one queue, and queues=%u: delete it, or make "
		"it with 'ip tuntap add %s mode %s multi_queue'",
		loc->name, loc->queues, loc->name,
		locator_kind_name(loc->kind));
	return -EINVAL;
}

static int say_forbidden(const struct locator *loc, const char *what, int err,
			 const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"%s: not permitted to %s (%s): run as root, or create the "
		"device for your user with 'ip tuntap add %s mode %s user UID'",
		loc->name, what, err == -EACCES ? "EACCES" : "EPERM", loc->name,
		locator_kind_name(loc->kind));
	return err;
}

static int open_clone(const struct locator *loc, const struct log *log)
{
	int fd = os_open("/dev/net/tun", O_RDWR);

	if (fd >= 0)
		return fd;
	if (fd == -EACCES || fd == -EPERM)
		return say_forbidden(loc, "open /dev/net/tun", fd, log);
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
			const struct log *log)
{
	struct link link;
	int err;

	*flags = IFF_NO_PI;
	if (loc->offload >= 0)
		*flags |= IFF_VNET_HDR;
	*flags |= loc->kind == LOCATOR_TAP ? IFF_TAP : IFF_TUN;
	if (loc->queues > 1)
		*flags |= IFF_MULTI_QUEUE;
	err = link_get(sock, loc->name, 0, &link);
	if (err == -ENODEV)
		return 0;
	if (err) {
		log_say(log, FDL_LOG_ERR,
			"%s: cannot ask the kernel for it: "
			"%s",
			loc->name, strerror(-err));
		return err;
	}
	err = check_tun_kind(loc, &link, log);
	if (err)
		return err;
	if (!link.multi_queue)
		return loc->queues > 1 ? say_single(loc, log) : 0;
	*flags |= IFF_MULTI_QUEUE;
	return link.queues ? say_busy(loc, log) : 0;
}

static int offer(int fd, unsigned long offloads)
{
	return os_ioctl(fd, TUNSETOFFLOAD, (void *)(uintptr_t)offloads);
}

/*
 * What the kernel may hand out: all that it knows, for whatever the stack does
 * not take is cheaper to do here than to ask the kernel for. A persistent device
 * keeps the settings of its last user, so they are set in any case.
 */
static int set_offload(int fd, short flags)
{
	const unsigned long tcp = FDL_OFFLOAD_CSUM | FDL_OFFLOAD_TSO4 |
				  FDL_OFFLOAD_TSO6 | FDL_OFFLOAD_TSO_ECN;
	int err, len = FDL_VNET_HDR_LEN;

	if (!(flags & IFF_VNET_HDR))
		return offer(fd, 0);
	err = os_ioctl(fd, TUNSETVNETHDRSZ, &len);
	if (err)
		return err;
	/* Since Linux 6.2, and only together. */
	err = offer(fd, tcp | FDL_OFFLOAD_USO4 | FDL_OFFLOAD_USO6);
	return err == -EINVAL ? offer(fd, tcp) : err;
}

static int attach(const struct locator *loc, int fd, short flags,
		  const struct log *log)
{
	struct ifreq ifr = { .ifr_flags = flags };
	int err;

	strcpy(ifr.ifr_name, loc->name);
	err = os_ioctl(fd, TUNSETIFF, &ifr);
	if (err == -EBUSY)
		return say_busy(loc, log);
	if (err == -EPERM || err == -EACCES)
		return say_forbidden(loc, "create or open it", err, log);
	if (err < 0)
		log_say(log, FDL_LOG_ERR, "%s: cannot create or open it: %s",
			loc->name, strerror(-err));
	if (err)
		return err;
	err = set_offload(fd, flags);
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

static int open_with(const struct locator *loc, int sock, struct opened *opened,
		     const struct log *log)
{
	short flags;
	int err;

	err = choose_flags(loc, sock, &flags, log);
	if (!err)
		err = open_queues(loc, flags, opened, log);
	if (!err)
		err = set_mtu(loc, sock, log);
	if (err)
		opened_undo(opened);
	return err;
}

int open_tun(const struct locator *loc, struct opened *opened,
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
