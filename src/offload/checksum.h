/* SPDX-License-Identifier: Apache-2.0 */
/* Internet checksums of parsed packets; the sums are those of offload.h. */
#ifndef FDL_OFFLOAD_CHECKSUM_H
#define FDL_OFFLOAD_CHECKSUM_H

#include <stdint.h>

#include <fdlink/offload.h>

#include "proto/parse.h"

/* sum plus one number in network byte order. */
uint16_t checksum_add(uint16_t sum, unsigned number);
uint16_t checksum_sub(uint16_t sum, unsigned number);

/* Sum of the pseudo-header of frame but for its length (RFC 9293, 3.1; RFC
 * 8200, 8.1). p->proto is TCP or UDP. */
uint16_t checksum_pseudo(const uint8_t *frame, const struct parsed *p);

/*
 * The same for a super-packet, of which *off holds. A partial checksum has it,
 * over the final destination even where a routing header hides that. Its length
 * is that of the whole, except where the kernel chained the packets (frag-list
 * GRO): then it is still the first packet's (net/ipv4/udp_offload.c,
 * udp_gro_complete).
 */
uint16_t checksum_super(const uint8_t *frame, const struct parsed *p,
			const struct fdl_offload *off);

/*
 * Give the partial checksum of a super-packet, which fdl_offload_check has
 * passed, the length of the whole where it has that of the first packet.
 */
void checksum_whole(uint8_t *frame, size_t len, unsigned link_len,
		    const struct fdl_offload *off);

/* Fill in an IPv4 header's own checksum. */
void checksum_ip4(uint8_t *ip);

/*
 * Store what a sum over a whole packet, the partial checksum at field included,
 * makes of that field. no_zero: 0 would mean that there is none, and becomes
 * 0xffff, which is as right.
 */
void checksum_store(uint8_t *field, uint16_t sum, bool no_zero);

/* Where the bytes that the transport checksum covers end. */
uint32_t checksum_end(const uint8_t *frame, const struct parsed *p);

/*
 * The same for a partial checksum of a frame of len bytes, which may start in a
 * header behind the transport's. Padding and trailers are never covered.
 */
size_t checksum_partial_end(const uint8_t *frame, size_t len,
			    const struct parsed *p, unsigned csum_start);

#endif
