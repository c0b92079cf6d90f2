/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outer checksums cover all of the payload. Yet no byte of the payload is read:
 * once the inner checksum is complete, all that it covers adds up to the
 * complement of the sum of the inner pseudo-header, which is the partial
 * checksum (Documentation/networking/checksum-offloads.rst, LCO).
 */
#include "offload/outer.h"

#include <string.h>

#include "offload/checksum.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/udp.h"

enum {
	GRE_CHECK = 4,
	GRE_CHECK_LEN = 4,	/* with the reserved field behind it */
};

void outer_start(struct fdl_segmenter *s, const struct tunnel *t)
{
	s->tunnel = (uint8_t)t->l4;
	s->outers = (uint8_t)t->n;
	memcpy(s->outer_is, t->is, sizeof(s->outer_is));
	memcpy(s->outer_at, t->at, sizeof(s->outer_at));
}

/* The sum of a segment from one of its headers on. Headers have even lengths. */
static uint16_t sum_from(const struct fdl_segmenter *s, const uint8_t *hdr,
			 unsigned at, uint16_t inner)
{
	return fdl_checksum_sum(hdr + at, s->l4 - at, (uint16_t)~inner);
}

/* How many segments went before this one. */
static unsigned count_gone(const struct fdl_segmenter *s)
{
	return (unsigned)(s->id - get_be16(s->hdr + s->l3 + IP4_ID));
}

static void write_ip4(const struct fdl_segmenter *s, uint8_t *ip, unsigned len)
{
	put_be16(ip + IP4_TOTAL_LEN, len);
	put_be16(ip + IP4_ID, get_be16(ip + IP4_ID) + count_gone(s));
	checksum_ip4(ip);
}

/* The pseudo-header of the datagram that outer header i is. */
static uint16_t pseudo(const struct fdl_segmenter *s, const uint8_t *hdr,
		       unsigned i, unsigned len)
{
	const struct parsed p = {
		.l3 = s->outer_at[i - 1],
		.version = s->outer_is[i - 1] == TUNNEL_IP4 ? 4 : 6,
		.proto = UDP_PROTO,
	};

	return checksum_add(checksum_pseudo(hdr, &p), len);
}

static void write_udp(const struct fdl_segmenter *s, uint8_t *hdr, unsigned i,
		      unsigned len, uint16_t inner, bool several)
{
	const unsigned at = s->outer_at[i];
	uint8_t *field = hdr + at + UDP_CHECK;
	uint16_t sum;

	put_be16(hdr + at + UDP_TOTAL_LEN, len - at);
	if (!get_be16(field))
		return;
	sum = pseudo(s, hdr, i, len - at);
	memcpy(field, &sum, sizeof(sum));
	if (!several)
		checksum_store(field, sum_from(s, hdr, at, inner), true);
}

static void write_gre(const struct fdl_segmenter *s, uint8_t *hdr, unsigned at,
		      uint16_t inner)
{
	uint8_t *field = hdr + at + GRE_CHECK;

	memset(field, 0, GRE_CHECK_LEN);
	checksum_store(field, sum_from(s, hdr, at, inner), false);
}

void outer_write(const struct fdl_segmenter *s, uint8_t *hdr, unsigned len,
		 uint16_t inner, bool several)
{
	unsigned i = s->outers, at;

	/* Innermost first: outer checksums cover the inner headers. */
	while (i-- > 0) {
		at = s->outer_at[i];
		switch (s->outer_is[i]) {
		case TUNNEL_IP4:
			write_ip4(s, hdr + at, len - at);
			break;
		case TUNNEL_IP6:
			put_be16(hdr + at + IP6_PAYLOAD_LEN,
				 len - at - IP6_LEN);
			break;
		case TUNNEL_UDP:
			write_udp(s, hdr, i, len, inner, several);
			break;
		default:
			write_gre(s, hdr, at, inner);
			break;
		}
	}
}
