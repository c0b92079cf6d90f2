/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_FOLLOW_H
#define FDL_LWIP_FOLLOW_H

#include "fdl_lwip.h"

/* The device as it is when the netif is made. */
void fdl_lwip_follow_start(struct fdl_lwip *link);

/* Have the netif become what the device has become, if that has changed. From
 * the thread that polls. */
void fdl_lwip_follow(struct fdl_lwip *link);

/* On lwIP's thread: a router may have been given the last word on mtu6, which
 * was mtu6 before. */
void fdl_lwip_follow_router(struct fdl_lwip *link, uint16_t mtu6);

#endif
