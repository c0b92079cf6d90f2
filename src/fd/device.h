/* SPDX-License-Identifier: Apache-2.0 */
/* The network device behind an fd. */
#ifndef FDL_FD_DEVICE_H
#define FDL_FD_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct link;

enum device_drops {
	DEVICE_DROPS_NOWHERE,
	DEVICE_DROPS_TX,	/* IFLA_STATS64, tx_dropped */
	DEVICE_DROPS_RX,	/* rx_dropped */
};

/* How an fd of some kind tells which device it is on. */
struct device_of {
	/* The ioctl that gives an fd of the device's network namespace to a
	 * process that may have it. */
	unsigned long get_netns;
	/*
	 * For all other processes: is a device of that name in this namespace
	 * the one behind fd? It is if nothing but that device can reasonably
	 * look like this.
	 */
	bool (*looks_same)(int fd, const struct link *link);
	/*
	 * The device stays with its fd wherever it goes, and the fd tells, when
	 * it is asked for it, that it was deleted. If not, the fd loses the
	 * device when that leaves its network namespace, deleted or moved, and
	 * the fd tells nothing.
	 */
	bool stays;
	/* Where it counts packets for which the reader was too slow. */
	enum device_drops drops;
};

/* A looks_same: the device has the same hardware address. */
bool device_same_address(int fd, const struct link *link);

/*
 * A device as the kernel's routing netlink (rtnetlink(7)) knows it. The socket
 * belongs to the network namespace the device was in.
 */
struct device {
	int netlink; /* -1: not open */
	unsigned ifindex; /* 0: it has left the namespace */
	enum device_drops drops;
};

/*
 * Start asking about the device of that name behind fd. of is NULL if such an
 * fd has none. Errors: -EXDEV it is, or may be, in another network namespace
 * that this process may not enter; -ENODEV it has none; those of socket(2). On
 * error *dev is closed, and using it is harmless.
 */
int device_open(struct device *dev, const struct device_of *of, int fd,
		const char *name);
void device_close(struct device *dev);

/*
 * The same, as the fd is on another device now. If that is in the network
 * namespace of the former one, this takes no privilege.
 */
int device_renew(struct device *dev, const struct device_of *of, int fd,
		 const char *name);

/*
 * Packets that the kernel dropped on their way to the fd's reader; 0 where it
 * does not count them. One thread at a time. Errors: -ENODEV gone or never
 * open, those of sendmsg(2) and recvmsg(2).
 */
int device_dropped(const struct device *dev, uint64_t *dropped);

/*
 * A device that was *link at last has left its network namespace. If it is this
 * one, it is asked for no more, as another one may get its number, and *dropped
 * is what device_dropped would have been at last. Returns whether it was. One
 * thread at a time.
 */
bool device_leave(struct device *dev, const struct link *link,
		  uint64_t *dropped);

/* Ask for the device as it is. One thread at a time. Errors: as link_get,
 * -EXDEV never open. */
int device_get(const struct device *dev, struct link *link);

/*
 * A link socket (link.h) in the network namespace of the device. Errors: as
 * device_open.
 */
int device_socket(const struct device_of *of, int fd, const char *name);

/*
 * Ask a link socket of a former device for the device of that name behind fd. A
 * TUN or TAP whose namespace the kernel does not tell is taken to be where the
 * former device was. Errors: -EXDEV it is elsewhere; those of link_get.
 */
int device_find(const struct device_of *of, int fd, int sock, const char *name,
		struct link *link);

/*
 * Whether the devices behind two fds are in the same network namespace. A
 * socket tells any process (Linux 5.14); a TUN or TAP tells only those that may
 * have its namespace. If they do not tell, they are taken to be in the same
 * one. of is NULL if such an fd has no device.
 */
bool device_same_netns(const struct device_of *of, int a, int b);

/* Whether an errno says nothing about the device: the machine lacks something,
 * or is busy, for now. */
bool device_may_pass(int err);

#endif
