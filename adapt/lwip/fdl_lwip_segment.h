/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's segments: where they are, and how they are split and moved. */
#ifndef FDL_LWIP_SEGMENT_H
#define FDL_LWIP_SEGMENT_H

#include <stdbool.h>

#include <lwip/priv/tcp_priv.h>

u32_t fdl_lwip_seqno(const struct tcp_seg *seg);

/*
 * Split the segment at *at, in whichever list of the connection's, behind so
 * many bytes. Returns whether it has become so long: it has not when there is no
 * memory, or when its bytes are still being sent where they are.
 */
bool fdl_lwip_split(struct tcp_pcb *pcb, struct tcp_seg **at, u32_t len);

/* Take the segment at *from to its place in the list that begins at *to. */
void fdl_lwip_move(struct tcp_seg **from, struct tcp_seg **to);

#endif
