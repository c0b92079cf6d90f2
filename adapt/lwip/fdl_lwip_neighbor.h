/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that may have to wait for their neighbor's link address. */
#ifndef FDL_LWIP_NEIGHBOR_H
#define FDL_LWIP_NEIGHBOR_H

#include <lwip/netif.h>

#if LWIP_IPV4 && LWIP_ARP
/* netif->output: etharp_output, except that lwIP keeps no application's
 * bytes. */
err_t fdl_lwip_output_arp(struct netif *netif, struct pbuf *p,
			  const ip4_addr_t *addr);
#endif

#if LWIP_IPV6
/* netif->output_ip6: ethip6_output, with the same exception. */
err_t fdl_lwip_output_nd(struct netif *netif, struct pbuf *p,
			 const ip6_addr_t *addr);
#endif

#endif
