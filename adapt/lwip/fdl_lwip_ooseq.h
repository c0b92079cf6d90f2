/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_OOSEQ_H
#define FDL_LWIP_OOSEQ_H

#include <lwip/tcp.h>

struct tcp_hdr;

/*
 * Call this before a connection sees a segment. It bounds what all connections
 * keep out of order. The connection that keeps most loses its segments, and its
 * peer sends them again.
 */
void fdl_lwip_bound_ooseq(const struct tcp_pcb *pcb, const struct tcp_hdr *hdr,
			  const struct pbuf *p);

#endif
