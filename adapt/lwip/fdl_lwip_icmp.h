/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_ICMP_H
#define FDL_LWIP_ICMP_H

#include <stdbool.h>

#include "fdl_lwip.h"

#include <lwip/prot/ieee.h>
#include <lwip/prot/ip.h>

enum fdl_lwip_icmp {
	FDL_LWIP_PASS,		/* there is nothing that lwIP could obey */
	FDL_LWIP_DROP,		/* lwIP must not see it */
	FDL_LWIP_MISTRUST,	/* lwIP may see it, and then
				 * fdl_lwip_icmp_undo has to follow */
};

/*
 * Look at a received packet before lwIP does. If it is a message about a packet
 * that was too big, the adaptor takes note of that. For lwIP's thread.
 */
enum fdl_lwip_icmp fdl_lwip_icmp_judge(struct fdl_lwip *link,
				       const struct fdl_packet *pkt);

/* Whether a received packet, which fdl_lwip_check has passed, has to be looked
 * at in that way: most are plain TCP or UDP. */
static inline bool fdl_lwip_icmp_concerns(const struct fdl_packet *pkt)
{
	const uint8_t *ip = pkt->data + pkt->link_len;

	switch (pkt->protocol) {
	case ETHTYPE_IP:
		return ip[9] == IP_PROTO_ICMP;
	case ETHTYPE_IPV6:
		return ip[6] != IP_PROTO_TCP && ip[6] != IP_PROTO_UDP;
	default:
		return false;
	}
}

/* Undo what lwIP has taken from such a packet. */
void fdl_lwip_icmp_undo(void);

#endif
