/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/parse.h"

#include "proto/eth.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/tcp.h"
#include "proto/udp.h"

enum {
	BIG_MAX = 8 * 65535,	/* GSO_MAX_SIZE */
};

struct frame {
	const uint8_t *bytes;
	size_t avail;
	size_t len;
};

/* Whether n bytes at offset at can be read; they must end before limit. */
static enum fdl_refusal need(const struct frame *f, size_t at, size_t n,
			     size_t limit)
{
	if (at + n > limit)
		return FDL_REFUSE_SHORT;
	if (at + n > f->avail)
		return FDL_REFUSE_HEADERS;
	return FDL_REFUSE_NONE;
}

/* A length field of 16 bits cannot hold it: BIG TCP writes 0 there
 * (iph_set_totlen of include/linux/ip.h), or what is left of it. */
static bool is_big(size_t len)
{
	return len > UINT16_MAX && len <= BIG_MAX;
}

static enum fdl_refusal parse_tcp(const struct frame *f, struct parsed *p)
{
	enum fdl_refusal why = need(f, p->l4, TCP_MIN_LEN, p->end);
	unsigned hdr_len;

	if (why)
		return why;
	hdr_len = tcp_hdr_len(f->bytes + p->l4);
	if (hdr_len < TCP_MIN_LEN)
		return FDL_REFUSE_TRANSPORT;
	why = need(f, p->l4, hdr_len, p->end);
	if (why)
		return why;
	p->payload = p->l4 + hdr_len;
	p->proto = TCP_PROTO;
	return FDL_REFUSE_NONE;
}

static enum fdl_refusal parse_udp(const struct frame *f, struct parsed *p)
{
	enum fdl_refusal why = need(f, p->l4, UDP_LEN, p->end);
	unsigned len;

	if (why)
		return why;
	len = udp_total_len(f->bytes + p->l4);
	if (is_big(p->end - p->l4))
		len = p->end - p->l4;
	if (len < UDP_LEN || len > p->end - p->l4)
		return FDL_REFUSE_TRANSPORT;
	p->payload = p->l4 + UDP_LEN;
	p->proto = UDP_PROTO;
	return FDL_REFUSE_NONE;
}

static enum fdl_refusal parse_transport(const struct frame *f, unsigned proto,
					struct parsed *p)
{
	p->next = (uint8_t)proto;
	if (proto == TCP_PROTO)
		return parse_tcp(f, p);
	if (proto == UDP_PROTO)
		return parse_udp(f, p);
	return FDL_REFUSE_TRANSPORT;
}

static enum fdl_refusal parse_ip4(const struct frame *f, struct parsed *p)
{
	enum fdl_refusal why = need(f, p->l3, IP4_MIN_LEN, f->len);
	const uint8_t *ip = f->bytes + p->l3;
	unsigned hdr_len, total;

	if (why)
		return why;
	hdr_len = ip4_hdr_len(ip);
	total = ip4_total_len(ip);
	if (!total && is_big(f->len - p->l3))
		total = (unsigned)(f->len - p->l3);
	if (hdr_len < IP4_MIN_LEN || total < hdr_len || total > f->len - p->l3)
		return FDL_REFUSE_IP;
	why = need(f, p->l3, hdr_len, f->len);
	if (why)
		return why;
	p->version = 4;
	p->l4 = p->l3 + hdr_len;
	p->end = p->l3 + total;
	p->fragment = ip4_frag(ip) & IP4_FRAG_MASK;
	if (p->fragment)
		return FDL_REFUSE_FRAGMENT;
	return parse_transport(f, ip[IP4_PROTO], p);
}

static enum fdl_refusal parse_ip6(const struct frame *f, struct parsed *p)
{
	enum fdl_refusal why = need(f, p->l3, IP6_LEN, f->len);
	const uint8_t *ip = f->bytes + p->l3, *ext;
	unsigned next;

	if (why)
		return why;
	p->l4 = p->l3 + IP6_LEN;
	p->end = p->l4 + ip6_payload_len(ip);
	if (p->end == p->l4 && is_big(f->len - p->l4))
		p->end = (uint32_t)f->len;
	if (p->end > f->len)
		return FDL_REFUSE_IP;
	p->version = 6;
	for (next = ip[IP6_NEXT]; ip6_is_ext(next); next = ext[0]) {
		why = need(f, p->l4, IP6_EXT_MIN_LEN, p->end);
		if (why)
			return why;
		ext = f->bytes + p->l4;
		why = need(f, p->l4, ip6_ext_len(ext), p->end);
		if (why)
			return why;
		if (next == IP6_EXT_ROUTING && ext[IP6_EXT_SEGMENTS_LEFT])
			p->routed = true;
		p->l4 += ip6_ext_len(ext);
	}
	/* This includes an atomic fragment (RFC 6946): nothing may be merged
	 * into it. */
	p->fragment = next == IP6_EXT_FRAGMENT;
	if (p->fragment)
		return FDL_REFUSE_FRAGMENT;
	return parse_transport(f, next, p);
}

/* The IP version that the link header announces; without a link header, the one
 * in the packet. */
static unsigned announced_version(const uint8_t *frame, unsigned link_len)
{
	unsigned nibble = frame[link_len] >> 4;
	unsigned type;

	if (link_len < ETH_HDR_LEN)
		return nibble;
	type = get_be16(frame + link_len - 2);
	if (type == ETH_TYPE_IP4 && nibble == 4)
		return 4;
	if (type == ETH_TYPE_IP6 && nibble == 6)
		return 6;
	return 0;
}

static enum fdl_refusal parse_version(const struct frame *f, unsigned version,
				      struct parsed *p)
{
	switch (version) {
	case 4:
		return parse_ip4(f, p);
	case 6:
		return parse_ip6(f, p);
	default:
		return FDL_REFUSE_NOT_IP;
	}
}

enum fdl_refusal parse_frame(const uint8_t *frame, size_t avail, size_t len,
			     unsigned link_len, struct parsed *p)
{
	const struct frame f = { frame, avail < len ? avail : len, len };
	enum fdl_refusal why = need(&f, link_len, 1, len);

	*p = (struct parsed){ .l3 = link_len };
	if (why)
		return why;
	return parse_version(&f, announced_version(frame, link_len), p);
}

enum fdl_refusal parse_packet(const uint8_t *frame, size_t avail, size_t end,
			      uint32_t l3, struct parsed *p)
{
	const struct frame f = { frame, avail < end ? avail : end, end };
	enum fdl_refusal why = need(&f, l3, 1, end);

	*p = (struct parsed){ .l3 = l3 };
	if (why)
		return why;
	return parse_version(&f, frame[l3] >> 4, p);
}

unsigned parsed_check_offset(const struct parsed *p)
{
	return p->proto == TCP_PROTO ? TCP_CHECK : UDP_CHECK;
}
