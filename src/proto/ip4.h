/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 headers (RFC 791). The accessors need IP4_MIN_LEN bytes. */
#ifndef FDL_PROTO_IP4_H
#define FDL_PROTO_IP4_H

#include <stdbool.h>
#include <string.h>

#include "proto/bytes.h"

enum {
	IP4_MIN_LEN = 20,
	IP4_TOS = 1,
	IP4_TOTAL_LEN = 2,
	IP4_ID = 4,
	IP4_FRAG = 6,
	IP4_TTL = 8,
	IP4_PROTO = 9,
	IP4_CHECK = 10,
	IP4_SRC = 12,
	IP4_DST = 16,
	IP4_ADDR_LEN = 4,
	IP4_DF = 0x4000,
	IP4_NOT_DF = 0xbfff,
	IP4_FRAG_MASK = 0x3fff,		/* more fragments, and the offset */
};

static inline unsigned ip4_hdr_len(const uint8_t *ip)
{
	return (ip[0] & 0xfu) * 4;
}

static inline unsigned ip4_total_len(const uint8_t *ip)
{
	return get_be16(ip + IP4_TOTAL_LEN);
}

/* Verify the checksum of a header without options. */
static inline bool ip4_check_is_right(const uint8_t *ip)
{
	uint64_t sum = 0;
	uint32_t word;
	int i;

	for (i = 0; i < IP4_MIN_LEN; i += (int)sizeof(word)) {
		memcpy(&word, ip + i, sizeof(word));
		sum += word;
	}
	/* Modulo 0xffff, 2^16 is 1. So the sum is right if 0xffff divides it;
	 * it is not 0, for the version is not. */
	return sum % 0xffff == 0;
}

static inline unsigned ip4_frag(const uint8_t *ip)
{
	return get_be16(ip + IP4_FRAG);
}

#endif
