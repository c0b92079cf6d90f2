/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_BACKLOG_H
#define FDL_LWIP_BACKLOG_H

#include <lwip/tcp.h>

struct tcp_hdr;

/*
 * Call this before a listener sees a segment. If the segment is a SYN for which
 * lwIP has no place, the half-open connection that has been silent for longest
 * ends.
 */
void fdl_lwip_make_room(const struct tcp_pcb_listen *listener,
			const struct tcp_hdr *hdr);

#endif
