/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_FOLLOW_H
#define FDL_LWIP_FOLLOW_H

#include "fdl_lwip.h"

/* Take the device's MTU for the netif's when that is made. */
void fdl_lwip_follow_start(struct fdl_lwip *link);

/* If the device has changed, change the netif accordingly. For the thread that
 * polls. */
void fdl_lwip_follow(struct fdl_lwip *link);

/* For lwIP's thread, after a packet that may be a router advertisement. mtu6:
 * netif->mtu6 before it. If lwIP has taken another value from the packet, that
 * counts as far as the link allows. */
void fdl_lwip_follow_router(struct fdl_lwip *link, uint16_t mtu6);

#endif
