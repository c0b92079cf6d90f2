/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip_segment.h"
#include "fdl_lwip_plain.h"

static bool split_first(struct tcp_pcb *pcb, u32_t len)
{
	struct tcp_seg *seg = pcb->unsent;
	const u16_t mss = pcb->mss;

	if (seg->p->ref != 1)
		return false;
	pcb->mss = LWIP_MAX(mss, (u16_t)len);
	fdl_lwip_plain_split(pcb, (u16_t)len);
	pcb->mss = mss;
	if (seg->len != len)
		return false;
	/* lwIP 2.1 leaves these flags on both parts. */
	if (seg->next && fdl_lwip_seqno(seg->next) == fdl_lwip_seqno(seg) + len)
		seg->tcphdr->_hdrlen_rsvd_flags &= (u16_t)~PP_HTONS(TCP_FIN |
								    TCP_PSH);
	return true;
}

/* lwIP splits only the first segment of the list unsent. */
bool fdl_lwip_split(struct tcp_pcb *pcb, struct tcp_seg **at, u32_t len)
{
	struct tcp_seg *unsent = pcb->unsent;
#if TCP_OVERSIZE
	const u16_t oversize = pcb->unsent_oversize;
#endif
	bool done;

	if (at == &pcb->unsent)
		return split_first(pcb, len);
	pcb->unsent = *at;
	done = split_first(pcb, len);
	pcb->unsent = unsent;
#if TCP_OVERSIZE
	pcb->unsent_oversize = oversize;
#endif
	return done;
}

void fdl_lwip_move(struct tcp_seg **from, struct tcp_seg **to)
{
	struct tcp_seg *seg = *from;

	*from = seg->next;
	while (*to && TCP_SEQ_LT(fdl_lwip_seqno(*to), fdl_lwip_seqno(seg)))
		to = &(*to)->next;
	seg->next = *to;
	*to = seg;
}
