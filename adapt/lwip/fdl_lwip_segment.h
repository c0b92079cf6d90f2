/* SPDX-License-Identifier: Apache-2.0 */
/* Split lwIP's segments, and move them between its lists. */
#ifndef FDL_LWIP_SEGMENT_H
#define FDL_LWIP_SEGMENT_H

#include <stdbool.h>

#include <lwip/priv/tcp_priv.h>

/* Returns the sequence number of a segment, in host byte order. */
static inline u32_t fdl_lwip_seqno(const struct tcp_seg *seg)
{
	return lwip_ntohl(seg->tcphdr->seqno);
}

/*
 * Split the segment at *at, in any list of the connection, after len bytes.
 * Returns false if there is no memory, or if a frame that waits refers to the
 * segment.
 */
bool fdl_lwip_split(struct tcp_pcb *pcb, struct tcp_seg **at, u32_t len);

/* Move the segment at *from to the list that begins at *to, in the order of
 * sequence numbers. */
void fdl_lwip_move(struct tcp_seg **from, struct tcp_seg **to);

#endif
