/* SPDX-License-Identifier: Apache-2.0 */
#include "too_big.h"

#include <string.h>

#include <fdlink/fdlink.h>
#include <fdlink/offload.h>

enum {
	PROTOCOL_IP4 = 0x0800,
	PROTOCOL_IP6 = 0x86dd,
	ADDRESSES = 12,		/* bytes of an Ethernet header */
	IP4_HEADER = 20,
	IP6_HEADER = 40,
	IP6_LEAST_MTU = 1280,
	ICMP_HEADER = 8,
	IP4_ANSWER = 576,	/* at most: RFC 1812, 4.3.2.3 */
	HOP_BY_HOP = 0,
	NEXT_ICMP = 1,
	NEXT_ICMP6 = 58,
	DONT_FRAGMENT = 0x40,	/* in byte 6 of an IPv4 header */
	TTL = 64,
	BURST = 10,
	REFILL_NS = 10000000,
};

/* The network header of a packet, and all behind it. */
struct view {
	const uint8_t *at;
	size_t len;
};

static struct view view_of(const struct fdl_packet *pkt)
{
	const size_t skip = pkt->link_len < pkt->len ? pkt->link_len : pkt->len;

	return (struct view){ pkt->data + skip, pkt->len - skip };
}

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static bool is_ip4(const struct fdl_packet *pkt, struct view ip)
{
	return pkt->protocol == PROTOCOL_IP4 && ip.len >= IP4_HEADER &&
	       ip.at[0] >> 4 == 4;
}

static bool is_ip6(const struct fdl_packet *pkt, struct view ip)
{
	return pkt->protocol == PROTOCOL_IP6 && ip.len >= IP6_HEADER &&
	       ip.at[0] >> 4 == 6;
}

/* Bytes behind the link header that the longest segment has. */
static size_t longest_segment(const struct fdl_packet *pkt, struct view ip)
{
	const size_t headers = pkt->off.hdr_len > pkt->link_len ?
				       pkt->off.hdr_len - pkt->link_len :
				       0;
	const size_t segment = headers + pkt->off.gso_size;

	return segment < ip.len ? segment : ip.len;
}

/* What a router checks before it forwards a packet (RFC 1812, 5.2.2). Returns
 * the length of the packet, or 0: it is damaged. */
static size_t whole4(struct view ip)
{
	const size_t header = (size_t)(ip.at[0] & 0xf) * 4;
	const size_t total = get16(ip.at + 2);

	if (header < IP4_HEADER || header > total || total > ip.len)
		return 0;
	return fdl_checksum_sum(ip.at, header, 0) == 0xffff ? total : 0;
}

/* The same. A jumbogram (RFC 2675) has its length in an option. */
static size_t whole6(struct view ip)
{
	const size_t payload = get16(ip.at + 4);

	if (!payload && ip.at[6] == HOP_BY_HOP)
		return ip.len;
	return payload <= ip.len - IP6_HEADER ? IP6_HEADER + payload : 0;
}

bool too_big(const struct fdl_packet *pkt, uint32_t mtu)
{
	const struct view ip = view_of(pkt);
	const bool v6 = is_ip6(pkt, ip);

	if (!v6 && !(is_ip4(pkt, ip) && ip.at[6] & DONT_FRAGMENT))
		return false;
	/* The fields of a super-packet's header are those of no packet. */
	if (pkt->off.gso)
		return longest_segment(pkt, ip) > mtu;
	return (v6 ? whole6(ip) : whole4(ip)) > mtu;
}

/* To a group of stations. */
static bool is_to_group(const struct fdl_packet *pkt)
{
	return pkt->link_len && pkt->data[0] & 1;
}

/* Of one station: no group, no broadcast, not unspecified, not reserved. */
static bool is_station4(const uint8_t a[4])
{
	return a[0] && a[0] != 127 && a[0] < 224;
}

static bool is_station6(const uint8_t a[16])
{
	static const uint8_t unspecified[16];

	return a[0] != 0xff && memcmp(a, unspecified, sizeof(unspecified)) != 0;
}

static bool is_error4(const uint8_t *icmp)
{
	switch (icmp[0]) {
	case 3:			/* unreachable */
	case 4:			/* source quench */
	case 5:			/* redirect */
	case 11:		/* time exceeded */
	case 12:		/* parameter problem */
		return true;
	default:
		return false;
	}
}

static bool is_answered4(struct view ip)
{
	const size_t header = (size_t)(ip.at[0] & 0xf) * 4;
	const bool later = (ip.at[6] & 0x1f) || ip.at[7];

	if (header < IP4_HEADER || ip.len < header + ICMP_HEADER || later)
		return false;
	if (ip.at[9] == NEXT_ICMP && is_error4(ip.at + header))
		return false;
	return is_station4(ip.at + 12) && is_station4(ip.at + 16);
}

/* An error, or a redirect, which is none to be answered either. */
static bool is_error6(const uint8_t *icmp)
{
	return icmp[0] < 128 || icmp[0] == 137;
}

/* Whether the extension headers lead to something that may be answered. */
static bool is_payload_answered6(struct view ip)
{
	unsigned next = ip.at[6];
	size_t at = IP6_HEADER;

	while (at + ICMP_HEADER <= ip.len) {
		switch (next) {
		case HOP_BY_HOP:
		case 43:		/* routing */
		case 60:		/* destination options */
			next = ip.at[at];
			at += (size_t)(ip.at[at + 1] + 1) * 8;
			break;
		case 44:		/* fragment */
			if (ip.at[at + 2] || ip.at[at + 3] & 0xf8)
				return false;
			next = ip.at[at];
			at += 8;
			break;
		case NEXT_ICMP6:
			return !is_error6(ip.at + at);
		default:
			return true;
		}
	}
	return false;
}

static bool is_answered6(struct view ip, uint32_t mtu)
{
	/* Who gets an MTU below 1280 goes on as before. */
	return ip.len > IP6_LEAST_MTU && mtu >= IP6_LEAST_MTU &&
	       is_station6(ip.at + 8) && is_station6(ip.at + 24) &&
	       is_payload_answered6(ip);
}

/* Complete the checksum at field of len bytes; sum is that of what else it
 * covers. */
static void complete(uint8_t *field, const uint8_t *at, size_t len,
		     uint16_t sum)
{
	sum = (uint16_t)~fdl_checksum_sum(at, len, sum);
	memcpy(field, &sum, sizeof(sum));
}

/* The sum of an IPv6 header's pseudo-header. */
static uint16_t pseudo6(const uint8_t *ip)
{
	const uint8_t protocol[] = { ip[4], ip[5], 0, ip[6] };
	const uint16_t sum = fdl_checksum_sum(protocol, sizeof(protocol), 0);

	return fdl_checksum_sum(ip + 8, IP6_HEADER - 8, sum);
}

static size_t quoted(size_t len, size_t most)
{
	return len < most ? len : most;
}

static size_t answer4(struct view ip, uint32_t mtu, uint8_t *out)
{
	uint8_t *icmp = out + IP4_HEADER;
	const size_t quote = quoted(ip.len,
				    IP4_ANSWER - IP4_HEADER - ICMP_HEADER);
	const size_t len = IP4_HEADER + ICMP_HEADER + quote;

	memset(out, 0, IP4_HEADER + ICMP_HEADER);
	out[0] = 0x45;
	out[1] = 0xc0;		/* network control: RFC 1812, 4.3.2.5 */
	put16(out + 2, (uint32_t)len);
	out[8] = TTL;
	out[9] = NEXT_ICMP;
	memcpy(out + 12, ip.at + 16, 4);
	memcpy(out + 16, ip.at + 12, 4);
	complete(out + 10, out, IP4_HEADER, 0);
	icmp[0] = 3;
	icmp[1] = 4;
	put16(icmp + 6, mtu);
	memcpy(icmp + ICMP_HEADER, ip.at, quote);
	complete(icmp + 2, icmp, ICMP_HEADER + quote, 0);
	return len;
}

static size_t answer6(struct view ip, uint32_t mtu, uint8_t *out)
{
	uint8_t *icmp = out + IP6_HEADER;
	const size_t quote = quoted(ip.len,
				    IP6_LEAST_MTU - IP6_HEADER - ICMP_HEADER);
	const size_t payload = ICMP_HEADER + quote;

	memset(out, 0, IP6_HEADER + ICMP_HEADER);
	out[0] = 0x60;
	put16(out + 4, (uint32_t)payload);
	out[6] = NEXT_ICMP6;
	out[7] = TTL;
	memcpy(out + 8, ip.at + 24, 16);
	memcpy(out + 24, ip.at + 8, 16);
	icmp[0] = 2;
	put16(icmp + 4, mtu >> 16);
	put16(icmp + 6, mtu);
	memcpy(icmp + ICMP_HEADER, ip.at, quote);
	complete(icmp + 2, icmp, payload, pseudo6(out));
	return IP6_HEADER + payload;
}

size_t too_big_answer(const struct fdl_packet *pkt, uint32_t mtu,
		      uint8_t answer[TOO_BIG_ROOM])
{
	const struct view ip = view_of(pkt);
	uint8_t *out = answer + pkt->link_len;

	if (is_to_group(pkt))
		return 0;
	if (pkt->link_len) {
		memcpy(answer, pkt->data + 6, 6);
		memcpy(answer + 6, pkt->data, 6);
		memcpy(answer + ADDRESSES, pkt->data + ADDRESSES,
		       pkt->link_len - (size_t)ADDRESSES);
	}
	if (is_ip4(pkt, ip) && is_answered4(ip))
		return pkt->link_len + answer4(ip, mtu, out);
	if (is_ip6(pkt, ip) && is_answered6(ip, mtu))
		return pkt->link_len + answer6(ip, mtu, out);
	return 0;
}

bool too_big_afford(struct too_big_budget *b, uint64_t now)
{
	const uint64_t due = (now - b->refilled_ns) / REFILL_NS;

	if (due > 0) {
		b->left = b->left + due < BURST ? b->left + (unsigned)due :
						  BURST;
		b->refilled_ns = now;
	}
	if (!b->left)
		return false;
	b->left--;
	return true;
}
