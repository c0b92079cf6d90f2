/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP is advice, but lwIP obeys some of it: any MTU that an ICMPv6 message
 * names for a path, and any next hop that a redirect names. So
 *
 * - whatever lwIP takes from a message about the MTU is undone, and the adaptor
 *   keeps paths itself (fdl_lwip_path.c);
 * - a redirect is checked before lwIP sees it.
 */
#include "fdl_lwip_icmp.h"
#include "fdl_lwip_bytes.h"
#include "fdl_lwip_nd.h"
#include "fdl_lwip_too_big.h"

#include <string.h>

#include <fdlink/offload.h>

#include <lwip/icmp.h>
#include <lwip/icmp6.h>
#include <lwip/ip.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>

enum {
	ICMP_LEN = 8,		/* of any header */
	EXTENSION = 8,		/* length of the shortest, and the unit */
};

#if LWIP_IPV6
/* The chain of an IPv6 packet's headers. */
struct chain {
	unsigned at;		/* where the first other header begins */
	uint8_t next;		/* the type of that header */
	bool extended;		/* there are extension headers */
	bool fragment;		/* the packet is a fragment */
	bool later;		/* and not the first one */
	bool broken;		/* the packet ends within the chain */
};

static bool is_extension(uint8_t next)
{
	return next == IP6_NEXTH_HOPBYHOP || next == IP6_NEXTH_ROUTING ||
	       next == IP6_NEXTH_DESTOPTS || next == IP6_NEXTH_FRAGMENT;
}

static void follow_chain(struct chain *c, const uint8_t *ip, unsigned len)
{
	const uint8_t *header;
	unsigned n;

	while (is_extension(c->next) && !c->later) {
		c->extended = true;
		header = ip + c->at;
		n = len - c->at < EXTENSION ? 0 : EXTENSION;
		if (n && c->next != IP6_NEXTH_FRAGMENT)
			n += header[1] * EXTENSION;
		if (!n || n > len - c->at) {
			c->broken = true;
			return;
		}
		if (c->next == IP6_NEXTH_FRAGMENT) {
			c->fragment = true;
			c->later = fdl_lwip_get16(header + 2) >> 3;
		}
		c->next = header[0];
		c->at += n;
	}
}

static bool sum_is_right6(const uint8_t *ip, const uint8_t *msg, unsigned len)
{
	uint16_t sum = lwip_htons((u16_t)(len + IP6_NEXTH_ICMP6));

	sum = fdl_checksum_sum(ip + 8, 32, sum);
	return fdl_checksum_sum(msg, len, sum) == 0xffff;
}

static void note_too_big6(struct fdl_lwip *link, const uint8_t *ip,
			  const uint8_t *msg, unsigned len)
{
	const struct fdl_lwip_quote q = {
		.ip = msg + ICMP_LEN,
		.len = len - ICMP_LEN,
		.version = 6,
		.mtu = fdl_lwip_get32(msg + 4),
	};

	if (q.len >= IP6_HLEN && !memcmp(q.ip + 8, ip + 24, 16) &&
	    sum_is_right6(ip, msg, len))
		fdl_lwip_too_big(link, &q);
}

/* RFC 6980: no other message has a reason to come in fragments. */
static bool may_be_cut(uint8_t type)
{
	return type == ICMP6_TYPE_EREQ || type == ICMP6_TYPE_EREP;
}

static enum fdl_lwip_icmp judge_icmp6(struct fdl_lwip *link, const uint8_t *ip,
				      unsigned len, const struct chain *c)
{
	const uint8_t *msg = ip + c->at;

	len -= c->at;
	if (c->fragment)
		return len && may_be_cut(msg[0]) ? FDL_LWIP_MISTRUST :
						   FDL_LWIP_DROP;
	if (len < ICMP_LEN)
		return FDL_LWIP_DROP;
	if (!fdl_lwip_nd_is_right(msg, len, ip + 8))
		return FDL_LWIP_DROP;
	if (msg[0] == ICMP6_TYPE_PTB)
		note_too_big6(link, ip, msg, len);
	return may_be_cut(msg[0]) && !c->extended ? FDL_LWIP_PASS :
						    FDL_LWIP_MISTRUST;
}

static enum fdl_lwip_icmp judge_ip6(struct fdl_lwip *link, const uint8_t *ip,
				    unsigned len)
{
	struct chain c = { .at = IP6_HLEN };

	if (len < IP6_HLEN)
		return FDL_LWIP_PASS;
	c.next = ip[6];
	if (c.next == IP6_NEXTH_TCP || c.next == IP6_NEXTH_UDP)
		return FDL_LWIP_PASS;
	len = LWIP_MIN(len, IP6_HLEN + (unsigned)fdl_lwip_get16(ip + 4));
	follow_chain(&c, ip, len);
	/* RFC 7112: the first fragment has the whole chain. */
	if (c.broken)
		return FDL_LWIP_DROP;
	if (!c.later && c.next == IP6_NEXTH_ICMP6)
		return judge_icmp6(link, ip, len, &c);
	return c.extended ? FDL_LWIP_MISTRUST : FDL_LWIP_PASS;
}

void fdl_lwip_icmp_undo(void)
{
	fdl_lwip_nd_forget();
}
#else
static enum fdl_lwip_icmp judge_ip6(struct fdl_lwip *link, const uint8_t *ip,
				    unsigned len)
{
	LWIP_UNUSED_ARG(link);
	LWIP_UNUSED_ARG(ip);
	LWIP_UNUSED_ARG(len);
	return FDL_LWIP_PASS;
}

void fdl_lwip_icmp_undo(void)
{
}
#endif

#if LWIP_IPV4
static void note_too_big4(struct fdl_lwip *link, const uint8_t *ip,
			  const uint8_t *msg, unsigned len)
{
	const struct fdl_lwip_quote q = {
		.ip = msg + ICMP_LEN,
		.len = len - ICMP_LEN,
		.version = 4,
		.mtu = fdl_lwip_get16(msg + 6),
	};

	if (q.len >= IP_HLEN && !memcmp(q.ip + 12, ip + 16, 4) &&
	    fdl_checksum_sum(msg, len, 0) == 0xffff)
		fdl_lwip_too_big(link, &q);
}

/* lwIP ignores all ICMP messages of IPv4 except echoes. */
static void look_at_ip4(struct fdl_lwip *link, const uint8_t *ip, unsigned len)
{
	unsigned hdr_len;

	if (len < IP_HLEN || ip[9] != IP_PROTO_ICMP ||
	    fdl_lwip_get16(ip + 6) & (IP_MF | IP_OFFMASK))
		return;
	hdr_len = (ip[0] & 15) * 4U;
	len = LWIP_MIN(len, (unsigned)fdl_lwip_get16(ip + 2));
	if (hdr_len < IP_HLEN || len < hdr_len + ICMP_LEN)
		return;
	ip += hdr_len;
	if (ip[0] == ICMP_DUR && ip[1] == ICMP_DUR_FRAG)
		note_too_big4(link, ip - hdr_len, ip, len - hdr_len);
}
#else
static void look_at_ip4(struct fdl_lwip *link, const uint8_t *ip, unsigned len)
{
	LWIP_UNUSED_ARG(link);
	LWIP_UNUSED_ARG(ip);
	LWIP_UNUSED_ARG(len);
}
#endif

enum fdl_lwip_icmp fdl_lwip_icmp_judge(struct fdl_lwip *link,
				       const struct fdl_packet *pkt)
{
	const uint8_t *ip = pkt->data + pkt->link_len;
	const unsigned len = pkt->len - LWIP_MIN(pkt->len, pkt->link_len);

#if !ETHARP_SUPPORT_VLAN
	/* It is of another VLAN, and lwIP will drop it. */
	if (pkt->link_len > SIZEOF_ETH_HDR)
		return FDL_LWIP_PASS;
#endif
	if (pkt->protocol == ETHTYPE_IPV6)
		return judge_ip6(link, ip, len);
	if (pkt->protocol == ETHTYPE_IP)
		look_at_ip4(link, ip, len);
	return FDL_LWIP_PASS;
}
