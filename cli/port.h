/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's hooks. lwIP includes this itself, by LWIP_HOOK_FILENAME. */
#ifndef PORT_H
#define PORT_H

#include <lwip/ip6_addr.h>
#include <lwip/netif.h>

#include "fdl_lwip_hook.h"

/* Index of a netif's client data: its IPv6 gateway, an ip6_addr_t, or NULL. */
enum { PORT_GATEWAY6 = LWIP_NETIF_CLIENT_DATA_INDEX_MAX };

/* The gateway of an administrator; NULL: as router advertisements say. */
const ip6_addr_t *port_gateway6(struct netif *netif, const ip6_addr_t *dest);

#endif
