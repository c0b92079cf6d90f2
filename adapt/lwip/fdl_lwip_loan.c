/* SPDX-License-Identifier: Apache-2.0 */
/*
 * There are two ways in which an application learns that bytes are its own
 * again:
 *
 * - lwIP takes a segment and calls the application, which may also end the
 *   connection in that call. The hook runs before lwIP takes the segment.
 * - The connection ends without a segment: the application ends it, a timer
 *   gives up, or another connection needs the place. lwIP calls the destroy
 *   callback of the connection's extension argument before it tells the
 *   application.
 */
#include "fdl_lwip_loan.h"
#include "fdl_lwip_link.h"
#include "fdl_lwip_output.h"

#include <lwip/priv/tcp_priv.h>

#if FDL_LWIP_LOANS
/* Few segments need these: keep them out of the way of the others. */
#define FEW_SEGMENTS static __attribute__((noinline))

/* The index of our extension argument. A process has one lwIP. */
static u8_t ext_arg;
static bool has_ext_arg;

/* Flush every link with a loan of that connection. */
static void flush(uint64_t loan)
{
	struct fdl_lwip *link;
	struct netif *netif;

	NETIF_FOREACH(netif)
	{
		link = fdl_lwip_link(netif);
		if (link && link->lent & loan)
			fdl_lwip_flush(link);
	}
}

/*
 * lwIP says which connection it is by the argument only: the bit of its loan.
 */
static void connection_ends(u8_t id, void *arg)
{
	LWIP_UNUSED_ARG(id);
	flush(UINT64_C(1) << (uintptr_t)arg);
}

static const struct tcp_ext_arg_callbacks callbacks = {
	.destroy = connection_ends,
};

FEW_SEGMENTS void ask_for_end(struct tcp_pcb *pcb, unsigned at)
{
	tcp_ext_arg_set(pcb, ext_arg, (void *)(uintptr_t)at);
	tcp_ext_arg_set_callbacks(pcb, ext_arg, &callbacks);
}

void fdl_lwip_loan_init(void)
{
	if (!has_ext_arg)
		ext_arg = tcp_ext_arg_alloc_id();
	has_ext_arg = true;
}

/* Whether a segment in the list is acknowledged, while a frame still refers to
 * it. */
static bool is_sending(const struct tcp_seg *seg, u32_t ackno)
{
	for (; seg && TCP_SEQ_LT(lwip_ntohl(seg->tcphdr->seqno), ackno);
	     seg = seg->next)
		if (seg->p->ref != 1)
			return true;
	return false;
}

/* A close with bytes unread resets the connection, which also frees what the
 * peer has not acknowledged. */
static bool has_unread(const struct tcp_pcb *pcb)
{
	return pcb->refused_data || pcb->rcv_wnd != TCP_WND_MAX(pcb);
}

static bool may_tell(const struct tcp_pcb *pcb, const struct tcp_hdr *hdr,
		     const struct pbuf *p)
{
	return p->tot_len || TCPH_FLAGS(hdr) & (TCP_SYN | TCP_FIN | TCP_RST) ||
	       has_unread(pcb) || is_sending(pcb->unacked, hdr->ackno) ||
	       is_sending(pcb->unsent, hdr->ackno);
}

FEW_SEGMENTS void end_loan(const struct tcp_pcb *pcb, const struct tcp_hdr *hdr,
			   const struct pbuf *p, unsigned at)
{
	if (may_tell(pcb, hdr, p))
		flush(UINT64_C(1) << at);
}

/*
 * lwIP first offers the application what it refused before. What the
 * application sends then may be acknowledged by this very segment, or end with
 * its RST. So nothing is lent meanwhile.
 */
void fdl_lwip_loan_input(struct tcp_pcb *pcb, const struct tcp_hdr *hdr,
			 const struct pbuf *p)
{
	const unsigned at = fdl_lwip_loan(pcb->local_port, pcb->remote_port);
	const uint64_t loan = UINT64_C(1) << at;
	const uint64_t unlent = pcb->refused_data ? loan : 0;
	uint64_t lent = 0;
	struct fdl_lwip *link;
	struct netif *netif;

	NETIF_FOREACH(netif)
	{
		link = fdl_lwip_link(netif);
		if (!link)
			continue;
		link->unlent = unlent;
		lent |= link->lent;
	}
	/* Nothing is lent by a connection whose end nobody asked for. */
	if (!pcb->ext_args[ext_arg].callbacks)
		ask_for_end(pcb, at);
	else if (lent & loan)
		end_loan(pcb, hdr, p, at);
}
#else
void fdl_lwip_loan_init(void)
{
}

void fdl_lwip_loan_input(struct tcp_pcb *pcb, const struct tcp_hdr *hdr,
			 const struct pbuf *p)
{
	LWIP_UNUSED_ARG(pcb);
	LWIP_UNUSED_ARG(hdr);
	LWIP_UNUSED_ARG(p);
}
#endif
