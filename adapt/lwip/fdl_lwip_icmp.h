/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_ICMP_H
#define FDL_LWIP_ICMP_H

#include "fdl_lwip.h"

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

/* Undo what lwIP has taken from such a packet. */
void fdl_lwip_icmp_undo(void);

#endif
