/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of tunnels around a segment. */
#ifndef FDL_OFFLOAD_OUTER_H
#define FDL_OFFLOAD_OUTER_H

#include <stdint.h>

#include <fdlink/offload.h>

#include "proto/tunnel.h"

/* Note where the headers are that outer_write writes. */
void outer_start(struct fdl_segmenter *s, const struct tunnel *t);

/*
 * Write the headers of the tunnels at hdr, which those of the packet inside follow
 * already written: of a segment of len bytes, or of a piece of several, which is a
 * super-packet again. inner is the partial checksum of the packet inside.
 */
void outer_write(const struct fdl_segmenter *s, uint8_t *hdr, unsigned len,
		 uint16_t inner, bool several);

#endif
