/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is this fd, and how to open one. Nothing here knows of endpoints, but
 * for open.c, which puts the pieces together.
 */
#ifndef FDL_FD_DEVICE_H
#define FDL_FD_DEVICE_H

#include <stdint.h>

#include <fdlink/open.h>

#include "log.h"

/*
 * As fdl_probe_fd, into the library's own struct. A device that is in another
 * network namespace, and not for us to see there, has its name only, and is
 * taken to have IFF_NO_PI, as TUNGETIFF does not tell.
 */
int probe_fd(int fd, struct fdl_info *info, const struct log *log);

/* Hand out what was found, in as many bytes as the caller has, the rest 0. */
void info_give(struct fdl_info *info, size_t size,
	       const struct fdl_info *found);

/*
 * A device as the kernel's routing netlink (rtnetlink(7)) knows it. The socket
 * belongs to the network namespace the device was in.
 */
struct device {
	int netlink; /* -1: not open */
	unsigned ifindex;
};

/*
 * Start asking about the device behind fd, of which probe_fd gave *info.
 * Errors: -EXDEV it is in another network namespace, which is not for us to
 * enter, or may be; -ENODEV it has none; those of socket(2). On error *dev is
 * closed, and using it is harmless.
 */
int device_open(struct device *dev, int fd, const struct fdl_info *info);
void device_close(struct device *dev);

/*
 * Packets the kernel dropped on their way to a TUN's or TAP's reader
 * (IFLA_STATS64, tx_dropped). One thread at a time. Errors: -ENODEV gone or
 * never open, those of sendmsg(2) and recvmsg(2).
 */
int device_tx_dropped(const struct device *dev, uint64_t *dropped);

struct link;

/* Ask for the device as it is. One thread at a time. Errors: as link_get, -EXDEV
 * never open. */
int device_get(const struct device *dev, struct link *link);

/*
 * A link socket (link.h) in the network namespace of the device behind fd, of
 * which kind and name in *info are set. Errors: as device_open.
 */
int device_socket(int fd, const struct fdl_info *info);

#endif
