/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of paths: how long a packet to somewhere may be, where that is
 * less than the link's MTU, and where long packets went that belong to no
 * connection. An address is as in an IP header of that version.
 */
#ifndef FDL_LWIP_PATH_H
#define FDL_LWIP_PATH_H

#include <stdbool.h>

#include "fdl_lwip.h"

/* Returns the path's MTU; 0: no less than the link's. */
uint16_t fdl_lwip_path_mtu(struct fdl_lwip *link, unsigned version,
			   const void *to);

/* What TCP may put into a segment there, with its options. */
uint16_t fdl_lwip_path_mss(struct fdl_lwip *link, const ip_addr_t *to);

/* A path is narrower than it was taken for. Returns whether that is news. */
bool fdl_lwip_path_narrow(struct fdl_lwip *link, unsigned version,
			  const void *to, uint16_t mtu);

/* A packet goes there that is longer than any path takes, and whether one did
 * lately. */
void fdl_lwip_path_use(struct fdl_lwip *link, unsigned version, const void *to);
bool fdl_lwip_path_used(const struct fdl_lwip *link, unsigned version,
			const void *to);

#endif
