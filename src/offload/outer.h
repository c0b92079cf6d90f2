/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of tunnels around a segment. */
#ifndef FDL_OFFLOAD_OUTER_H
#define FDL_OFFLOAD_OUTER_H

#include <stdint.h>

#include <fdlink/offload.h>

#include "proto/tunnel.h"

/* Note where the headers lie that outer_write will write. */
void outer_start(struct fdl_segmenter *s, const struct tunnel *t);

/*
 * Write the outer headers, at hdr, of a packet of len bytes. The headers of the
 * inner packet are already written behind them, and inner is its partial
 * checksum. several: the packet is a piece of several segments, itself a
 * super-packet.
 */
void outer_write(const struct fdl_segmenter *s, uint8_t *hdr, unsigned len,
		 uint16_t inner, bool several);

#endif
