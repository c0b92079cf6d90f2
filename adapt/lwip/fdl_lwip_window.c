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

/* Half of all numbers away from another one, or one less. */
static bool is_opposite(u32_t number, u32_t other)
{
	return number - other - 0x7fffffff <= 1;
}

/*
 * As lwIP compares, such a number is both before and behind the other one. So
 * lwIP takes a byte there for one that it has had before, and has an assertion
 * that this was not so long ago; or takes a closed window to begin there; or
 * what was never sent to be acknowledged. Before the peer's SYN nothing is
 * known of its numbers.
 */
bool fdl_lwip_is_opposite(const struct tcp_pcb *pcb, const struct tcp_hdr *hdr)
{
	if (pcb->state == SYN_SENT)
		return false;
	return is_opposite(hdr->seqno, pcb->rcv_nxt) ||
	       (TCPH_FLAGS(hdr) & TCP_ACK &&
		is_opposite(hdr->ackno, pcb->lastack));
}
#endif
