/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip_link.h"
#include "fdl_lwip_output.h"

struct fdl_lwip *fdl_lwip_link(const struct netif *netif)
{
	return netif->linkoutput == fdl_lwip_output ? netif->state : NULL;
}

void fdl_lwip_leave_sums(struct netif *netif, bool leave)
{
#if LWIP_CHECKSUM_CTRL_PER_NETIF
	if (leave)
		netif->chksum_flags &= (u16_t)~NETIF_CHECKSUM_GEN_TCP;
	else
		netif->chksum_flags |= NETIF_CHECKSUM_GEN_TCP;
#else
	LWIP_UNUSED_ARG(netif);
	LWIP_UNUSED_ARG(leave);
#endif
}
