/* SPDX-License-Identifier: Apache-2.0 */
/* Received packets on their way into lwIP. */
#include "fdl_lwip_input.h"
#include "fdl_lwip_backlog.h"
#include "fdl_lwip_check.h"
#include "fdl_lwip_follow.h"
#include "fdl_lwip_hook.h"
#include "fdl_lwip_icmp.h"
#include "fdl_lwip_link.h"
#include "fdl_lwip_loan.h"
#include "fdl_lwip_loss.h"
#include "fdl_lwip_ooseq.h"
#include "fdl_lwip_output.h"
#include "fdl_lwip_reopen.h"
#include "fdl_lwip_vlan.h"
#include "fdl_lwip_window.h"

#include <assert.h>
#include <string.h>

#include <fdlink/offload.h>

#include <lwip/ip.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/ethernet.h>
#include <lwip/stats.h>
#include <lwip/sys.h>
#include <lwip/tcpip.h>

enum {
	MAX_PBUF = 0xffff,
	/* How much longer the headers may become that lwIP puts in front of a
	 * received packet. The pbuf lies before that room. */
	SPARE_ROOM = 64,
};

/* It lies at the start of the room in front of a received packet. */
struct rx_pbuf {
	struct pbuf_custom custom;
	struct fdl_packet *pkt;
	struct fdl_lwip *link;
};

#if !NO_SYS
/* While a packet waits for lwIP's thread, this lies there instead. */
struct fdl_lwip_waiting {
	struct fdl_packet *pkt;
	struct fdl_lwip_waiting *behind;
};
#endif

static_assert(sizeof(struct rx_pbuf) + MEM_ALIGNMENT + SPARE_ROOM <=
		      FDL_LWIP_HEADROOM,
	      "raise FDL_LWIP_HEADROOM");

static void free_rx_pbuf(struct pbuf *p)
{
	struct rx_pbuf *rx = (struct rx_pbuf *)(void *)p;
	struct fdl_packet *pkt = rx->pkt;
	struct fdl_lwip *link = rx->link;

	SYS_ARCH_DEC(link->held, 1);
	fdl_release(&pkt, 1);
}

static void *room_of(const struct fdl_packet *pkt)
{
	return LWIP_MEM_ALIGN(pkt->data - pkt->room);
}

/*
 * The pbuf has type PBUF_RAM, so that lwIP may put headers back in front of the
 * payload. A forwarded packet needs that, and lwIP then answers a ping without
 * a copy.
 */
static struct pbuf *wrap(struct fdl_lwip *link, struct fdl_packet *pkt)
{
	struct rx_pbuf *rx = room_of(pkt);

	rx->custom.custom_free_function = free_rx_pbuf;
	rx->pkt = pkt;
	rx->link = link;
	SYS_ARCH_INC(link->held, 1);
	return pbuf_alloced_custom(PBUF_RAW, (u16_t)pkt->len, PBUF_RAM,
				   &rx->custom, pkt->data, MAX_PBUF);
}

static struct pbuf *copy(struct fdl_packet *pkt)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)pkt->len, PBUF_RAM);

	if (p)
		memcpy(p->payload, pkt->data, pkt->len);
	fdl_release(&pkt, 1);
	return p;
}

static struct pbuf *to_pbuf(struct fdl_lwip *link, struct fdl_packet *pkt)
{
	uint32_t held;

	if (pkt->len > MAX_PBUF) {
		fdl_release(&pkt, 1);
		return NULL;
	}
	SYS_ARCH_GET(link->held, held);
	/* lwIP and its applications may keep it for long, and nothing may lie
	 * in a ring for long. */
	if (held >= link->pool / 2 || fdl_keep(&pkt) < 0)
		return copy(pkt);
	return wrap(link, pkt);
}

static err_t input_here(struct pbuf *p, struct netif *netif)
{
#if !NO_SYS
	/* This is lwIP's thread. */
	if (netif->input == tcpip_input)
		return netif_input(p, netif);
#endif
	return netif->input(p, netif);
}

#if LWIP_CHECKSUM_CTRL_PER_NETIF
static err_t input_vouched(struct pbuf *p, struct netif *netif)
{
	const u16_t checks = NETIF_CHECKSUM_CHECK_TCP |
			     NETIF_CHECKSUM_CHECK_UDP;
	const u16_t on = netif->chksum_flags & checks;
	err_t err;

	netif->chksum_flags = (u16_t)(netif->chksum_flags & ~checks);
	err = input_here(p, netif);
	netif->chksum_flags |= on;
	return err;
}

/* Returns the function that gives the packet to lwIP. Without offloads, too,
 * sums are vouched for: the endpoint has written those of what it cut. */
static netif_input_fn find_input(const struct fdl_packet *pkt)
{
	/* lwIP checks the sum itself if it is wrong here, or not known. */
	if (pkt->off.csum != FDL_CSUM_NONE ||
	    fdl_checksum_verify(pkt->data, pkt->len, pkt->link_len) == 1)
		return input_vouched;
	return input_here;
}
#else
static netif_input_fn find_input(const struct fdl_packet *pkt)
{
	LWIP_UNUSED_ARG(pkt);
	return input_here;
}
#endif

static void count_drop(struct fdl_lwip *link)
{
	SYS_ARCH_INC(link->rx_dropped, 1);
	LINK_STATS_INC(link.drop);
}

/* Returns whether lwIP had it. */
static bool hand_over(struct fdl_lwip *link, struct fdl_packet *pkt)
{
	netif_input_fn fn = find_input(pkt);
	struct pbuf *p = to_pbuf(link, pkt);

	if (p && fn(p, link->netif) == ERR_OK)
		return true;
	if (p)
		pbuf_free(p);
	return false;
}

/* What lwIP believes of a packet, and should not, is undone. mtu6: the netif's
 * before. */
static void mistrust(struct fdl_lwip *link, uint16_t mtu6)
{
	fdl_lwip_icmp_undo();
#if LWIP_IPV6 && LWIP_ND6_ALLOW_RA_UPDATES
	fdl_lwip_follow_router(link, mtu6);
#else
	LWIP_UNUSED_ARG(link);
	LWIP_UNUSED_ARG(mtu6);
#endif
}

static uint16_t mtu6_of(const struct netif *netif)
{
#if LWIP_IPV6
	return netif_mtu6(netif);
#else
	return netif->mtu;
#endif
}

static enum fdl_lwip_icmp judge(struct fdl_lwip *link,
				const struct fdl_packet *pkt)
{
	if (!fdl_lwip_check(pkt))
		return FDL_LWIP_DROP;
	return fdl_lwip_icmp_concerns(pkt) ? fdl_lwip_icmp_judge(link, pkt) :
					     FDL_LWIP_PASS;
}

static void input(struct fdl_lwip *link, struct fdl_packet *pkt)
{
	enum fdl_lwip_icmp verdict;
	uint16_t mtu6;

	fdl_lwip_vlan_untag(pkt);
	verdict = judge(link, pkt);
	if (verdict == FDL_LWIP_DROP) {
		fdl_release(&pkt, 1);
		count_drop(link);
		return;
	}
	if (pkt->link_len)
		memcpy(link->source, pkt->data + ETH_HWADDR_LEN,
		       ETH_HWADDR_LEN);
	mtu6 = mtu6_of(link->netif);
	if (!hand_over(link, pkt))
		count_drop(link);
	if (verdict == FDL_LWIP_MISTRUST)
		mistrust(link, mtu6);
}

#if LWIP_TCP
static bool is_active(const struct tcp_pcb *pcb)
{
	const struct tcp_pcb *p = tcp_active_pcbs;

	while (p && p != pcb)
		p = p->next;
	return p;
}

/*
 * Acknowledge the last super-packets, unless something that was sent since then
 * has done so. The connection may be gone, and a new one may have its address:
 * an acknowledgement more does no harm to that one.
 */
static void acknowledge(struct fdl_lwip *link)
{
	struct tcp_pcb *pcb = link->unacked;

	link->unacked = NULL;
	if (!pcb || !is_active(pcb) || !(pcb->flags & TF_ACK_DELAY))
		return;
	tcp_ack_now(pcb);
	tcp_output(pcb);
}

/*
 * lwIP acknowledges every second segment at once, and a single one after a
 * while. A super-packet is several segments. So its acknowledgement waits only
 * for the other packets of the same batch.
 */
static void note_super_packet(struct tcp_pcb *pcb, const struct pbuf *p)
{
	struct fdl_lwip *link;

	if (p->tot_len <= pcb->mss)
		return;
	link = fdl_lwip_link(ip_current_input_netif());
	if (!link)
		return;
	if (link->unacked != pcb)
		acknowledge(link);
	link->unacked = pcb;
}

/* With options in two pbufs, lwIP answers as always. */
static err_t time_wait_input(struct tcp_pcb *pcb, struct tcp_hdr *hdr,
			     u16_t optlen, u16_t opt1len, struct pbuf *p)
{
	struct fdl_lwip *link = fdl_lwip_link(ip_current_input_netif());

	if (!link || optlen != opt1len)
		return ERR_OK;
	return fdl_lwip_reopen(link, pcb, hdr, optlen, p) ? ERR_ABRT : ERR_OK;
}

/* lwIP offers the application what it has just refused: answer for it. */
static err_t refuse_again(void *arg, struct tcp_pcb *pcb, struct pbuf *p,
			  err_t err)
{
	const struct fdl_lwip *link = fdl_lwip_link(ip_current_input_netif());

	LWIP_UNUSED_ARG(arg);
	LWIP_UNUSED_ARG(p);
	LWIP_UNUSED_ARG(err);
	pcb->recv = link->refuser;
	return ERR_MEM;
}

/*
 * Offer again what the application refused before. lwIP would do the same a
 * little later, and would read the connection even if the application had
 * aborted it then. Returns whether the connection still exists.
 */
static bool offer_refused(struct tcp_pcb *pcb)
{
	struct fdl_lwip *link = fdl_lwip_link(ip_current_input_netif());

	if (!link)
		return true;
	if (tcp_process_refused_data(pcb) == ERR_ABRT)
		return false;
	if (!pcb->refused_data)
		return true;
	link->refuser = pcb->recv;
	pcb->recv = refuse_again;
	return true;
}

err_t fdl_lwip_tcp_input(struct tcp_pcb *pcb, struct tcp_hdr *hdr, u16_t optlen,
			 u16_t opt1len, const u8_t *opt2, struct pbuf *p)
{
	if (pcb->state == LISTEN)
		return fdl_lwip_listen_input((void *)pcb, hdr, optlen, opt1len,
					     p);
	if (pcb->state == TIME_WAIT)
		return time_wait_input(pcb, hdr, optlen, opt1len, p);
	if (fdl_lwip_is_opposite(pcb, hdr) ||
	    (pcb->refused_data && !offer_refused(pcb)))
		return ERR_ABRT;
	fdl_lwip_see_window(pcb, hdr);
	fdl_lwip_loss_hear(pcb, hdr, optlen, opt1len, opt2, p->tot_len);
	if (TCP_SEQ_GT(hdr->seqno, pcb->rcv_nxt))
		fdl_lwip_bound_ooseq(p);
	fdl_lwip_loan_input(pcb, hdr, p);
	note_super_packet(pcb, p);
	return ERR_OK;
}
#else
static void acknowledge(struct fdl_lwip *link)
{
	LWIP_UNUSED_ARG(link);
}
#endif

#if NO_SYS
void fdl_lwip_input(struct fdl_lwip *link, struct fdl_packet *v[], int n)
{
	int i;

	for (i = 0; i < n; i++)
		input(link, v[i]);
	acknowledge(link);
}
#else
static struct fdl_lwip_waiting *take_waiting(struct fdl_lwip *link)
{
	struct fdl_lwip_waiting *first;
	SYS_ARCH_DECL_PROTECT(level);

	SYS_ARCH_PROTECT(level);
	first = link->first;
	link->first = NULL;
	SYS_ARCH_UNPROTECT(level);
	return first;
}

/* Runs on lwIP's thread. What lwIP sends meanwhile is flushed as one batch. */
static void input_waiting(void *arg)
{
	struct fdl_lwip *link = arg;
	struct fdl_lwip_waiting *w, *behind;

	link->flushing = 1;
	for (w = take_waiting(link); w; w = behind) {
		behind = w->behind;
		input(link, w->pkt);
	}
	acknowledge(link);
	link->flushing = 0;
	fdl_lwip_flush(link);
}

static void drop_waiting(struct fdl_lwip *link)
{
	struct fdl_lwip_waiting *w, *behind;
	struct fdl_packet *pkt;

	for (w = take_waiting(link); w; w = behind) {
		pkt = w->pkt;
		behind = w->behind;
		fdl_release(&pkt, 1);
		count_drop(link);
	}
}

/* Returns whether lwIP's thread has been told that packets wait. */
static bool add_waiting(struct fdl_lwip *link, struct fdl_packet *v[], int n)
{
	struct fdl_lwip_waiting *first = room_of(v[0]), *w = first;
	SYS_ARCH_DECL_PROTECT(level);
	bool known;
	int i;

	for (i = 0; i < n; i++) {
		w = room_of(v[i]);
		w->pkt = v[i];
		w->behind = i + 1 < n ? room_of(v[i + 1]) : NULL;
	}
	SYS_ARCH_PROTECT(level);
	known = link->first;
	if (known)
		link->last->behind = first;
	else
		link->first = first;
	link->last = w;
	SYS_ARCH_UNPROTECT(level);
	return known;
}

/*
 * One message tells lwIP's thread of all packets that wait, so the length of
 * its mailbox does not matter. The pool is the bound: when it is empty, the
 * other packets wait in the kernel.
 */
void fdl_lwip_input(struct fdl_lwip *link, struct fdl_packet *v[], int n)
{
	if (!add_waiting(link, v, n) &&
	    tcpip_callback(input_waiting, link) != ERR_OK)
		drop_waiting(link);
}
#endif
