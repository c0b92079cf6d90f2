/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip_link.h"

#include <lwip/ip.h>
#include <lwip/tcp.h>

#if LWIP_TCP
static struct netif *find_route(const struct tcp_pcb *pcb)
{
	if (pcb->netif_idx != NETIF_NO_INDEX)
		return netif_get_by_index(pcb->netif_idx);
	return ip_route(&pcb->local_ip, &pcb->remote_ip);
}

struct fdl_lwip *fdl_lwip_link_of(const struct tcp_pcb *pcb)
{
	const struct netif *netif = find_route(pcb);

	return netif ? fdl_lwip_link(netif) : NULL;
}
#endif
