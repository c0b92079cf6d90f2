/* SPDX-License-Identifier: Apache-2.0 */
/* Tunnels to test with: headers around a packet of packets.h, as the RFCs have
 * them, without the library's help. */
#ifndef FDL_TEST_TUNNELS_H
#define FDL_TEST_TUNNELS_H

#include "packets.h"

enum tunnel_kind {
	VXLAN,
	VXLAN_GPE_ETH,
	VXLAN_GPE_IP,
	GENEVE,			/* with options */
	GENEVE_IP,		/* without */
	GRE_IP,
	GRE_TEB,
	GRE_KEY,
	GRE_CSUM,
	GRE_CSUM_KEY_TEB,
	IP_IN_IP,		/* ipip, sit, 4in6, 6in6: by the versions */
	FOU,
	FOU_GRE,
	GUE,
	GUE_GRE,
	TUNNEL_KINDS,
};

struct wrap {
	enum tunnel_kind kind;
	unsigned link_len;	/* of the frame outside: 0, 14, 18 */
	int version;		/* outside */
	unsigned ip_opts;	/* of an outer IPv6 header: 0 or 8 */
	unsigned id;
	bool df;
	uint8_t tos;
	bool sum;		/* of outer UDP; of a super-packet it is
				 * partial */
};

static inline bool wrap_is_udp(enum tunnel_kind kind)
{
	return kind <= GENEVE_IP || kind >= FOU;
}

/* The packet inside has a link header. */
static inline bool wrap_has_eth(enum tunnel_kind kind)
{
	return kind == VXLAN || kind == VXLAN_GPE_ETH || kind == GENEVE ||
	       kind == GRE_TEB || kind == GRE_CSUM_KEY_TEB;
}

/* Bytes between the outer IP header and the packet inside. */
static inline unsigned wrap_between(enum tunnel_kind kind)
{
	static const unsigned len[TUNNEL_KINDS] = {
		[VXLAN] = 16,	     [VXLAN_GPE_ETH] = 16,
		[VXLAN_GPE_IP] = 16, [GENEVE] = 28,
		[GENEVE_IP] = 16,    [GRE_IP] = 4,
		[GRE_TEB] = 4,	     [GRE_KEY] = 8,
		[GRE_CSUM] = 8,	     [GRE_CSUM_KEY_TEB] = 12,
		[IP_IN_IP] = 0,	     [FOU] = 8,
		[FOU_GRE] = 12,	     [GUE] = 16,
		[GUE_GRE] = 20,
	};

	return len[kind];
}

static inline unsigned wrap_l4(const struct wrap *w)
{
	return w->link_len + (w->version == 4 ? 20 : 40) + w->ip_opts;
}

static inline unsigned wrap_len(const struct wrap *w)
{
	return wrap_l4(w) + wrap_between(w->kind);
}

static inline void wrap_gre(uint8_t *p, enum tunnel_kind kind, int version,
			    uint16_t payload_sum)
{
	const bool sum = kind == GRE_CSUM || kind == GRE_CSUM_KEY_TEB;
	const bool key = kind == GRE_KEY || kind == GRE_CSUM_KEY_TEB;
	const unsigned hdr_len = 4u + (sum ? 4 : 0) + (key ? 4 : 0);

	put16(p, (sum ? 0x8000u : 0) | (key ? 0x2000u : 0));
	put16(p + 2, wrap_has_eth(kind) ? 0x6558 :
		     version == 4	? 0x0800 :
					  0x86dd);
	if (sum)
		put32(p + 4, 0);
	if (key)
		put32(p + hdr_len - 4, 0x01020304);
	if (sum)
		put16(p + 4, (uint16_t)~ref_sum(p, hdr_len, payload_sum));
}

/* The header in UDP, and its port. */
static inline unsigned wrap_in_udp(uint8_t *p, enum tunnel_kind kind,
				   int version)
{
	memset(p, 0, 28);
	switch (kind) {
	case VXLAN:
		put32(p, 0x08000000);
		put32(p + 4, 0x12345600);
		return 4789;
	case VXLAN_GPE_ETH:
	case VXLAN_GPE_IP:
		put32(p, 0x0c000000 | (kind == VXLAN_GPE_ETH ? 3u :
				       version == 4	     ? 1u :
							       2u));
		put32(p + 4, 0x12345600);
		return 4790;
	case GENEVE:
		put32(p, 0x03006558);
		put32(p + 4, 0x12345600);
		put32(p + 8, 0x01020002);
		put32(p + 12, 0xdeadbeef);
		put32(p + 16, 0x45000800);
		return 6081;
	case GENEVE_IP:
		put16(p + 2, version == 4 ? 0x0800 : 0x86dd);
		return 6081;
	case GUE:
	case GUE_GRE:
		p[0] = 1;
		p[1] = kind == GUE_GRE ? 47 : version == 4 ? 4 : 41;
		put32(p + 4, 0x45ffffff);
		if (kind == GUE_GRE)
			wrap_gre(p + 8, GRE_IP, version, 0);
		return 6080;
	case FOU_GRE:
		wrap_gre(p, GRE_IP, version, 0);
		return 5555;
	default:
		return 5555;
	}
}

static inline uint8_t wrap_proto(const struct wrap *w, int version)
{
	if (wrap_is_udp(w->kind))
		return 17;
	if (w->kind != IP_IN_IP)
		return 47;
	return version == 4 ? 4 : 41;
}

static inline void wrap_ip(uint8_t *f, const struct wrap *w, int version,
			   size_t len)
{
	struct shape s = {
		.link_len = w->link_len,
		.version = w->version,
		.proto = wrap_proto(w, version),
		.ip_opts = w->ip_opts,
		.id = w->id,
		.df = w->df,
		.ttl = 64,
		.tos = w->tos,
		.flow = 3,
	};

	build_link(f, &s);
	if (w->version == 4)
		build_ip4(f + w->link_len, &s, (unsigned)(len - w->link_len));
	else
		build_ip6(f + w->link_len, &s, (unsigned)(len - w->link_len));
}

/*
 * Put the headers around a packet of len bytes that lies behind them at f. With
 * super the outer sum of UDP is partial. The sum of the packet inside is what
 * it would be, once complete. Returns the length in all.
 */
static inline size_t wrap(uint8_t *f, const struct wrap *w,
			  const struct shape *in, size_t len, bool super)
{
	const unsigned at = wrap_len(w), l4 = wrap_l4(w);
	const size_t all = at + len;
	uint8_t *udp = f + l4;
	uint16_t sum;

	wrap_ip(f, w, in->version, all);
	if (!wrap_is_udp(w->kind)) {
		if (w->kind != IP_IN_IP)
			wrap_gre(f + l4, w->kind, in->version,
				 ref_sum(f + at, len, 0));
		return all;
	}
	{
		uint8_t inside[64];
		const unsigned port = wrap_in_udp(inside, w->kind, in->version);

		memcpy(udp + 8, inside, at - l4 - 8);
		put16(udp, 54321);
		put16(udp + 2, port);
	}
	put16(udp + 4, (unsigned)(all - l4));
	put16(udp + 6, 0);
	if (!w->sum)
		return all;
	sum = ref_pseudo(f + w->link_len, w->version, 17, (unsigned)(all - l4));
	if (!super) {
		sum = (uint16_t)~ref_sum(udp, all - l4, sum);
		sum = sum ? sum : 0xffff;
	}
	put16(udp + 6, sum);
	return all;
}

/* Which checksum of a packet in a tunnel its sender leaves to the device. */
enum wrap_left {
	LEFT_NONE,
	LEFT_INSIDE,		/* that of the packet inside */
	LEFT_OUTSIDE,		/* that of UDP or GRE, where the one inside is
				 * complete */
	LEFT_WAYS,
};

static inline bool wrap_has_sum(const struct wrap *w)
{
	return wrap_is_udp(w->kind) ?
		       w->sum :
		       w->kind == GRE_CSUM || w->kind == GRE_CSUM_KEY_TEB;
}

/* Leave a checksum of a packet of len bytes, which wrap made, to the device.
 * Returns what its virtio header says then. */
static inline struct fdl_offload wrap_leave(uint8_t *f, const struct wrap *w,
					    const struct shape *in, size_t len,
					    enum wrap_left left)
{
	const unsigned l3 = left == LEFT_INSIDE ? wrap_len(w) + in->link_len :
						  w->link_len;
	const unsigned at = left == LEFT_INSIDE ? l3 + shape_l3_len(in) :
						  wrap_l4(w);
	const bool gre = left == LEFT_OUTSIDE && !wrap_is_udp(w->kind);
	const int proto = left == LEFT_INSIDE ? in->proto : 17;
	const struct fdl_offload off = {
		.csum = FDL_CSUM_PARTIAL,
		.csum_start = (uint16_t)at,
		.csum_offset = gre	  ? 4 :
			       proto == 6 ? 16 :
					    6,
	};

	if (left == LEFT_NONE || (left == LEFT_OUTSIDE && !wrap_has_sum(w)))
		return (struct fdl_offload){ 0 };
	put16(f + at + off.csum_offset,
	      gre ? 0 :
		    ref_pseudo(f + l3, f[l3] >> 4, proto,
			       (unsigned)(len - at)));
	return off;
}

/* What a super-packet inside leaves undone. */
static inline struct fdl_offload wrap_offload(const struct wrap *w,
					      const struct shape *in,
					      unsigned mss)
{
	struct fdl_offload off = shape_offload(in, mss);

	off.csum_start = (uint16_t)(off.csum_start + wrap_len(w));
	off.hdr_len = (uint16_t)(off.hdr_len + wrap_len(w));
	return off;
}

static inline struct wrap random_wrap(struct rng *r, enum tunnel_kind kind,
				      int version)
{
	static const unsigned link_lens[] = { 14, 14, 18, 0 };

	return (struct wrap){
		.kind = kind,
		.link_len = link_lens[rnd(r, 4)],
		.version = version,
		.ip_opts = version == 6 && !rnd(r, 4) ? 8 : 0,
		.id = rnd(r, 4) ? rnd(r, 65536) : 65530,
		.df = rnd(r, 2),
		.tos = (uint8_t)rnd(r, 256),
		.sum = rnd(r, 2),
	};
}

/* A super-packet to go inside. */
static inline struct shape random_inside(struct rng *r, enum tunnel_kind kind,
					 unsigned *mss)
{
	static const unsigned link_lens[] = { 14, 14, 18 };
	struct shape s = random_shape(r);
	unsigned max = 65535 - 500;

	s.link_len = wrap_has_eth(kind) ? link_lens[rnd(r, 3)] : 0;
	s.flags = (uint8_t)(0x10 | (rnd(r, 256) & 0xe9));
	if (s.version == 4 && !rnd(r, 3))
		s.ip_opts = 4 * rnd(r, 5);
	if (s.version == 6 && s.ip_opts > 8)
		s.ip_opts = 8;
	*mss = 8 + rnd(r, rnd(r, 4) ? 1400 : 9000);
	if (s.proto == 17 && max > *mss * 128)
		max = *mss * 128;
	s.payload = *mss + 1 + rnd(r, max - *mss);
	if (rnd(r, 2))
		s.payload = s.payload / *mss * *mss + (s.payload < 2 * *mss);
	return s;
}

#endif
