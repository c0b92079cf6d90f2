/* SPDX-License-Identifier: Apache-2.0 */
/* An endpoint on one end of a unix pair, and what its peer gets. */
#ifndef TESTS_WORK_BED_H
#define TESTS_WORK_BED_H

#include <stdint.h>
#include <sys/types.h>

#include <fdlink/fdlink.h>
#include <fdlink/offload.h>

#include "../unit/packets.h"

enum { MSS = 1000, BIG = 20500, SEGMENTS = 21, MAX = 70000 };

struct bed {
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	int fd, peer;
};

/* With FDL_ETHERNET and flags. */
void bed_make(struct bed *f, uint32_t flags);
void bed_discard(struct bed *f);

/* A segment with options, its checksum partial. */
struct shape bed_tcp4(unsigned payload);

/* The next frame at the peer, up to MAX bytes; -1: none. */
ssize_t bed_collect(int fd, uint8_t *buf);

/* The library's own cutter, with *iov for it to read from. */
void bed_start_cut(struct fdl_segmenter *cut, struct iovec *iov,
		   const uint8_t *frame, size_t len,
		   const struct fdl_offload *off);

/* The peer gets what that makes of the packet. Returns how many segments. */
unsigned bed_expect_segments(struct bed *f, struct fdl_segmenter *cut);

/* A virtio-net header says just that. */
void bed_expect_header(const uint8_t *got, const struct fdl_offload *want);

#endif
