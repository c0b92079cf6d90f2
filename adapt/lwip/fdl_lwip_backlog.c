/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP drops a SYN when the listener's backlog is full of connections that
 * nobody completes, or when there are no pcbs, until those time out. Here the
 * oldest of them goes instead. What is open is the application's: it stays. A
 * peer whose connection has gone may still be a good one, whose answer was not
 * fast enough: it is known by its cookie.
 */
#include "fdl_lwip_backlog.h"
#include "fdl_lwip_cookie.h"
#include "fdl_lwip_link.h"

#include <stdbool.h>

#include <lwip/ip.h>
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

static unsigned pending(const struct tcp_pcb_listen *listener)
{
#if TCP_LISTEN_BACKLOG
	return listener->accepts_pending;
#else
	LWIP_UNUSED_ARG(listener);
	return 0;
#endif
}

static unsigned most(const struct tcp_pcb_listen *listener)
{
#if TCP_LISTEN_BACKLOG
	return listener->backlog;
#else
	LWIP_UNUSED_ARG(listener);
	return 1;
#endif
}

/* If there are connections in TIME-WAIT, lwIP itself ends one. */
static bool has_pcb(void)
{
	void *pcb;

	if (tcp_tw_pcbs)
		return true;
	pcb = memp_malloc(MEMP_TCP_PCB);
	if (pcb)
		memp_free(MEMP_TCP_PCB, pcb);
	return pcb;
}

static void make_room(const struct tcp_pcb_listen *listener)
{
	/* A reset would go to whoever's address a stranger gave. */
	if (pending(listener) >= most(listener))
		give_up(is_half_open, listener, 0);
	if (has_pcb())
		return;
	if (!give_up(is_half_open, NULL, 0))
		give_up(is_orphan, NULL, 1);
}

/* A connection that begins now may have to give way before it is open. */
static bool is_crowded(const struct tcp_pcb_listen *listener)
{
	return pending(listener) >= most(listener) / 2 || !has_pcb();
}

err_t fdl_lwip_listen_input(const struct tcp_pcb_listen *listener,
			    struct tcp_hdr *hdr, u16_t optlen, u16_t opt1len,
			    struct pbuf *p)
{
	struct fdl_lwip *link = fdl_lwip_link(ip_current_input_netif());

	if (link && link->taking)
		return ERR_OK;
	/* If the options are in two pbufs, lwIP answers as it always does. */
	if (optlen != opt1len)
		link = NULL;
	if (link && fdl_lwip_cookie_fits(link, hdr)) {
		make_room(listener);
		fdl_lwip_cookie_take(link, hdr, optlen, p);
		return ERR_ABRT;
	}
	if ((TCPH_FLAGS(hdr) & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
		return ERR_OK;
	if (link)
		link->has_isn = 0;
	if (link && is_crowded(listener))
		fdl_lwip_cookie_give(link, hdr, optlen);
	make_room(listener);
	return ERR_OK;
}
#endif
