/* SPDX-License-Identifier: Apache-2.0 */
/* How the adaptor's files find the link. */
#ifndef FDL_LWIP_LINK_H
#define FDL_LWIP_LINK_H

#include "fdl_lwip.h"
#include "fdl_lwip_output.h"

struct tcp_pcb;

/* Returns the link of a netif. NULL: it is not one of ours. */
static inline struct fdl_lwip *fdl_lwip_link(const struct netif *netif)
{
	return netif->linkoutput == fdl_lwip_output ? netif->state : NULL;
}

/* Returns the link that a connection sends by, or NULL. */
struct fdl_lwip *fdl_lwip_link_of(const struct tcp_pcb *pcb);

#endif
