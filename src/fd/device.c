/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device behind an fd, which may be in another network namespace than the
 * thread that asks: there, another device may have its name. So the kernel is
 * asked for the namespace of the device (SIOCGSKNS, TUNGETDEVNETNS). It tells
 * those only who have CAP_NET_ADMIN over that namespace; for all others a
 * device of the same name here is taken for ours when nothing but ours can
 * reasonably look so: a TAP or an AF_PACKET device has the same hardware
 * address, a TUN, which has none, belongs to the user we are, which is what
 * lets such a user open it at all. In doubt the device is not known.
 */
#include "fd/device.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "fd/link.h"
#include "fd/netns.h"
#include "os.h"

#ifndef SO_NETNS_COOKIE /* Linux 5.14 */
#define SO_NETNS_COOKIE 71
#endif

static const char own_netns[] = "/proc/thread-self/ns/net";

bool device_same_address(int fd, const struct link *link)
{
	static const uint8_t none[sizeof(link->address)];
	struct ifreq ifr = { 0 };

	strcpy(ifr.ifr_name, link->name);
	if (!memcmp(link->address, none, sizeof(none)) ||
	    os_ioctl(fd, SIOCGIFHWADDR, &ifr) < 0)
		return false;
	return !memcmp(ifr.ifr_hwaddr.sa_data, link->address, sizeof(none));
}

static int guessed_socket(const struct device_of *of, int fd, const char *name)
{
	int sock = link_socket();
	struct link link;
	int err;

	if (sock < 0)
		return sock;
	err = link_get(sock, name, 0, &link);
	if (!err && of->looks_same(fd, &link))
		return sock;
	os_close(sock);
	return err == -ENOBUFS || err == -ENOMEM ? err : -EXDEV;
}

static int open_there(void *arg, const struct log *log)
{
	(void)arg;
	(void)log;
	return link_socket();
}

static int socket_in(int nsfd)
{
	const struct log silent = { 0 };

	if (os_same_file(nsfd, own_netns) == 1)
		return link_socket();
	return netns_run(nsfd, open_there, NULL, &silent);
}

int device_socket(const struct device_of *of, int fd, const char *name)
{
	int nsfd, sock;

	if (!of || !*name)
		return -ENODEV;
	nsfd = os_ioctl(fd, of->get_netns, NULL);
	if (nsfd == -EMFILE || nsfd == -ENFILE || nsfd == -ENOMEM)
		return nsfd;
	if (nsfd < 0)
		return guessed_socket(of, fd, name);
	sock = socket_in(nsfd);
	os_close(nsfd);
	return sock == -EPERM ? -EXDEV : sock;
}

/* Returns 1: both have the same cookie; 0: they do not; or -errno: the kernel
 * does not say. */
static int same_cookie(int a, int b)
{
	uint64_t cookie[2] = { 0 };
	const int fds[] = { a, b };
	socklen_t len = sizeof(cookie[0]);
	int i, err = 0;

	for (i = 0; !err && i < 2; i++)
		err = os_getsockopt(fds[i], SOL_SOCKET, SO_NETNS_COOKIE,
				    &cookie[i], &len);
	return err ? err : cookie[0] == cookie[1];
}

static bool same_namespace_file(int a, int b)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", b);
	return os_same_file(a, path) != 0;
}

/* get_a, get_b: the ioctls that give the fd of a namespace. */
static bool same_netns(int a, unsigned long get_a, int b, unsigned long get_b)
{
	bool same = true;
	int told, ns_a, ns_b;

	told = same_cookie(a, b);
	if (told >= 0)
		return told;
	ns_a = os_ioctl(a, get_a, NULL);
	ns_b = os_ioctl(b, get_b, NULL);
	if (ns_a >= 0 && ns_b >= 0)
		same = same_namespace_file(ns_a, ns_b);
	if (ns_a >= 0)
		os_close(ns_a);
	if (ns_b >= 0)
		os_close(ns_b);
	return same;
}

bool device_same_netns(const struct device_of *of, int a, int b)
{
	return !of || a == b || same_netns(a, of->get_netns, b, of->get_netns);
}

int device_find(const struct device_of *of, int fd, int sock, const char *name,
		struct link *link)
{
	if (!of || !*name)
		return -ENODEV;
	if (!same_netns(fd, of->get_netns, sock, SIOCGSKNS))
		return -EXDEV;
	return link_get(sock, name, 0, link);
}

int device_open(struct device *dev, const struct device_of *of, int fd,
		const char *name)
{
	struct link link;
	int sock, err;

	dev->netlink = -1;
	dev->ifindex = 0;
	sock = device_socket(of, fd, name);
	if (sock < 0)
		return sock;
	err = link_get(sock, name, 0, &link);
	if (err) {
		os_close(sock);
		return err;
	}
	dev->netlink = sock;
	dev->ifindex = link.ifindex;
	dev->drops = of->drops;
	return 0;
}

int device_renew(struct device *dev, const struct device_of *of, int fd,
		 const char *name)
{
	struct link link;
	int err = -EXDEV;

	if (dev->netlink >= 0)
		err = device_find(of, fd, dev->netlink, name, &link);
	if (err == -EXDEV) {
		device_close(dev);
		return device_open(dev, of, fd, name);
	}
	if (!err)
		dev->ifindex = link.ifindex;
	return err;
}

void device_close(struct device *dev)
{
	if (dev->netlink >= 0)
		os_close(dev->netlink);
	dev->netlink = -1;
}

int device_get(const struct device *dev, struct link *link)
{
	if (dev->netlink < 0)
		return -EXDEV;
	if (!dev->ifindex)
		return -ENODEV;
	return link_get(dev->netlink, NULL, dev->ifindex, link);
}

static uint64_t count_dropped(const struct device *dev, const struct link *link)
{
	return dev->drops == DEVICE_DROPS_TX ? link->tx_dropped :
	       dev->drops == DEVICE_DROPS_RX ? link->rx_dropped :
					       0;
}

int device_dropped(const struct device *dev, uint64_t *dropped)
{
	struct link link;
	int err;

	if (dev->netlink < 0 || !dev->ifindex)
		return -ENODEV;
	err = link_get(dev->netlink, NULL, dev->ifindex, &link);
	if (!err)
		*dropped = count_dropped(dev, &link);
	return err;
}

bool device_leave(struct device *dev, const struct link *link,
		  uint64_t *dropped)
{
	if (!dev->ifindex || link->ifindex != dev->ifindex)
		return false;
	*dropped = count_dropped(dev, link);
	dev->ifindex = 0;
	return true;
}

bool device_may_pass(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM ||
	       err == -ENOBUFS || err == -ENOSPC || err == -EAGAIN ||
	       err == -EBUSY;
}
