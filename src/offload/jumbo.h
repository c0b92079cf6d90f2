/* SPDX-License-Identifier: Apache-2.0 */
/* The hop-by-hop header of an IPv6 packet of more than 65535 bytes (RFC 2675).
 * No segment has one. */
#ifndef FDL_OFFLOAD_JUMBO_H
#define FDL_OFFLOAD_JUMBO_H

#include <stdbool.h>

#include <fdlink/offload.h>

#include "proto/parse.h"

/* Returns false if there is such a header, and the length in it is wrong, or it
 * has other options. p->proto is TCP or UDP. */
bool jumbo_is_right(const uint8_t *frame, const struct parsed *p);

/* Whether there is one in the outermost header of a packet in a tunnel. The
 * kernel makes none there. */
bool jumbo_is_outside(const uint8_t *frame, unsigned link_len,
		      const struct parsed *p);

/*
 * Remove that header, if there is one and it is right, from a super-packet
 * whose first avail bytes lie at hdr. *p and *off then describe the packet
 * without it. Returns the header's length, or 0.
 */
unsigned jumbo_strip(uint8_t *hdr, size_t avail, struct parsed *p,
		     struct fdl_offload *off);

#endif
