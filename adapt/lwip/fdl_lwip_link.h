/* SPDX-License-Identifier: Apache-2.0 */
/* What the adaptor's files ask of a link, and set on its netif. */
#ifndef FDL_LWIP_LINK_H
#define FDL_LWIP_LINK_H

#include <stdbool.h>

#include "fdl_lwip.h"

/* The link behind a netif; NULL: not one of ours. */
struct fdl_lwip *fdl_lwip_link(const struct netif *netif);

/* Whether lwIP leaves TCP's checksums to the wire. */
void fdl_lwip_leave_sums(struct netif *netif, bool leave);

#endif
