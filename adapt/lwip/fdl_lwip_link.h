/* SPDX-License-Identifier: Apache-2.0 */
/* What the adaptor's files ask of a link, and set on its netif. */
#ifndef FDL_LWIP_LINK_H
#define FDL_LWIP_LINK_H

#include "fdl_lwip.h"

struct tcp_pcb;

/* The link behind a netif, or that a connection sends by; NULL: not one of
 * ours. */
struct fdl_lwip *fdl_lwip_link(const struct netif *netif);
struct fdl_lwip *fdl_lwip_link_of(const struct tcp_pcb *pcb);

#endif
