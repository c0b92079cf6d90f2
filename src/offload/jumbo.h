/* SPDX-License-Identifier: Apache-2.0 */
/* The hop-by-hop header that IPv6 puts before a packet of more than 65535 bytes
 * (RFC 2675), and no segment has. */
#ifndef FDL_OFFLOAD_JUMBO_H
#define FDL_OFFLOAD_JUMBO_H

#include <fdlink/offload.h>

#include "proto/parse.h"

/*
 * Take that header, if there is one, out of the first avail bytes at hdr of a
 * super-packet. *p and *off then are those of the packet without it. *len is how
 * many bytes it had, or 0. Returns FDL_REFUSE_NONE; FDL_REFUSE_IP: its length is
 * wrong, or it has other options.
 */
enum fdl_refusal jumbo_strip(uint8_t *hdr, size_t avail, struct parsed *p,
			     struct fdl_offload *off, unsigned *len);

#endif
