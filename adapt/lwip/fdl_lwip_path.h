/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of the paths to some destinations:
 *
 * - the MTU, if it is less than the link's;
 * - that a long packet was sent there which belongs to no TCP connection.
 *
 * Addresses are in the form that they have in an IP header of that version.
 */
#ifndef FDL_LWIP_PATH_H
#define FDL_LWIP_PATH_H

#include <stdbool.h>

#include "fdl_lwip.h"

/* Returns the path's MTU. 0: it is not known to be less than the link's. */
uint16_t fdl_lwip_path_mtu(struct fdl_lwip *link, unsigned version,
			   const void *to);

/* Returns how long a TCP segment to that address may be, options included. */
uint16_t fdl_lwip_path_mss(struct fdl_lwip *link, const ip_addr_t *to);

/* A path takes only packets of up to mtu bytes. Returns whether that is less
 * than was known. */
bool fdl_lwip_path_narrow(struct fdl_lwip *link, unsigned version,
			  const void *to, uint16_t mtu);

/*
 * TCP over IPv4 forbids routers to cut its packets, so that they say where a
 * path is narrow. Some paths are silent about that, or have less than 576
 * bytes, which is not believed. There routers are to cut. The second function
 * returns whether that is so.
 */
void fdl_lwip_path_let_cut(struct fdl_lwip *link, const void *to);
bool fdl_lwip_path_cuts(const struct fdl_lwip *link, const void *to);

/* Note that a packet goes there for which some paths are too narrow. The second
 * function returns whether one did in the last ten minutes. */
void fdl_lwip_path_use(struct fdl_lwip *link, unsigned version, const void *to);
bool fdl_lwip_path_used(const struct fdl_lwip *link, unsigned version,
			const void *to);

#endif
