/* SPDX-License-Identifier: Apache-2.0 */
/* What the frames of a device are as an AF_PACKET socket hands them out. */
#ifndef FDL_KIND_PACKET_MEDIUM_H
#define FDL_KIND_PACKET_MEDIUM_H

#include <stdint.h>

#include <fdlink/open.h>

#include "log.h"

struct packet_device {
	const char *name;
	unsigned arphrd;  /* ARPHRD_... */
	unsigned flags;	  /* IFF_... */
	uint8_t tun_type; /* IFF_TUN, IFF_TAP; 0: neither */
};

/*
 * Set info's medium and ethernet.
 * Errors: -EOPNOTSUPP the frames are neither Ethernet nor bare IP; logged.
 */
int packet_medium(const struct packet_device *dev, struct fdl_info *info,
		  const struct log *log);

/* Returns the tun_type of the device of this name in the namespace of fd, which
 * is a socket. */
uint8_t packet_tun_type(int fd, const char *name);

#endif
