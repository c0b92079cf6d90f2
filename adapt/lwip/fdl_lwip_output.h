/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_OUTPUT_H
#define FDL_LWIP_OUTPUT_H

#include <lwip/netif.h>

/* netif->linkoutput: a frame, or a packet where there are no link headers, goes
 * to the endpoint, by reference where its bytes stay. */
err_t fdl_lwip_output(struct netif *netif, struct pbuf *p);

#endif
