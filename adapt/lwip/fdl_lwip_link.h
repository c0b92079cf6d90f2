/* SPDX-License-Identifier: Apache-2.0 */
/* How the adaptor's files find the link. */
#ifndef FDL_LWIP_LINK_H
#define FDL_LWIP_LINK_H

#include "fdl_lwip.h"

struct tcp_pcb;

/* Returns the link of a netif, or the link that a connection sends by. NULL: it
 * is not one of ours. */
struct fdl_lwip *fdl_lwip_link(const struct netif *netif);
struct fdl_lwip *fdl_lwip_link_of(const struct tcp_pcb *pcb);

#endif
