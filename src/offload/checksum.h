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

#endif
