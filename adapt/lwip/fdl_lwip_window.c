/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip_window.h"

#include <lwip/priv/tcp_priv.h>

#if LWIP_TCP
/*
 * The peer may acknowledge everything that a closed window kept back. lwIP
 * would go on probing then, and its timer has an assertion that there is
 * something to probe with. So the probing ends here.
 */
static void end_probing(struct tcp_pcb *pcb, const struct tcp_hdr *hdr)
{
	const struct tcp_seg *s = pcb->unsent;

	while (s && s->next)
		s = s->next;
	if (!s || TCP_SEQ_GEQ(hdr->ackno,
			      lwip_ntohl(s->tcphdr->seqno) + TCP_TCPLEN(s)))
		pcb->persist_backoff = 0;
}

/*
 * lwIP makes segments of at most half of the largest window that it has seen,
 * and of a whole MSS if that is 0. Its tcp_write asserts that the limit never
 * falls. So lwIP shall not have seen that a window begins closed.
 */
static void note_closed(struct tcp_pcb *pcb)
{
	pcb->snd_wnd_max = (tcpwnd_size_t)LWIP_MIN(2U * pcb->mss, 0xffffU);
}

void fdl_lwip_see_closed(struct tcp_pcb *pcb, const struct tcp_hdr *hdr)
{
	if (pcb->persist_backoff)
		end_probing(pcb, hdr);
	if (!pcb->snd_wnd_max)
		note_closed(pcb);
}

/*
 * As lwIP compares, a number that is half of all numbers away from another one,
 * or one less, can be both before and behind it. So lwIP takes a byte there for
 * one that it has had before, and has an assertion that this was not so long
 * ago; or it takes a closed window to begin there. Before the peer's SYN
 * nothing is known of its numbers.
 */
bool fdl_lwip_is_opposite(const struct tcp_pcb *pcb, const struct tcp_hdr *hdr)
{
	return pcb->state != SYN_SENT &&
	       hdr->seqno - pcb->rcv_nxt - 0x7fffffff <= 1;
}
#endif
