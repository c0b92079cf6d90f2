/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A port may come back while its last connection is in TIME-WAIT (RFC 1122,
 * 4.2.2.13, and RFC 6191). lwIP by itself answers such a SYN as if it were a
 * mistake.
 */
#include "fdl_lwip_reopen.h"
#include "fdl_lwip_bytes.h"
#include "fdl_lwip_hook.h"
#include "fdl_lwip_link.h"
#include "fdl_lwip_tcp_option.h"

#include <lwip/ip.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>

#if LWIP_TCP
enum {
	/* Segments of the old connection that arrive late are below that. */
	DISTANCE = 0x10000,
};

#if LWIP_TCP_TIMESTAMPS
/* Returns the sign of the difference between the timestamps. 0: they do not
 * tell. */
static int compare_timestamps(const struct tcp_pcb *pcb,
			      const struct tcp_hdr *hdr, u16_t optlen)
{
	const u8_t *opt = fdl_lwip_find_option((const u8_t *)(hdr + 1), optlen,
					       LWIP_TCP_OPT_TS,
					       LWIP_TCP_OPT_LEN_TS);
	u32_t value;

	if (!(pcb->flags & TF_TIMESTAMP) || !opt)
		return 0;
	value = fdl_lwip_get32(opt + 2);
	return TCP_SEQ_GT(value, pcb->ts_recent) -
	       TCP_SEQ_LT(value, pcb->ts_recent);
}
#else
static int compare_timestamps(const struct tcp_pcb *pcb,
			      const struct tcp_hdr *hdr, u16_t optlen)
{
	LWIP_UNUSED_ARG(pcb);
	LWIP_UNUSED_ARG(hdr);
	LWIP_UNUSED_ARG(optlen);
	return 0;
}
#endif

static bool is_later(const struct tcp_pcb *pcb, const struct tcp_hdr *hdr,
		     u16_t optlen)
{
	const int later = compare_timestamps(pcb, hdr, optlen);

	return later ? later > 0 : TCP_SEQ_GEQ(hdr->seqno, pcb->rcv_nxt);
}

/* lwIP itself looks for a listener in this way. */
static bool has_listener(const struct tcp_pcb *pcb)
{
	const struct tcp_pcb_listen *l = tcp_listen_pcbs.listen_pcbs;

	for (; l; l = l->next) {
		if (l->local_port != pcb->local_port)
			continue;
		if (IP_IS_ANY_TYPE_VAL(l->local_ip) ||
		    ip_addr_cmp(&l->local_ip, &pcb->local_ip))
			return true;
		if (IP_ADDR_PCB_VERSION_MATCH_EXACT(l, &pcb->local_ip) &&
		    ip_addr_isany(&l->local_ip))
			return true;
	}
	return false;
}

bool fdl_lwip_restore(struct pbuf *p, struct tcp_hdr *hdr, u16_t optlen)
{
	if (pbuf_add_header_force(p, (size_t)TCP_HLEN + optlen))
		return false;
	hdr->src = lwip_htons(hdr->src);
	hdr->dest = lwip_htons(hdr->dest);
	hdr->seqno = lwip_htonl(hdr->seqno);
	hdr->ackno = lwip_htonl(hdr->ackno);
	hdr->wnd = lwip_htons(hdr->wnd);
	return true;
}

/* lwIP asks for a number once more when it takes the SYN. By then the number
 * has not become less. */
static bool has_new_isn(struct tcp_pcb *pcb)
{
	return TCP_SEQ_GT(tcp_next_iss(pcb), pcb->snd_nxt);
}

bool fdl_lwip_reopen(struct fdl_lwip *link, struct tcp_pcb *pcb,
		     struct tcp_hdr *hdr, u16_t optlen, struct pbuf *p)
{
	const u8_t flags = TCPH_FLAGS(hdr) &
			   (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN);
	bool taken;

	if (flags != TCP_SYN || !is_later(pcb, hdr, optlen) ||
	    !has_listener(pcb))
		return false;
	link->last_seq = pcb->snd_nxt;
	link->reopening = 1;
	taken = has_new_isn(pcb) && fdl_lwip_restore(p, hdr, optlen);
	if (taken) {
		tcp_abort(pcb);
		pbuf_ref(p);
		tcp_input(p, ip_current_input_netif());
	}
	link->reopening = 0;
	return taken;
}

u32_t fdl_lwip_isn(u32_t isn)
{
	const struct netif *netif = ip_current_input_netif();
	struct fdl_lwip *link = netif ? fdl_lwip_link(netif) : NULL;

	if (!link)
		return isn;
	if (link->has_isn)
		isn = link->isn;
	link->has_isn = 0;
	if (link->reopening && !TCP_SEQ_GT(isn, link->last_seq))
		return link->last_seq + DISTANCE;
	return isn;
}
#endif
