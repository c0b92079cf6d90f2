/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_WINDOW_H
#define FDL_LWIP_WINDOW_H

struct tcp_hdr;
struct tcp_pcb;

/* Call this before a connection sees a segment: windows that are closed, or open
 * late, would end in assertions of lwIP's. */
void fdl_lwip_see_window(struct tcp_pcb *pcb, const struct tcp_hdr *hdr);

#endif
