/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_BACKLOG_H
#define FDL_LWIP_BACKLOG_H

#include <lwip/tcp.h>

struct tcp_hdr;

/*
 * Before a listener sees a segment: if that is a SYN for which lwIP has no
 * place, the connection that has longest not become one gives up its own.
 */
void fdl_lwip_make_room(const struct tcp_pcb_listen *listener,
			const struct tcp_hdr *hdr);

#endif
