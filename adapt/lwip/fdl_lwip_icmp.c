/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP is advice. lwIP takes some of it for an order: any MTU that ICMPv6 names
 * for a path, and any hop that a redirect does. So nothing of the former stays
 * with lwIP, whatever a message came wrapped in: the adaptor keeps paths itself,
 * see fdl_lwip_path.c. The latter is judged, and has to be plain to see.
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
/* An IPv6 packet's headers, as far as they are here. */
struct chain {
	unsigned at;		/* where what is behind them begins */
	uint8_t next;		/* which is that */
	bool extended;
	bool fragment;
	bool later;		/* not the first one */
	bool broken;		/* they go on behind the end */
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

/* RFC 6980: nothing but an echo has a reason to come in fragments. */
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
	/* RFC 7112: a first fragment has them all. */
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

/* lwIP heeds none of the messages: what it is told of lost packets, routers and
 * congestion is passed over. */
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
	/* Of another VLAN: lwIP will not take it. */
	if (pkt->link_len > SIZEOF_ETH_HDR)
		return FDL_LWIP_PASS;
#endif
	if (pkt->protocol == ETHTYPE_IPV6)
		return judge_ip6(link, ip, len);
	if (pkt->protocol == ETHTYPE_IP)
		look_at_ip4(link, ip, len);
	return FDL_LWIP_PASS;
}
