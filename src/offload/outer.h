/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of tunnels around a segment. */
#ifndef FDL_OFFLOAD_OUTER_H
#define FDL_OFFLOAD_OUTER_H

#include <stdbool.h>
#include <stdint.h>

enum {
	GRE_CHECK = 4,			/* of a header with a checksum */
};

struct outers {
	const uint8_t *is, *at;		/* n of them, as in struct tunnel */
	unsigned n;
	unsigned l4;			/* the inner transport header */
	unsigned left;			/* the header whose checksum is partial,
					 * and left to the other side; 0:
					 * none */
};

/*
 * Write the outer headers, at hdr, of a packet of len bytes. The headers of the
 * inner packet are already written behind them, and inner is its partial
 * checksum. gone: so many segments went before this one. several: the packet is
 * a piece of several segments, itself a super-packet.
 */
void outer_write(const struct outers *o, uint8_t *hdr, unsigned len,
		 uint16_t inner, unsigned gone, bool several);

/*
 * Whether the checksums in the outer headers of a packet of len bytes, at hdr,
 * are right, which for UDP may be none. The one that is left to the other side
 * is taken to be right. inner is the partial checksum of the inner packet,
 * whose complete one is taken to be right, too.
 */
bool outer_sums_right(const struct outers *o, const uint8_t *hdr, unsigned len,
		      uint16_t inner);

#endif
