/* SPDX-License-Identifier: Apache-2.0 */
/* The network device behind an fd. */
#ifndef FDL_FD_DEVICE_H
#define FDL_FD_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct link;

/* How an fd of some kind tells which device it is on. */
struct device_of {
	/* The ioctl that gives an fd of the device's network namespace, to whom
	 * that is permitted. */
	unsigned long get_netns;
	/* For all others: is a device of its name in this namespace the one, as
	 * nothing but that can reasonably look so? */
	bool (*looks_same)(int fd, const struct link *link);
	/* The device stays with its fd wherever it goes, and when it is deleted
	 * the fd tells. Else it is lost to the fd when it leaves its network
	 * namespace, deleted or moved, and the fd tells nothing. */
	bool stays;
	/* device_tx_dropped is what its reader was too slow for. */
	bool counts_drops;
};

/* A looks_same: it has the same hardware address. */
bool device_same_address(int fd, const struct link *link);

/*
 * A device as the kernel's routing netlink (rtnetlink(7)) knows it. The socket
 * belongs to the network namespace the device was in.
 */
struct device {
	int netlink; /* -1: not open */
	unsigned ifindex;
};

/*
 * Start asking about the device of that name behind fd. of is NULL where such
 * an fd has none.
 * Errors: -EXDEV it is in another network namespace, which is not for us to
 * enter, or may be; -ENODEV it has none; those of socket(2). On error *dev is
 * closed, and using it is harmless.
 */
int device_open(struct device *dev, const struct device_of *of, int fd,
		const char *name);
void device_close(struct device *dev);

/*
 * Packets the kernel dropped on their way to a TUN's or TAP's reader
 * (IFLA_STATS64, tx_dropped). One thread at a time. Errors: -ENODEV gone or
 * never open, those of sendmsg(2) and recvmsg(2).
 */
int device_tx_dropped(const struct device *dev, uint64_t *dropped);

/* Ask for the device as it is. One thread at a time. Errors: as link_get, -EXDEV
 * never open. */
int device_get(const struct device *dev, struct link *link);

/*
 * A link socket (link.h) in the network namespace of the device. Errors: as
 * device_open.
 */
int device_socket(const struct device_of *of, int fd, const char *name);

/*
 * Are the devices behind two fds in the same network namespace? A socket tells
 * anybody (Linux 5.14), a TUN or TAP only whom it tells the namespace: where it
 * does not, they are taken to be. of is NULL where such an fd has none.
 */
bool device_same_netns(const struct device_of *of, int a, int b);

#endif
