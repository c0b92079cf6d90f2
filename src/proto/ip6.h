/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 headers (RFC 8200). The accessors need IP6_LEN bytes. */
#ifndef FDL_PROTO_IP6_H
#define FDL_PROTO_IP6_H

#include <stdbool.h>

#include "proto/bytes.h"

enum {
	IP6_LEN = 40,
	IP6_PAYLOAD_LEN = 4,
	IP6_NEXT = 6,
	IP6_HOP_LIMIT = 7,
	IP6_SRC = 8,
	IP6_DST = 24,
	IP6_ADDR_LEN = 16,
	IP6_EXT_MIN_LEN = 8,
	IP6_EXT_SEGMENTS_LEFT = 3,	/* in a routing header */
	IP6_EXT_HOP = 0,
	IP6_EXT_ROUTING = 43,
	IP6_EXT_FRAGMENT = 44,
	IP6_EXT_DEST = 60,
};

static inline unsigned ip6_payload_len(const uint8_t *ip)
{
	return get_be16(ip + IP6_PAYLOAD_LEN);
}

/* Extension headers that transport headers may follow, fragments apart. */
static inline bool ip6_is_ext(unsigned next)
{
	return next == IP6_EXT_HOP || next == IP6_EXT_ROUTING ||
	       next == IP6_EXT_DEST;
}

static inline unsigned ip6_ext_len(const uint8_t *ext)
{
	return (ext[1] + 1u) * 8;
}

#endif
