/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP reads some bytes before it knows that they are there, and it trusts
 * fragments to make a whole that fits. These packets are dropped here:
 *
 * - The fixed part of an ARP, IP, TCP or UDP header is not all there, or the
 *   length of an extension header is missing. lwIP reads these at once.
 * - An option of TCP, or of an extension header, goes on behind the header.
 *   lwIP reads the length of an option even if the option was the last byte.
 * - A fragment may end with a TCP header, in the middle of its options.
 * - Fragments would add up to more than the 16 bits that count them.
 * - What was put together has another fragment header. lwIP looks for that one
 *   at a place that it has from a different packet.
 */
#include "fdl_lwip_check.h"
#include "fdl_lwip_bytes.h"
#include "fdl_lwip_tcp_option.h"

#include <lwip/opt.h>
#include <lwip/prot/etharp.h>
#include <lwip/prot/ip.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/tcp.h>
#include <lwip/prot/udp.h>

enum {
	MAX_LEN = 0xffff,	/* that a pbuf counts */
	UNIT = 8,		/* of fragments and extension headers */
	/* As long as the longest header that lwIP reads at once. Real first
	 * fragments of IPv6 are longer. */
	MIN_FIRST = 64,
	MAX_TCP_HDR = 60,
	OPT_PAD1 = 0,
};

/* NOP, NOP and a timestamp, as everybody sends it. */
static const uint32_t TIMESTAMP = 0x0101080a;

/* Most packets pass these functions: inline them, however many callers they
 * have. */
#define EACH_PACKET static inline __attribute__((always_inline))
/* Few packets need these: keep them out of the way of the others. */
#define FEW_PACKETS static __attribute__((noinline))

/* A part of the packet. */
struct part {
	const uint8_t *at;
	unsigned len;
};

/* TCP's options end where the header does, or at an END option before. */
FEW_PACKETS bool tcp_options_fit(const uint8_t *opt, unsigned len)
{
	unsigned at = 0;

	while (fdl_lwip_next_option(opt, len, &at))
		;
	return at == len || opt[at] == FDL_LWIP_OPT_END;
}

EACH_PACKET bool check_tcp(struct part tcp)
{
	unsigned hdr_len;

	if (tcp.len < TCP_HLEN)
		return false;
	hdr_len = (tcp.at[12] >> 4) * 4U;
	if (hdr_len < TCP_HLEN || hdr_len > tcp.len)
		return false;
	if (hdr_len == TCP_HLEN ||
	    (hdr_len == TCP_HLEN + 12 &&
	     fdl_lwip_get32(tcp.at + TCP_HLEN) == TIMESTAMP))
		return true;
	return tcp_options_fit(tcp.at + TCP_HLEN, hdr_len - TCP_HLEN);
}

static bool check_udp(struct part udp)
{
	unsigned len;

	if (udp.len < UDP_HLEN)
		return false;
	len = fdl_lwip_get16(udp.at + 4);
	return len >= UDP_HLEN && len <= udp.len;
}

/* IPv4 and IPv6 have the same numbers for them. */
EACH_PACKET bool check_transport(uint8_t proto, struct part p)
{
	switch (proto) {
	case IP_PROTO_TCP:
		return check_tcp(p);
	case IP_PROTO_UDP:
		return check_udp(p);
	default:
		return true;
	}
}

/* offset: where the fragment's bytes belong, behind the packet's IP header. */
static bool fragment_fits(struct part p, unsigned hdr_len, unsigned offset,
			  bool more)
{
	return p.len && !(more && p.len % UNIT) &&
	       hdr_len + offset + p.len <= MAX_LEN;
}

/*
 * lwIP keeps the IP header of a first fragment that it then refuses, and takes
 * the bytes from another fragment. So any fragment may be read as TCP, whatever
 * it says that it is. Returns whether no TCP header can end with this one in
 * the middle of an option.
 */
static bool ends_no_header(struct part p, unsigned offset)
{
	const unsigned end = offset + p.len;

	if (end > MAX_TCP_HDR || end < TCP_HLEN || end % 4)
		return true;
	if (offset)
		return p.at[p.len - 1] <= FDL_LWIP_OPT_NOP;
	return (p.at[12] >> 4) * 4U != end ||
	       tcp_options_fit(p.at + TCP_HLEN, end - TCP_HLEN);
}

FEW_PACKETS bool check_ip4_fragment(struct part p, unsigned offset, bool more,
				    uint8_t proto)
{
	return fragment_fits(p, IP_HLEN, offset, more) &&
	       ends_no_header(p, offset) &&
	       (offset || proto != IP_PROTO_TCP || check_tcp(p));
}

EACH_PACKET bool check_ip4(struct part ip)
{
	unsigned hdr_len, len, offset;
	struct part p;

	if (ip.len < IP_HLEN)
		return false;
	hdr_len = (ip.at[0] & 15) * 4U;
	len = fdl_lwip_get16(ip.at + 2);
	if (hdr_len < IP_HLEN || hdr_len > len || len > ip.len)
		return false;
	p = (struct part){ ip.at + hdr_len, len - hdr_len };
	offset = fdl_lwip_get16(ip.at + 6);
	if (!(offset & (IP_MF | IP_OFFMASK)))
		return check_transport(ip.at[9], p);
	/* lwIP does not put fragments together that have IP options. */
	return hdr_len != IP_HLEN ||
	       check_ip4_fragment(p, (offset & IP_OFFMASK) * UNIT,
				  offset & IP_MF, ip.at[9]);
}

static bool has_options(uint8_t next)
{
	return next == IP6_NEXTH_HOPBYHOP || next == IP6_NEXTH_DESTOPTS;
}

static bool is_extension(uint8_t next)
{
	return has_options(next) || next == IP6_NEXTH_ROUTING ||
	       next == IP6_NEXTH_FRAGMENT;
}

/* Options in an extension header. */
static bool ip6_options_fit(const uint8_t *opt, unsigned len)
{
	unsigned at = 0;

	while (at < len) {
		if (opt[at] == OPT_PAD1) {
			at++;
			continue;
		}
		if (len - at < 2 || opt[at + 1] > len - at - 2)
			return false;
		at += 2U + opt[at + 1];
	}
	return true;
}

/* Returns the length of an extension header, or 0: it is not all there. */
static unsigned extension_len(uint8_t type, struct part p)
{
	unsigned len;

	if (p.len < UNIT)
		return 0;
	if (type == IP6_NEXTH_FRAGMENT)
		return UNIT;
	len = (p.at[1] + 1U) * UNIT;
	if (len > p.len ||
	    (has_options(type) && !ip6_options_fit(p.at + 2, len - 2)))
		return 0;
	return len;
}

/*
 * The fragment header must be the only extension header. lwIP counts those
 * before it for one fragment only, and takes the type of what is behind it from
 * the fragment that arrives first.
 */
FEW_PACKETS bool check_ip6_fragment(struct part p, bool first_header)
{
	const unsigned field = fdl_lwip_get16(p.at + 2);
	const unsigned offset = field & IP6_FRAG_OFFSET_MASK;
	const struct part rest = { p.at + UNIT, p.len - UNIT };

	if (!first_header || is_extension(p.at[0]) ||
	    !fragment_fits(rest, IP6_HLEN, offset, field & IP6_FRAG_MORE_FLAG))
		return false;
	if (offset)
		return true;
	return rest.len >= MIN_FIRST &&
	       (p.at[0] != IP_PROTO_TCP || check_tcp(rest));
}

static bool is_in_fragments(const uint8_t *header)
{
	return fdl_lwip_get16(header + 2) &
	       (IP6_FRAG_OFFSET_MASK | IP6_FRAG_MORE_FLAG);
}

static bool check_ip6(struct part ip)
{
	uint8_t next;
	unsigned len;
	struct part p;

	if (ip.len < IP6_HLEN || fdl_lwip_get16(ip.at + 4) > ip.len - IP6_HLEN)
		return false;
	next = ip.at[6];
	p = (struct part){ ip.at + IP6_HLEN, fdl_lwip_get16(ip.at + 4) };
	while (is_extension(next)) {
		len = extension_len(next, p);
		if (!len)
			return false;
		if (next == IP6_NEXTH_FRAGMENT && is_in_fragments(p.at))
			return check_ip6_fragment(p, p.at == ip.at + IP6_HLEN);
		next = p.at[0];
		p.at += len;
		p.len -= len;
	}
	return check_transport(next, p);
}

/* If there is no link header, lwIP looks at the version only. */
static bool check_ip(uint16_t protocol, struct part ip)
{
	if (!ip.len)
		return false;
	switch (ip.at[0] >> 4) {
	case 4:
		return protocol == ETHTYPE_IP && check_ip4(ip);
	case 6:
		return protocol == ETHTYPE_IPV6 && check_ip6(ip);
	default:
		return false;
	}
}

bool fdl_lwip_check(const struct fdl_packet *pkt)
{
	const unsigned link_len = pkt->link_len;
	const struct part p = {
		pkt->data + link_len,
		pkt->len > link_len ? pkt->len - link_len : 0,
	};

	if (!link_len)
		return check_ip(pkt->protocol, p);
	switch (pkt->protocol) {
	case ETHTYPE_IP:
	case ETHTYPE_IPV6:
		return check_ip(pkt->protocol, p);
	case ETHTYPE_ARP:
		return p.len >= SIZEOF_ETHARP_HDR;
	default:
		return true;
	}
}
