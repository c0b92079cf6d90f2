/* SPDX-License-Identifier: Apache-2.0 */
/* Packets to test with: built field by field, without the library's help. */
#ifndef FDL_TEST_PACKETS_H
#define FDL_TEST_PACKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <fdlink/offload.h>

struct shape {
	unsigned link_len;	/* 0, 14, 18, 22 */
	int version;		/* 4, 6 */
	int proto;		/* 6, 17 */
	unsigned ip_opts;	/* bytes of options or extension headers, 8n */
	unsigned tcp_opts;	/* bytes, 4n */
	unsigned payload;
	unsigned flow;		/* changes addresses and ports */
	unsigned id;
	bool df;
	uint8_t ttl, tos;
	uint8_t flags;		/* TCP */
	uint32_t seq, ack;
	uint8_t fill;		/* what the payload starts with */
	bool partial;		/* only the pseudo-header in the checksum */
};

static inline unsigned shape_l3_len(const struct shape *s)
{
	return (s->version == 4 ? 20u : 40u) + s->ip_opts;
}

static inline unsigned shape_hdr_len(const struct shape *s)
{
	return s->link_len + shape_l3_len(s) +
	       (s->proto == 6 ? 20 + s->tcp_opts : 8);
}

static inline void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static inline unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static inline uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

/* RFC 1071 as it stands there: words in network order, odd byte padded. */
static inline uint16_t ref_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

static inline uint16_t ref_pseudo(const uint8_t *ip, int version, int proto,
				  unsigned len)
{
	const uint32_t rest = (uint32_t)proto + len;

	if (version == 4)
		return ref_sum(ip + 12, 8, rest);
	return ref_sum(ip + 8, 32, rest);
}

static inline void build_link(uint8_t *f, const struct shape *s)
{
	unsigned at;

	if (!s->link_len)
		return;
	memcpy(f, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
	for (at = 12; at + 2 < s->link_len; at += 4) {
		put16(f + at, s->link_len == 22 && at == 12 ? 0x88a8 : 0x8100);
		put16(f + at + 2, 5 + at);
	}
	put16(f + at, s->version == 4 ? 0x0800 : 0x86dd);
}

static inline void build_ip4(uint8_t *ip, const struct shape *s, unsigned len)
{
	const unsigned hdr_len = shape_l3_len(s);

	memset(ip, 0, hdr_len);
	ip[0] = (uint8_t)(0x40 | hdr_len / 4);
	ip[1] = s->tos;
	put16(ip + 2, len);
	put16(ip + 4, s->id & 0xffff);
	put16(ip + 6, s->df ? 0x4000 : 0);
	ip[8] = s->ttl;
	ip[9] = (uint8_t)s->proto;
	put32(ip + 12, 0x0a000001);
	put32(ip + 16, 0x0a010002 + s->flow % 7);
	memset(ip + 20, 1, s->ip_opts);
	put16(ip + 10, (uint16_t)~ref_sum(ip, hdr_len, 0));
}

static inline void build_ip6(uint8_t *ip, const struct shape *s, unsigned len)
{
	memset(ip, 0, shape_l3_len(s));
	put32(ip, 0x60000000 | (uint32_t)s->tos << 20 | (0x12345 + s->flow));
	put16(ip + 4, len - 40);
	ip[6] = s->ip_opts ? 60 : (uint8_t)s->proto;
	ip[7] = s->ttl;
	ip[8] = ip[24] = 0xfd;
	ip[9] = 1;
	ip[25] = 2;
	ip[23] = 1;
	ip[39] = (uint8_t)(2 + s->flow % 7);
	if (!s->ip_opts)
		return;
	ip[40] = (uint8_t)s->proto;
	ip[41] = (uint8_t)(s->ip_opts / 8 - 1);
	ip[42] = 1;			/* PadN */
	ip[43] = (uint8_t)(s->ip_opts - 4);
}

static inline unsigned build_tp(uint8_t *tp, const struct shape *s)
{
	put16(tp, 1000 + s->flow);
	put16(tp + 2, 80);
	if (s->proto == 17) {
		put16(tp + 4, 8 + s->payload);
		put16(tp + 6, 0);
		return 6;
	}
	memset(tp, 1, 20 + s->tcp_opts);
	put16(tp, 1000 + s->flow);
	put16(tp + 2, 80);
	put32(tp + 4, s->seq);
	put32(tp + 8, s->ack);
	tp[12] = (uint8_t)((20 + s->tcp_opts) / 4 << 4);
	tp[13] = s->flags;
	put16(tp + 14, 512);
	put32(tp + 16, 0);
	return 16;
}

/* Returns the frame's length. */
static inline size_t build(uint8_t *f, const struct shape *s)
{
	const unsigned l4 = s->link_len + shape_l3_len(s);
	const unsigned hdr_len = shape_hdr_len(s);
	const unsigned len = hdr_len + s->payload;
	uint8_t *ip = f + s->link_len;
	unsigned check, i;
	uint16_t sum;

	build_link(f, s);
	if (s->version == 4)
		build_ip4(ip, s, len - s->link_len);
	else
		build_ip6(ip, s, len - s->link_len);
	check = build_tp(f + l4, s);
	for (i = 0; i < s->payload; i++)
		f[hdr_len + i] = (uint8_t)((i * 7 + i / 251) ^ s->fill);
	sum = ref_pseudo(ip, s->version, s->proto, len - l4);
	if (!s->partial) {
		sum = (uint16_t)~ref_sum(f + l4, len - l4, sum);
		if (!sum && s->proto == 17)
			sum = 0xffff;
	}
	put16(f + l4 + check, sum);
	return len;
}

/* A checksum completed from a partial one is never 0, for TCP neither. */
static inline void no_zero(uint8_t *f, const struct shape *s)
{
	uint8_t *check = f + s->link_len + shape_l3_len(s) +
			 (s->proto == 6 ? 16 : 6);

	if (!get16(check))
		put16(check, 0xffff);
}

/* What fdl_offload says of such a packet; gso_size 0: none. */
static inline struct fdl_offload shape_offload(const struct shape *s,
					       unsigned gso_size)
{
	struct fdl_offload off = { 0 };

	if (s->partial) {
		off.csum = FDL_CSUM_PARTIAL;
		off.csum_start = (uint16_t)(s->link_len + shape_l3_len(s));
		off.csum_offset = s->proto == 6 ? 16 : 6;
	}
	if (!gso_size)
		return off;
	off.gso = s->proto == 17 ? FDL_GSO_UDP :
		  s->version == 4 ? FDL_GSO_TCPV4 :
				    FDL_GSO_TCPV6;
	off.gso_size = (uint16_t)gso_size;
	off.hdr_len = (uint16_t)shape_hdr_len(s);
	return off;
}

/* Field by field: there is padding between them. */
static inline bool same_offload(const struct fdl_offload *a,
				const struct fdl_offload *b)
{
	return a->csum == b->csum && a->gso == b->gso && a->ecn == b->ecn &&
	       a->gso_size == b->gso_size && a->hdr_len == b->hdr_len &&
	       a->csum_start == b->csum_start &&
	       a->csum_offset == b->csum_offset;
}

/* Whether all checksums of a packet of this shape are right. */
static inline bool checksums_right(const uint8_t *f, size_t len,
				   const struct shape *s)
{
	const unsigned l4 = s->link_len + shape_l3_len(s);
	const uint8_t *ip = f + s->link_len;
	const unsigned n = (unsigned)len - l4;

	if (s->version == 4 && ref_sum(ip, shape_l3_len(s), 0) != 0xffff)
		return false;
	return ref_sum(f + l4, n, ref_pseudo(ip, s->version, s->proto, n)) ==
	       0xffff;
}

struct rng {
	uint64_t state;
};

static inline uint32_t rnd(struct rng *r, uint32_t below)
{
	r->state = r->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((r->state >> 33) % below);
}

/* The seed of this run, printed; FDL_SEED=N repeats one. */
static inline struct rng seeded(const char *what)
{
	const char *env = getenv("FDL_SEED");
	struct rng r = { env ? strtoull(env, NULL, 0) :
			       (uint64_t)time(NULL) * 2654435761u };

	printf("# %s: FDL_SEED=%llu\n", what, (unsigned long long)r.state);
	return r;
}

/* Any shape that may be a super-packet; the payload is the caller's to set. */
static inline struct shape random_shape(struct rng *r)
{
	static const unsigned link_lens[] = { 0, 14, 18, 22 };
	struct shape s = {
		.link_len = link_lens[rnd(r, 4)],
		.version = rnd(r, 2) ? 4 : 6,
		.proto = rnd(r, 3) ? 6 : 17,
		.tcp_opts = rnd(r, 2) ? 12 : 4 * rnd(r, 11),
		.flow = rnd(r, 100),
		.id = rnd(r, 4) ? rnd(r, 65536) : 65530,
		.df = rnd(r, 2),
		.ttl = (uint8_t)(1 + rnd(r, 255)),
		.tos = (uint8_t)rnd(r, 256),
		.flags = 0x10,
		.seq = rnd(r, 2) ? rnd(r, 1u << 31) : 0xffffff00,
		.ack = rnd(r, 1u << 31),
		.fill = (uint8_t)rnd(r, 256),
		.partial = true,
	};

	if (s.version == 6 && !rnd(r, 3))
		s.ip_opts = 8 * (1 + rnd(r, 3));
	return s;
}

#endif
