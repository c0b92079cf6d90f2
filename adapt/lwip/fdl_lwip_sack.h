/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer reports to have behind the first byte that it lacks (RFC 2018).
 */
#ifndef FDL_LWIP_SACK_H
#define FDL_LWIP_SACK_H

#include <stdbool.h>
#include <stdint.h>

enum {
	FDL_LWIP_SACK_RANGES = 32,
	FDL_LWIP_SACK_BLOCKS = 4,	/* as many as options have room for */
};

/* Sequence numbers from left up to, not including, right. */
struct fdl_lwip_range {
	uint32_t left, right;
};

/* The ranges are in order, with a gap before each. If a peer reports more than
 * there is room for, the highest ranges are forgotten. */
struct fdl_lwip_sack {
	struct fdl_lwip_range range[FDL_LWIP_SACK_RANGES];
	unsigned n;
};

/* Read the blocks of a segment's TCP options, len bytes. Returns how many there
 * are. */
unsigned fdl_lwip_sack_read(const uint8_t *options, unsigned len,
			    struct fdl_lwip_range block[FDL_LWIP_SACK_BLOCKS]);

/* Add a range, of which left is before right. Returns how many of its bytes
 * were not known. */
uint32_t fdl_lwip_sack_add(struct fdl_lwip_sack *s, struct fdl_lwip_range r);

/* Forget what is before una. */
void fdl_lwip_sack_trim(struct fdl_lwip_sack *s, uint32_t una);

/* Returns how many bytes of r are reported. */
uint32_t fdl_lwip_sack_bytes(const struct fdl_lwip_sack *s,
			     struct fdl_lwip_range r);

/* Shorten r to its first part that is missing. Returns false: nothing is. */
bool fdl_lwip_sack_hole(const struct fdl_lwip_sack *s,
			struct fdl_lwip_range *r);

/* Returns the highest start of a range with which, and behind which, the peer
 * has more than so many bytes; or una, if there is none. */
uint32_t fdl_lwip_sack_above(const struct fdl_lwip_sack *s, uint32_t bytes,
			     uint32_t una);

#endif
