/* SPDX-License-Identifier: Apache-2.0 */
/* What the adaptor's files share. */
#ifndef FDL_LWIP_LINK_H
#define FDL_LWIP_LINK_H

#include <stdbool.h>

#include "fdl_lwip.h"

/* The link behind a netif; NULL: not one of ours. */
struct fdl_lwip *fdl_lwip_link(const struct netif *netif);

/* Hand received packets, n > 0, to lwIP, or drop and count them. NO_SYS=0: from
 * any thread but lwIP's. */
void fdl_lwip_input(struct fdl_lwip *link, struct fdl_packet *v[], int n);

/* Whether lwIP leaves TCP's checksums to the wire. */
void fdl_lwip_leave_sums(struct netif *netif, bool leave);

#endif
