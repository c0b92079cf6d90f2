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
#include "proto/tunnel.h"
#include "proto/udp.h"

enum {
	GRE_CHECK_LEN = 4,	/* with the reserved field behind it */
};

/* The sum of a packet from one of its headers on. Headers have even lengths. */
static uint16_t sum_from(const struct outers *o, const uint8_t *hdr,
			 unsigned at, uint16_t inner)
{
	return fdl_checksum_sum(hdr + at, o->l4 - at, (uint16_t)~inner);
}

static void write_ip4(uint8_t *ip, unsigned len, unsigned gone)
{
	put_be16(ip + IP4_TOTAL_LEN, len);
	put_be16(ip + IP4_ID, get_be16(ip + IP4_ID) + gone);
	checksum_ip4(ip);
}

/* The pseudo-header of the datagram that outer header i is. */
static uint16_t pseudo(const struct outers *o, const uint8_t *hdr, unsigned i,
		       unsigned len)
{
	const struct parsed p = {
		.l3 = o->at[i - 1],
		.version = o->is[i - 1] == TUNNEL_IP4 ? 4 : 6,
		.proto = UDP_PROTO,
	};

	return checksum_add(checksum_pseudo(hdr, &p), len);
}

static void write_udp(const struct outers *o, uint8_t *hdr, unsigned i,
		      unsigned len, uint16_t inner, bool several)
{
	const unsigned at = o->at[i];
	uint8_t *field = hdr + at + UDP_CHECK;
	uint16_t sum;

	put_be16(hdr + at + UDP_TOTAL_LEN, len - at);
	if (!get_be16(field))
		return;
	sum = pseudo(o, hdr, i, len - at);
	memcpy(field, &sum, sizeof(sum));
	if (!several)
		checksum_store(field, sum_from(o, hdr, at, inner), true);
}

static void write_gre(const struct outers *o, uint8_t *hdr, unsigned at,
		      uint16_t inner)
{
	uint8_t *field = hdr + at + GRE_CHECK;

	memset(field, 0, GRE_CHECK_LEN);
	checksum_store(field, sum_from(o, hdr, at, inner), false);
}

void outer_write(const struct outers *o, uint8_t *hdr, unsigned len,
		 uint16_t inner, unsigned gone, bool several)
{
	unsigned i = o->n, at;

	/* Innermost first: outer checksums cover the inner headers. */
	while (i-- > 0) {
		at = o->at[i];
		switch (o->is[i]) {
		case TUNNEL_IP4:
			write_ip4(hdr + at, len - at, gone);
			break;
		case TUNNEL_IP6:
			put_be16(hdr + at + IP6_PAYLOAD_LEN,
				 len - at - IP6_LEN);
			break;
		case TUNNEL_UDP:
			write_udp(o, hdr, i, len, inner, several);
			break;
		default:
			write_gre(o, hdr, at, inner);
			break;
		}
	}
}

static bool sum_right(const struct outers *o, const uint8_t *hdr, unsigned i,
		      unsigned len, uint16_t inner)
{
	const unsigned at = o->at[i];
	uint16_t sum = sum_from(o, hdr, at, inner);

	if (o->is[i] == TUNNEL_UDP) {
		if (!get_be16(hdr + at + UDP_CHECK))
			return true;
		sum = fdl_checksum_sum(&sum, sizeof(sum),
				       pseudo(o, hdr, i, len - at));
	}
	return sum % 0xffff == 0;
}

bool outer_sums_right(const struct outers *o, const uint8_t *hdr, unsigned len,
		      uint16_t inner)
{
	unsigned i;

	for (i = 0; i < o->n; i++)
		if (o->is[i] >= TUNNEL_UDP && o->at[i] != o->left &&
		    !sum_right(o, hdr, i, len, inner))
			return false;
	return true;
}
