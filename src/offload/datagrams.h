/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A super-packet inside a tunnel, for a wire that takes super-packets of UDP
 * and knows no tunnels. Its segments are datagrams from one port to another, of
 * one length but for the last: so many of them are a super-packet of UDP.
 */
#ifndef FDL_OFFLOAD_DATAGRAMS_H
#define FDL_OFFLOAD_DATAGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fdlink/offload.h>

/* What one super-packet of datagrams may have, and what it is made in. */
struct datagrams {
	unsigned most;			 /* datagrams */
	size_t longest;			 /* bytes, link header included */
	uint8_t (*hdr)[FDL_HEADERS_MAX]; /* most of them */
	struct iovec *iov;		 /* max of them */
	int max;
};

/*
 * Returns the version of the outermost IP header, 4 or 6, if the segments of s
 * can go as datagrams of one super-packet; else 0. They cannot if the outermost
 * tunnel is not in UDP, or has no checksum: the kernel would give each datagram
 * one. s is as fdl_segment_start left it.
 */
unsigned datagrams_version(const struct fdl_segmenter *s);

/* From now on the segments of s are complete, as payload has to be. */
void datagrams_begin(struct fdl_segmenter *s);

/*
 * Gather the next segments, as many as can be, at least one. *off gets what is
 * left to do on them. Returns the number of pieces, or what fdl_segment_gather
 * returns for the first one; *n: the number of segments.
 */
int datagrams_gather(struct fdl_segmenter *s, const struct datagrams *d,
		     struct fdl_offload *off, unsigned *n);

#endif
