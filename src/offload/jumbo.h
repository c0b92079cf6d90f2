/* SPDX-License-Identifier: Apache-2.0 */
/* The hop-by-hop header of an IPv6 packet of more than 65535 bytes (RFC 2675).
 * No segment has one. */
#ifndef FDL_OFFLOAD_JUMBO_H
#define FDL_OFFLOAD_JUMBO_H

#include <fdlink/offload.h>

#include "proto/parse.h"

/*
 * Remove that header, if there is one, from a super-packet whose first avail
 * bytes lie at hdr. *p and *off then describe the packet without it; *len is
 * the header's length, or 0. Returns FDL_REFUSE_NONE; FDL_REFUSE_IP: the length
 * in it is wrong, or it has other options.
 */
enum fdl_refusal jumbo_strip(uint8_t *hdr, size_t avail, struct parsed *p,
			     struct fdl_offload *off, unsigned *len);

#endif
