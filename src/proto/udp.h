/* SPDX-License-Identifier: Apache-2.0 */
/* UDP headers (RFC 768). The accessors need UDP_LEN bytes. */
#ifndef FDL_PROTO_UDP_H
#define FDL_PROTO_UDP_H

#include "proto/bytes.h"

enum {
	UDP_PROTO = 17,
	UDP_LEN = 8,
	UDP_DST = 2,
	UDP_TOTAL_LEN = 4,
	UDP_CHECK = 6,
};

static inline unsigned udp_total_len(const uint8_t *udp)
{
	return get_be16(udp + UDP_TOTAL_LEN);
}

#endif
