/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_ICMP_H
#define FDL_LWIP_ICMP_H

#include "fdl_lwip.h"

enum fdl_lwip_icmp {
	FDL_LWIP_PASS,		/* nothing in it that lwIP could obey */
	FDL_LWIP_DROP,		/* lwIP must not see it */
	FDL_LWIP_MISTRUST,	/* lwIP may see it, and then
				 * fdl_lwip_icmp_undo has to follow */
};

/*
 * Judge a received packet before lwIP has it. What is said in it of a packet too
 * big is taken note of here. On lwIP's thread.
 */
enum fdl_lwip_icmp fdl_lwip_icmp_judge(struct fdl_lwip *link,
				       const struct fdl_packet *pkt);

/* Take back what lwIP has made of it. */
void fdl_lwip_icmp_undo(void);

#endif
