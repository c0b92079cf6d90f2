/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Packet too big" of ICMPv6 and "fragmentation needed" of ICMP may come from
 * anybody (RFC 5927). A router that sends one has seen the packet, and quotes
 * it. If the packet is TCP's, addresses, ports and a sequence number in flight
 * must be right. Any other packet must at least have gone to a destination to
 * which one of such a length went lately.
 */
#include "fdl_lwip_too_big.h"
#include "fdl_lwip_address.h"
#include "fdl_lwip_bytes.h"
#include "fdl_lwip_output.h"
#include "fdl_lwip_path.h"

#include <lwip/ip.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/udp.h>

enum {
	/* RFC 8201, section 4: less is no IPv6 path's. RFC 1191: it is hardly
	 * an IPv4 path's, and TCP lets routers cut there after a while. */
	MIN_IP6 = 1280,
	MIN_IP4 = 576,
	BEGINNING = 8,		/* ports, and TCP's sequence number */
};

/* The quoted packet's headers. */
struct packet {
	const uint8_t *from, *to;
	const uint8_t *transport;
	unsigned version;
	unsigned len;		/* as it was sent */
	uint8_t proto;
};

static bool read_ip6(const struct fdl_lwip_quote *q, struct packet *p)
{
	if (q->len < IP6_HLEN + BEGINNING || q->ip[0] >> 4 != 6)
		return false;
	p->len = IP6_HLEN + fdl_lwip_get16(q->ip + 4);
	p->proto = q->ip[6];
	p->from = q->ip + 8;
	p->to = q->ip + 24;
	p->transport = q->ip + IP6_HLEN;
	return true;
}

static bool read_ip4(const struct fdl_lwip_quote *q, struct packet *p)
{
	unsigned hdr_len;

	if (q->len < IP_HLEN || q->ip[0] >> 4 != 4)
		return false;
	hdr_len = (q->ip[0] & 15) * 4U;
	if (hdr_len < IP_HLEN || q->len < hdr_len + BEGINNING ||
	    fdl_lwip_get16(q->ip + 6) & (IP_MF | IP_OFFMASK))
		return false;
	p->len = fdl_lwip_get16(q->ip + 2);
	p->proto = q->ip[9];
	p->from = q->ip + 12;
	p->to = q->ip + 16;
	p->transport = q->ip + hdr_len;
	return true;
}

static bool read_packet(const struct fdl_lwip_quote *q, struct packet *p)
{
	p->version = q->version;
	return q->version == 6 ? read_ip6(q, p) : read_ip4(q, p);
}

#if LWIP_TCP
static bool is_of(const struct tcp_pcb *pcb, const struct packet *p)
{
	const uint32_t at = fdl_lwip_get32(p->transport + 4);

	return pcb->local_port == fdl_lwip_get16(p->transport) &&
	       pcb->remote_port == fdl_lwip_get16(p->transport + 2) &&
	       fdl_lwip_is(&pcb->remote_ip, p->version, p->to) &&
	       fdl_lwip_is(&pcb->local_ip, p->version, p->from) &&
	       TCP_SEQ_GEQ(at, pcb->lastack) && TCP_SEQ_LT(at, pcb->snd_nxt);
}

static struct tcp_pcb *find_connection(const struct packet *p)
{
	struct tcp_pcb *pcb = tcp_active_pcbs;

	while (pcb && !is_of(pcb, p))
		pcb = pcb->next;
	return pcb;
}

/*
 * What is in flight was as long as the quoted packet, and is lost too. So all
 * of it is sent again, without a smaller congestion window, since the network
 * is not congested. lwIP keeps TF_RTO set until that is done, and further
 * messages change nothing.
 */
static void send_again(struct fdl_lwip *link, struct tcp_pcb *pcb)
{
	if (pcb->flags & TF_RTO)
		return;
	fdl_lwip_flush(link);
	if (tcp_rexmit_rto_prepare(pcb) == ERR_OK)
		tcp_rexmit_rto_commit(pcb);
}

static void narrow_connection(struct fdl_lwip *link, const struct packet *p,
			      uint16_t mtu)
{
	struct tcp_pcb *pcb = find_connection(p);

	if (!pcb)
		return;
	fdl_lwip_path_narrow(link, p->version, p->to, mtu);
	if (pcb->state >= ESTABLISHED)
		send_again(link, pcb);
}
#else
static void narrow_connection(struct fdl_lwip *link, const struct packet *p,
			      uint16_t mtu)
{
	LWIP_UNUSED_ARG(link);
	LWIP_UNUSED_ARG(p);
	LWIP_UNUSED_ARG(mtu);
}
#endif

#if LWIP_UDP
static bool is_bound(uint16_t port)
{
	const struct udp_pcb *pcb = udp_pcbs;

	while (pcb && pcb->local_port != port)
		pcb = pcb->next;
	return pcb;
}
#else
static bool is_bound(uint16_t port)
{
	LWIP_UNUSED_ARG(port);
	return false;
}
#endif

#if LWIP_IPV6
static bool is_own(const struct netif *netif, const uint8_t *from)
{
	unsigned i;

	for (i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
		if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)) &&
		    fdl_lwip_is(netif_ip_addr6(netif, i), 6, from))
			return true;
	}
	return false;
}
#else
static bool is_own(const struct netif *netif, const uint8_t *from)
{
	LWIP_UNUSED_ARG(netif);
	LWIP_UNUSED_ARG(from);
	return false;
}
#endif

/* Of IPv4 routers fragment what belongs to no connection. */
static bool can_be_ours(const struct fdl_lwip *link, const struct packet *p)
{
	if (p->version != 6 || !is_own(link->netif, p->from))
		return false;
	if (p->proto == IP6_NEXTH_UDP &&
	    !is_bound(fdl_lwip_get16(p->transport)))
		return false;
	return fdl_lwip_path_used(link, p->version, p->to);
}

void fdl_lwip_too_big(struct fdl_lwip *link, const struct fdl_lwip_quote *q)
{
	struct packet p;

	if (q->mtu < (q->version == 6 ? MIN_IP6 : MIN_IP4) ||
	    q->mtu >= link->mtu || !read_packet(q, &p) || p.len <= q->mtu)
		return;
	if (p.proto == IP_PROTO_TCP)
		narrow_connection(link, &p, (uint16_t)q->mtu);
	else if (can_be_ours(link, &p))
		fdl_lwip_path_narrow(link, p.version, p.to, (uint16_t)q->mtu);
}
