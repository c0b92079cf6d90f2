/* SPDX-License-Identifier: Apache-2.0 */
/* Super-packets of BIG TCP: the length in the IP header is 0. */
#ifndef FDL_TESTS_BIG_H
#define FDL_TESTS_BIG_H

#include "packets.h"

enum { BIG_JUMBO_LEN = 8 };

/* The same as build. jumbo: IPv6 has the hop-by-hop header that tells the
 * length, and all behind it is BIG_JUMBO_LEN bytes later than the shape
 * says. */
static inline size_t big_build(uint8_t *frame, const struct shape *s,
			       bool jumbo)
{
	uint8_t *ip = frame + s->link_len, *ext = ip + 40;
	size_t len = build(frame, s);

	if (s->version == 4) {
		put16(ip + 2, 0);
		put16(ip + 10, 0);
		put16(ip + 10, (uint16_t)~ref_sum(ip, 20, 0));
		return len;
	}
	put16(ip + 4, 0);
	if (!jumbo)
		return len;
	memmove(ext + BIG_JUMBO_LEN, ext, len - s->link_len - 40);
	memcpy(ext, "\x06\0\xc2\x04", 4);
	put32(ext + 4, (uint32_t)(len - s->link_len - 40 + BIG_JUMBO_LEN));
	ip[6] = 0;
	return len + BIG_JUMBO_LEN;
}

#endif
