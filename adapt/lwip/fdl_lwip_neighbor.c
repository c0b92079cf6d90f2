/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP keeps a packet by reference until its neighbour has answered. By then an
 * application may reuse the bytes that the packet refers to. So they are copied
 * as soon as lwIP keeps the packet.
 *
 * lwIP has a place for each neighbour that it looks for, and takes that of a
 * neighbour whom it knows. Strangers from addresses that nobody has would take
 * all places. So what lwIP answers to them, when there is no connection, goes
 * to where their packet came from.
 */
#include "fdl_lwip_neighbor.h"
#include "fdl_lwip.h"
#include "fdl_lwip_address.h"
#include "fdl_lwip_output.h"

#include <string.h>

#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/ip.h>
#include <lwip/nd6.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/tcp.h>
#include <netif/ethernet.h>

static bool has_foreign(const struct pbuf *p)
{
	for (; p; p = p->next)
		if (fdl_lwip_is_foreign(p))
			return true;
	return false;
}

/*
 * Copy all pbufs except the first one, which has lwIP's headers. The copies
 * take the place of the application's bytes also in the segment that TCP keeps.
 * TCP has counted its pbufs, so there are as many as before.
 */
static bool own(struct pbuf *p)
{
	struct pbuf *tail = p->next, *copies = NULL, *copy;
	const struct pbuf *q;

	for (q = tail; q; q = q->next) {
		copy = pbuf_alloc(PBUF_RAW, q->len, PBUF_RAM);
		if (!copy) {
			if (copies)
				pbuf_free(copies);
			return false;
		}
		memcpy(copy->payload, q->payload, q->len);
		if (copies)
			pbuf_cat(copies, copy);
		else
			copies = copy;
	}
	p->next = copies;
	pbuf_free(tail);
	return true;
}

/* Returns whether lwIP keeps the packet, which had ref references before. */
static bool is_kept(const struct fdl_lwip *link, const struct pbuf *p,
		    unsigned ref)
{
	return p->ref > ref && link->passed != p;
}

/* Whether a packet of lwIP's, whose headers have no options, answers to a SYN,
 * or resets what is no connection, for the peer whose segment is looked at. */
static bool is_answer(const struct netif *netif, const struct pbuf *p,
		      unsigned version)
{
	const unsigned at = version == 6 ? IP6_HLEN : IP_HLEN;
	const struct fdl_lwip *link = netif->state;
	const uint8_t *ip = p->payload;

	/* Nobody sends from a group's address. */
	if (link->source[0] & 1 || ip_current_input_netif() != netif ||
	    p->len < at + TCP_HLEN ||
	    ip[version == 6 ? 6 : 9] != IP_PROTO_TCP ||
	    !(ip[at + 13] & (TCP_SYN | TCP_RST)))
		return false;
	return fdl_lwip_is(ip_current_src_addr(), version,
			   ip + (version == 6 ? 24 : 16));
}

static err_t answer(struct netif *netif, struct pbuf *p, u16_t type)
{
	const struct fdl_lwip *link = netif->state;
	struct eth_addr from, to;

	memcpy(from.addr, netif->hwaddr, sizeof(from.addr));
	memcpy(to.addr, link->source, sizeof(to.addr));
	return ethernet_output(netif, p, &from, &to, type);
}

#if LWIP_IPV4 && LWIP_ARP
err_t fdl_lwip_output_arp(struct netif *netif, struct pbuf *p,
			  const ip4_addr_t *addr)
{
	struct fdl_lwip *link = netif->state;
	const unsigned ref = p->ref;
	err_t err;

	if (is_answer(netif, p, 4))
		return answer(netif, p, ETHTYPE_IP);
	link->passed = NULL;
	err = etharp_output(netif, p, addr);
	if (!is_kept(link, p, ref) || !has_foreign(p->next) || own(p))
		return err;
	/* lwIP cannot give up one packet that waits, so all on the link go. */
	etharp_cleanup_netif(netif);
	return ERR_MEM;
}
#endif

#if LWIP_IPV6
err_t fdl_lwip_output_nd(struct netif *netif, struct pbuf *p,
			 const ip6_addr_t *addr)
{
	struct fdl_lwip *link = netif->state;
	const unsigned ref = p->ref;
	err_t err;

	/* lwIP answers fragments that nobody sent (RFC 4443, 2.4), takes a
	 * neighbour that it forgot for their sender, and never frees the
	 * answer.
	 */
	if (ip6_addr_isany(addr))
		return ERR_VAL;
	if (is_answer(netif, p, 6))
		return answer(netif, p, ETHTYPE_IPV6);
	link->passed = NULL;
	err = ethip6_output(netif, p, addr);
	if (!is_kept(link, p, ref) || !has_foreign(p->next) || own(p))
		return err;
	nd6_cleanup_netif(netif);
	return ERR_MEM;
}
#endif
