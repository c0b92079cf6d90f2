/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip_nd.h"

#include <lwip/opt.h>

#if LWIP_IPV6
#include <string.h>

#include <lwip/inet_chksum.h>
#include <lwip/ip6.h>
#include <lwip/netif.h>
#include <lwip/priv/nd6_priv.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/icmp6.h>
#include <lwip/prot/nd6.h>

enum {
	/* Where a redirect names the better hop, and for whom. */
	TARGET = 8,
	DESTINATION = 24,
	ADDRESS = 16,
	/* With one option, which is where a redirect's destination is. */
	ADVERTISEMENT = 32,
};

/* Returns where the options of a message begin. 0: it has none. */
static unsigned options_at(uint8_t type)
{
	switch (type) {
	case ICMP6_TYPE_RS:
		return 8;
	case ICMP6_TYPE_RA:
		return 16;
	case ICMP6_TYPE_NS:
	case ICMP6_TYPE_NA:
		return 24;
	case ICMP6_TYPE_RD:
		return 40;
	default:
		return 0;
	}
}

/* RFC 4861, sections 6.1 to 8.1: no option may have the length 0. */
static bool options_fit(const uint8_t *msg, unsigned len, unsigned at)
{
	unsigned n;

	while (at < len) {
		n = len - at < 2 ? 0 : msg[at + 1] * 8U;
		if (!n || n > len - at)
			return false;
		at += n;
	}
	return at == len;
}

static bool is_link_local(const uint8_t *ip)
{
	return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

static const struct nd6_destination_cache_entry *find_destination(
	const uint8_t *to)
{
	unsigned i;

	for (i = 0; i < LWIP_ND6_NUM_DESTINATIONS; i++) {
		if (!memcmp(destination_cache[i].destination_addr.addr, to,
			    ADDRESS))
			return &destination_cache[i];
	}
	return NULL;
}

/*
 * RFC 4861, section 8.1, which lwIP does not check: only the present first hop
 * to a destination may name a better one. The better one is a router on the
 * link, or the destination itself.
 */
static bool redirect_is_right(const uint8_t *msg, const uint8_t *from)
{
	const uint8_t *target = msg + TARGET, *to = msg + DESTINATION;
	const struct nd6_destination_cache_entry *entry = find_destination(to);

	if (!is_link_local(target) && memcmp(target, to, ADDRESS))
		return false;
	return entry && !memcmp(entry->next_hop_addr.addr, from, ADDRESS);
}

bool fdl_lwip_nd_is_right(const uint8_t *msg, unsigned len, const uint8_t *from)
{
	const unsigned at = options_at(msg[0]);

	if (!at)
		return true;
	return len >= at && options_fit(msg, len, at) &&
	       (msg[0] != ICMP6_TYPE_RD || redirect_is_right(msg, from));
}

void fdl_lwip_nd_forget(void)
{
	unsigned i;

	for (i = 0; i < LWIP_ND6_NUM_DESTINATIONS; i++)
		destination_cache[i].pmtu = 0;
}

/* netif->hwaddr as an option, with which all neighbours replace the old one. */
static struct pbuf *make_advertisement(const struct netif *netif,
				       const ip6_addr_t *own,
				       const ip6_addr_t *all)
{
	struct pbuf *p = pbuf_alloc(PBUF_IP, ADVERTISEMENT, PBUF_RAM);
	uint8_t *msg;
	u16_t sum;

	if (!p)
		return NULL;
	msg = p->payload;
	memset(msg, 0, ADVERTISEMENT);
	msg[0] = ICMP6_TYPE_NA;
	msg[4] = ND6_FLAG_OVERRIDE;
	memcpy(msg + TARGET, own->addr, ADDRESS);
	msg[DESTINATION] = ND6_OPTION_TYPE_TARGET_LLADDR;
	msg[DESTINATION + 1] = 1;
	memcpy(msg + DESTINATION + 2, netif->hwaddr, ETH_HWADDR_LEN);
	sum = ip6_chksum_pseudo(p, IP6_NEXTH_ICMP6, ADVERTISEMENT, own, all);
	memcpy(msg + 2, &sum, sizeof(sum));
	return p;
}

void fdl_lwip_nd_announce(struct netif *netif)
{
	const ip6_addr_t *own;
	ip6_addr_t all;
	struct pbuf *p;
	s8_t i;

	ip6_addr_set_allnodes_linklocal(&all);
	ip6_addr_assign_zone(&all, IP6_MULTICAST, netif);
	for (i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
		if (!ip6_addr_isvalid(netif_ip6_addr_state(netif, i)))
			continue;
		own = netif_ip6_addr(netif, i);
		p = make_advertisement(netif, own, &all);
		if (!p)
			return;
		ip6_output_if(p, own, &all, ND6_HOPLIM, 0, IP6_NEXTH_ICMP6,
			      netif);
		pbuf_free(p);
	}
}
#endif
