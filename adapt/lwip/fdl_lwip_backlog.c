/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP drops a SYN when the listener's backlog is full of connections that
 * nobody completes, or when there are no pcbs, until those time out. Here the
 * oldest of them goes instead. What is open is the application's: it stays.
 */
#include "fdl_lwip_backlog.h"

#include <stdbool.h>

#include <lwip/memp.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>

#if LWIP_TCP
static bool is_half_open(const struct tcp_pcb *pcb, const void *listener)
{
#if LWIP_CALLBACK_API || TCP_LISTEN_BACKLOG
	if (listener && pcb->listener != listener)
		return false;
#else
	LWIP_UNUSED_ARG(listener);
#endif
	return pcb->state == SYN_RCVD;
}

/* The application has closed the connection, and the peer has not. */
static bool is_orphan(const struct tcp_pcb *pcb, const void *unused)
{
	LWIP_UNUSED_ARG(unused);
	return (pcb->state == FIN_WAIT_1 || pcb->state == FIN_WAIT_2) &&
	       (pcb->flags & TF_RXCLOSED);
}

/* lwIP moves a connection to the front when it hears from it. So the last one
 * has been silent for longest. Returns whether there was a victim. */
static bool give_up(bool (*is_victim)(const struct tcp_pcb *, const void *),
		    const void *arg, int reset)
{
	struct tcp_pcb *pcb, *victim = NULL;

	for (pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
		if (is_victim(pcb, arg))
			victim = pcb;
	}
	if (victim)
		tcp_abandon(victim, reset);
	return victim;
}

static bool is_full(const struct tcp_pcb_listen *listener)
{
#if TCP_LISTEN_BACKLOG
	return listener->accepts_pending >= listener->backlog;
#else
	LWIP_UNUSED_ARG(listener);
	return false;
#endif
}

static bool has_pcb(void)
{
	void *pcb = memp_malloc(MEMP_TCP_PCB);

	if (pcb)
		memp_free(MEMP_TCP_PCB, pcb);
	return pcb;
}

void fdl_lwip_make_room(const struct tcp_pcb_listen *listener,
			const struct tcp_hdr *hdr)
{
	if ((TCPH_FLAGS(hdr) & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
		return;
	/* A reset would go to whoever's address a stranger gave. */
	if (is_full(listener))
		give_up(is_half_open, listener, 0);
	/* If there are connections in TIME-WAIT, lwIP itself ends one. */
	if (tcp_tw_pcbs || has_pcb())
		return;
	if (!give_up(is_half_open, NULL, 0))
		give_up(is_orphan, NULL, 1);
}
#endif
