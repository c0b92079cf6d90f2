/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip_vlan.h"
#include "fdl_lwip_bytes.h"

#include <stdbool.h>
#include <string.h>

#include <lwip/opt.h>
#include <lwip/prot/ethernet.h>

enum {
	ADDRESSES = 12,
	HEADER = 14,
	TAG = 4,
	VID = 0x0fff,
	TYPE_SERVICE = 0x88a8,	/* IEEE 802.1ad */
};

#if ETHARP_SUPPORT_VLAN
void fdl_lwip_vlan_untag(struct fdl_packet *pkt)
{
	LWIP_UNUSED_ARG(pkt);
}
#else
static bool has_priority_tag(const struct fdl_packet *pkt)
{
	uint16_t type;

	if (pkt->link_len < HEADER + TAG || pkt->len < pkt->link_len)
		return false;
	type = fdl_lwip_get16(pkt->data + ADDRESSES);
	return (type == ETHTYPE_VLAN || type == TYPE_SERVICE) &&
	       !(fdl_lwip_get16(pkt->data + HEADER) & VID);
}

void fdl_lwip_vlan_untag(struct fdl_packet *pkt)
{
	while (has_priority_tag(pkt)) {
		memmove(pkt->data + TAG, pkt->data, ADDRESSES);
		fdl_packet_pull(pkt, TAG);
	}
}
#endif
