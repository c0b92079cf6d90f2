/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segmentation offload for lwIP's TCP. In lwIP, tcp_write makes segments of at
 * most pcb->mss bytes, and each is sent, retransmitted and freed as a whole.
 * Here tcp_write sees a multiple of the MSS. tcp_output splits a segment that
 * cannot go as a whole: at the edge of the window, or when only a part of it is
 * to be sent again. Everywhere else lwIP sees the connection's own MSS and the
 * link's own MTU. So its congestion control, its SYNs and its fragments are as
 * always.
 */
#include "fdl_lwip_tso.h"
#include "fdl_lwip_link.h"
#include "fdl_lwip_path.h"
#include "fdl_lwip_plain.h"
#include "fdl_lwip_segment.h"

#include <string.h>

#if !LWIP_TCP || !TCP_CALCULATE_EFF_SEND_MSS
#error "fdl_lwip_tso needs LWIP_TCP and TCP_CALCULATE_EFF_SEND_MSS"
#endif

#if !LWIP_CHECKSUM_CTRL_PER_NETIF || !defined(LWIP_HOOK_TCP_INPACKET_PCB)
#error "fdl_lwip_tso needs LWIP_CHECKSUM_CTRL_PER_NETIF and the hook LWIP_HOOK_TCP_INPACKET_PCB: see fdl_lwip.h"
#endif

enum {
	/* So that a segment stays below 64 KiB with the longest headers: a link
	 * header with a tag, IPv6, TCP. */
	MAX_LEN = 0xffff - 18 - 40 - 60,
	/* Segments in a send buffer: while one is acknowledged, the next is
	 * made. */
	BUFFERED = 4,
	/* No path's MSS is less, unless the peer's is. */
	SMALL = 512,
	/* Parts of a window. A piece that is smaller waits while the others are
	 * in flight, or pieces would become smaller and smaller. */
	PARTS = 8,
};

/* Returns the connection's MSS, or the path's if that is less. */
static u16_t real_mss(const struct tcp_pcb *pcb, struct fdl_lwip *link)
{
	u16_t mss;

	if (!link)
		return pcb->mss;
	mss = fdl_lwip_path_mss(link, &pcb->remote_ip);
	return LWIP_MIN(mss, pcb->mss);
}

static u16_t option_len(const struct tcp_pcb *pcb)
{
#if LWIP_TCP_TIMESTAMPS
	if (pcb->flags & TF_TIMESTAMP)
		return LWIP_TCP_OPT_LEN_TS + 2;
#else
	LWIP_UNUSED_ARG(pcb);
#endif
	return 0;
}

/* Returns how many bytes of a segment are acknowledged. */
static u32_t acked(const struct tcp_pcb *pcb, const struct tcp_seg *seg)
{
	const u32_t n = pcb->lastack - fdl_lwip_seqno(seg);

	return (s32_t)n > 0 ? n : 0;
}

/* Returns what tcp_write shall take for the MSS. */
static u16_t large_mss(const struct tcp_pcb *pcb, struct fdl_lwip *link)
{
	const u16_t optlen = option_len(pcb);
	const u16_t mss = real_mss(pcb, link);
	u32_t max = LWIP_MIN((u32_t)MAX_LEN, TCP_SND_BUF / BUFFERED);

	if (!link || !link->tso)
		return mss;
	max = LWIP_MIN(max, pcb->cwnd);
	max = LWIP_MIN(max, pcb->snd_wnd_max / 2U);
	if (mss <= optlen || max < 2U * mss)
		return mss;
	return (u16_t)((max - optlen) / (mss - optlen) * (mss - optlen) +
		       optlen);
}

/* lwIP must not see an MSS that is less than the last segment, which it may
 * want to fill up. */
static u16_t last_len(const struct tcp_pcb *pcb)
{
	const struct tcp_seg *seg = pcb->unsent;

	if (!seg)
		return 0;
	while (seg->next)
		seg = seg->next;
#if TCP_OVERSIZE
	return (u16_t)(seg->len + option_len(pcb) + pcb->unsent_oversize);
#else
	return (u16_t)(seg->len + option_len(pcb));
#endif
}

/*
 * So few bytes are one segment on any path, so the path need not be looked up.
 */
static bool is_small(const struct tcp_pcb *pcb, u16_t len)
{
	return len <= SMALL && len + option_len(pcb) <= pcb->mss;
}

err_t tcp_write(struct tcp_pcb *pcb, const void *data, u16_t len, u8_t apiflags)
{
	u16_t mss, large;
	err_t err;

	if (!pcb || pcb->state < ESTABLISHED ||
	    (!pcb->unsent && is_small(pcb, len)))
		return fdl_lwip_plain_write(pcb, data, len, apiflags);
	mss = pcb->mss;
	large = large_mss(pcb, fdl_lwip_link_of(pcb));
	pcb->mss = LWIP_MAX(large, last_len(pcb));
	err = fdl_lwip_plain_write(pcb, data, len, apiflags);
	pcb->mss = mss;
	return err;
}

/* Returns whether the first unsent segment has become len bytes long. */
static bool split(struct tcp_pcb *pcb, u32_t len)
{
	return fdl_lwip_split(pcb, &pcb->unsent, len);
}

/* Move a segment that has been sent from *from back to those in flight. */
static void put_back(struct tcp_pcb *pcb, struct tcp_seg **from)
{
	fdl_lwip_move(from, &pcb->unacked);
#if TCP_OVERSIZE
	if (!pcb->unsent)
		pcb->unsent_oversize = 0;
#endif
}

/*
 * The part of the first segment that the peer has is not sent again. It goes to
 * the segments in flight. With the next acknowledgement lwIP frees it, and
 * tells the application. While lwIP probes a window, nothing may be in flight.
 */
static void keep_acked(struct tcp_pcb *pcb)
{
	const u32_t n = acked(pcb, pcb->unsent);

	if (!n || n >= pcb->unsent->len || pcb->persist_backoff)
		return;
	if (split(pcb, n))
		put_back(pcb, &pcb->unsent);
}

/*
 * A timeout brings back what keep_acked has split off, and lwIP would send it
 * alone. So it joins the segment behind it, which it was split from.
 */
static void rejoin_acked(struct tcp_pcb *pcb)
{
	struct tcp_seg *seg = pcb->unsent, *next = seg->next;

	if (!next || acked(pcb, seg) < seg->len || seg->p->ref != 1 ||
	    next->p->ref != 1 ||
	    fdl_lwip_seqno(next) != fdl_lwip_seqno(seg) + seg->len ||
	    seg->len + next->len > MAX_LEN)
		return;
	pbuf_remove_header(next->p, next->p->tot_len - (size_t)next->len);
	pbuf_cat(seg->p, next->p);
	next->p = NULL;
	seg->len += next->len;
	TCPH_SET_FLAG(seg->tcphdr,
		      TCPH_FLAGS(next->tcphdr) & (TCP_FIN | TCP_PSH));
	seg->next = next->next;
	tcp_seg_free(next);
}

/* Whether all of the first segment was sent before, and is not sent again
 * because of a timeout. */
static bool is_fast_rexmit(const struct tcp_pcb *pcb)
{
	const struct tcp_seg *seg = pcb->unsent;

	return (pcb->flags & (TF_INFR | TF_RTO)) == TF_INFR &&
	       TCP_SEQ_LEQ(fdl_lwip_seqno(seg) + seg->len, pcb->snd_nxt);
}

/*
 * Returns how much of the first segment may go now. If it is not all, that is
 * the part that the peer has, and whole units behind it. If no unit may go, it
 * is nothing: the part that the peer has, in flight again, would keep lwIP from
 * probing the window.
 */
static u32_t may_send(const struct tcp_pcb *pcb, u16_t unit, bool eager)
{
	const u32_t wnd = LWIP_MIN(pcb->snd_wnd, pcb->cwnd);
	const u32_t old = acked(pcb, pcb->unsent);
	const u32_t used = fdl_lwip_seqno(pcb->unsent) + old - pcb->lastack;
	const s32_t room = (s32_t)(wnd - used);
	u32_t n;

	if (room >= (s32_t)(pcb->unsent->len - old))
		return pcb->unsent->len;
	if (room < unit)
		return 0;
	n = (u32_t)room / unit * unit;
	if (!eager && !(pcb->flags & (TF_INFR | TF_RTO)) && n < wnd / PARTS)
		return 0;
	return old + n;
}

/*
 * A split copies what lies behind it. A long segment is halved first, so that
 * it is copied less often if it goes in many pieces.
 */
static bool split_off(struct tcp_pcb *pcb, u32_t len, u16_t unit)
{
	while (len < pcb->unsent->len / 2) {
		if (!split(pcb, pcb->unsent->len / unit / 2U * unit))
			return false;
	}
	return pcb->unsent->len == len || split(pcb, len);
}

/* Split the first unsent segment so that lwIP can send the first part. Returns
 * whether it was split. */
static bool fit(struct tcp_pcb *pcb, u16_t unit, bool eager)
{
	u32_t n;

	if (!pcb->unsent)
		return false;
	rejoin_acked(pcb);
	if (pcb->unsent->len <= unit || !may_send(pcb, unit, eager))
		return false;
	keep_acked(pcb);
	if (is_fast_rexmit(pcb)) {
		n = acked(pcb, pcb->unsent) + unit;
		if (pcb->unsent->len > n && split(pcb, n))
			put_back(pcb, &pcb->unsent->next);
		return true;
	}
	n = may_send(pcb, unit, eager);
	return n && split_off(pcb, n, unit);
}

/* The link's MTU does not count for super-packets: lwIP must not fragment
 * them. */
static err_t send_uncut(struct tcp_pcb *pcb, struct fdl_lwip *link, u16_t mss)
{
	struct netif *netif = link->netif;
	const u16_t mtu = netif->mtu;
#if LWIP_IPV6 && LWIP_ND6_ALLOW_RA_UPDATES
	const u16_t mtu6 = netif->mtu6;

	netif->mtu6 = 0;
#endif
	err_t err;

	netif->mtu = 0;
	link->mss = mss;
	err = fdl_lwip_plain_output(pcb);
	link->mss = 0;
	netif->mtu = mtu;
#if LWIP_IPV6 && LWIP_ND6_ALLOW_RA_UPDATES
	netif->mtu6 = mtu6;
#endif
	return err;
}

/* Nagle's algorithm must not hold back what was sent before. */
static err_t send(struct tcp_pcb *pcb, struct fdl_lwip *link, u16_t mss)
{
	const bool again = TCP_SEQ_LT(fdl_lwip_seqno(pcb->unsent),
				      pcb->snd_nxt);
	const tcpflags_t nodelay = pcb->flags & TF_NODELAY;
	err_t err;

	if (again)
		tcp_set_flags(pcb, TF_NODELAY);
	err = link && link->tso ? send_uncut(pcb, link, mss) :
				  fdl_lwip_plain_output(pcb);
	if (again && !nodelay)
		tcp_clear_flags(pcb, TF_NODELAY);
	return err;
}

/* Whether lwIP can do it alone: there is nothing to send, or little that was
 * not sent before. */
static bool is_plain(const struct tcp_pcb *pcb)
{
	const struct tcp_seg *seg = pcb->unsent;

	if (!seg || pcb->state < ESTABLISHED || pcb == tcp_input_pcb)
		return true;
	return !seg->next && is_small(pcb, seg->len) &&
	       !TCP_SEQ_LT(fdl_lwip_seqno(seg), pcb->snd_nxt);
}

static u16_t find_unit(const struct tcp_pcb *pcb, u16_t mss)
{
	return (u16_t)(mss - LWIP_MIN(mss - 1, option_len(pcb)));
}

u16_t fdl_lwip_tso_unit(const struct tcp_pcb *pcb)
{
	return find_unit(pcb, real_mss(pcb, fdl_lwip_link_of(pcb)));
}

err_t fdl_lwip_tso_output(struct tcp_pcb *pcb, bool eager)
{
	struct fdl_lwip *link;
	u16_t mss, unit;
	err_t err;

	if (is_plain(pcb))
		return fdl_lwip_plain_output(pcb);
	link = fdl_lwip_link_of(pcb);
	mss = real_mss(pcb, link);
	unit = find_unit(pcb, mss);
	fit(pcb, unit, eager);
	err = send(pcb, link, mss);
	/* Part of the segment that is first now may go, too. */
	if (err == ERR_OK && fit(pcb, unit, eager))
		err = send(pcb, link, mss);
	return err;
}

/* lwIP's timer calls this to fill a small window, which begins behind what is
 * acknowledged. */
err_t tcp_split_unsent_seg(struct tcp_pcb *pcb, u16_t len)
{
	const struct tcp_seg *seg = pcb->unsent;
	u32_t n;

	if (!seg)
		return ERR_MEM;
	n = acked(pcb, seg) + len;
	if (!len || n >= seg->len)
		return ERR_OK;
	return split(pcb, n) ? ERR_OK : ERR_MEM;
}
