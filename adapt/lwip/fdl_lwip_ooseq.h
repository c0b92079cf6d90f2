/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_OOSEQ_H
#define FDL_LWIP_OOSEQ_H

#include <lwip/tcp.h>

struct tcp_hdr;

/*
 * Before a connection sees a segment: bound what all of them keep that came
 * before its turn. The one that keeps most loses it, and has it sent again.
 */
void fdl_lwip_bound_ooseq(const struct tcp_pcb *pcb, const struct tcp_hdr *hdr,
			  const struct pbuf *p);

#endif
