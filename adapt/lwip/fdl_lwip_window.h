/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_WINDOW_H
#define FDL_LWIP_WINDOW_H

#include <stdbool.h>

#include <lwip/tcp.h>

struct tcp_hdr;

/* The peer's window is closed, or has not yet been open. */
void fdl_lwip_see_closed(struct tcp_pcb *pcb, const struct tcp_hdr *hdr);

/* Call this before a connection sees a segment: windows that are closed, or
 * open late, would end in assertions of lwIP's. */
static inline void fdl_lwip_see_window(struct tcp_pcb *pcb,
				       const struct tcp_hdr *hdr)
{
	if (pcb->persist_backoff || !pcb->snd_wnd_max)
		fdl_lwip_see_closed(pcb, hdr);
}

/* Whether a segment's number is half of all numbers away from the one that is
 * expected. lwIP must not see it. */
bool fdl_lwip_is_opposite(const struct tcp_pcb *pcb, const struct tcp_hdr *hdr);

#endif
