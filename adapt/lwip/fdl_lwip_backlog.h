/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_BACKLOG_H
#define FDL_LWIP_BACKLOG_H

#include <lwip/tcp.h>

struct tcp_hdr;

/*
 * Call this before a listener sees a segment; the arguments are those of the
 * hook. If the segment is a SYN for which lwIP has no place, the half-open
 * connection that has been silent for longest ends. Its peer may still come and
 * complete it. Returns what the hook shall.
 */
err_t fdl_lwip_listen_input(const struct tcp_pcb_listen *listener,
			    struct tcp_hdr *hdr, u16_t optlen, u16_t opt1len,
			    struct pbuf *p);

#endif
