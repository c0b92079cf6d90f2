/* SPDX-License-Identifier: Apache-2.0 */
/* Internet checksums of parsed packets; the sums are those of offload.h. */
#ifndef FDL_OFFLOAD_CHECKSUM_H
#define FDL_OFFLOAD_CHECKSUM_H

#include <stdint.h>

#include <fdlink/offload.h>

#include "proto/parse.h"

/* Add one number, as it stands in network byte order, to sum. */
uint16_t checksum_add(uint16_t sum, uint32_t number);
uint16_t checksum_sub(uint16_t sum, uint32_t number);

/* Returns the sum of the pseudo-header of frame without its length (RFC 9293,
 * section 3.1; RFC 8200, section 8.1). p->proto is TCP or UDP. */
uint16_t checksum_pseudo(const uint8_t *frame, const struct parsed *p);

/*
 * Returns the sum of the pseudo-header of a super-packet, whose work is *off.
 *
 * If the checksum is partial, its field holds that sum, over the final
 * destination even where a routing header hides that. The length in it is that
 * of the whole packet, except where the kernel chained packets (frag-list GRO):
 * there it is still the first packet's (net/ipv4/udp_offload.c,
 * udp_gro_complete).
 */
uint16_t checksum_super(const uint8_t *frame, const struct parsed *p,
			const struct fdl_offload *off);

/*
 * Make the partial checksum of a super-packet that of the whole packet, if it
 * still has the length of the first packet. offload_check must have passed it,
 * and found *p.
 */
void checksum_whole(uint8_t *frame, const struct parsed *p,
		    const struct fdl_offload *off);

/* As fdl_checksum_complete, of a partial checksum, for a frame that is parsed.
 * Returns false: it is not inside the frame. */
bool checksum_complete(uint8_t *frame, size_t len, const struct parsed *p,
		       struct fdl_offload *off);

/* Compute the checksum of an IPv4 header and store it there. */
void checksum_ip4(uint8_t *ip);

/*
 * Store a checksum at field. sum is over the whole packet, with the partial
 * checksum at field included. no_zero: UDP has no checksum if the field is 0,
 * so 0 is stored as 0xffff, which is as right.
 */
void checksum_store(uint8_t *field, uint16_t sum, bool no_zero);

/* Returns where the bytes that the transport checksum covers end. */
uint32_t checksum_end(const uint8_t *frame, const struct parsed *p);

/*
 * Returns where the bytes that a partial checksum of a frame of len bytes
 * covers end. It may start in a header behind the transport header. Padding and
 * trailers are never covered.
 */
size_t checksum_partial_end(const uint8_t *frame, size_t len,
			    const struct parsed *p, unsigned csum_start);

#endif
