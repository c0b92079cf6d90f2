/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer says it has beyond the first byte that it lacks (RFC 2018). */
#ifndef FDL_LWIP_SACK_H
#define FDL_LWIP_SACK_H

#include <stdbool.h>
#include <stdint.h>

enum {
	FDL_LWIP_SACK_RANGES = 32,
	FDL_LWIP_SACK_BLOCKS = 4,	/* as many as options have room for */
};

/* Sequence numbers, up to right and without it. */
struct fdl_lwip_range {
	uint32_t left, right;
};

/* In order, with a gap before each. A peer that says more than there is room for
 * is believed the lower part. */
struct fdl_lwip_sack {
	struct fdl_lwip_range range[FDL_LWIP_SACK_RANGES];
	unsigned n;
};

/* The blocks among so many bytes of TCP options. Returns how many. */
unsigned fdl_lwip_sack_read(const uint8_t *options, unsigned len,
			    struct fdl_lwip_range block[FDL_LWIP_SACK_BLOCKS]);

/* Returns how many of these bytes are news. left is before right. */
uint32_t fdl_lwip_sack_add(struct fdl_lwip_sack *s, struct fdl_lwip_range r);

/* Forget what is before una. */
void fdl_lwip_sack_trim(struct fdl_lwip_sack *s, uint32_t una);

/* How many bytes of a range it has. */
uint32_t fdl_lwip_sack_bytes(const struct fdl_lwip_sack *s,
			     struct fdl_lwip_range r);

/* Make of a range the first part of it that is missing; false: none is. */
bool fdl_lwip_sack_hole(const struct fdl_lwip_sack *s,
			struct fdl_lwip_range *r);

/* The highest place from which on it has more than so many bytes; una, if there
 * is none. */
uint32_t fdl_lwip_sack_above(const struct fdl_lwip_sack *s, uint32_t bytes,
			     uint32_t una);

#endif
