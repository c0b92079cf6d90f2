/* SPDX-License-Identifier: Apache-2.0 */
/* What cutting has for the library besides offload.h. */
#ifndef FDL_OFFLOAD_SEGMENT_H
#define FDL_OFFLOAD_SEGMENT_H

#include <fdlink/offload.h>

/*
 * Cut into pieces of up to n segments of gso_size bytes of payload. One of
 * several segments is a super-packet again, as its off says. For a super-packet
 * that fdl_segment_start began, with FDL_SEGMENT_PARTIAL if n is more than 1;
 * also between two pieces.
 */
void segment_in_runs(struct fdl_segmenter *s, unsigned gso_size, unsigned n);

/* Of how many segments the next piece is; 0: there is none. */
unsigned segment_run(const struct fdl_segmenter *s);

#endif
