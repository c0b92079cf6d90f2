/* SPDX-License-Identifier: Apache-2.0 */
/* A run of datagrams, and where its packets come from. */
#ifndef TESTS_RUN_BED_H
#define TESTS_RUN_BED_H

#include <fdlink/run.h>

#include "packets.h"

enum {
	ROOM = 70000,
	MAX = 128,
	UNTOUCHED = 0xa5,
};

static uint8_t super[70000], buf[ROOM];
static struct fdl_run_packet packets[MAX];
static struct fdl_coalescer batch;
static struct fdl_coalesced out;

static const struct shape tcp = {
	.version = 4,
	.proto = 6,
	.tcp_opts = 12,
	.df = true,
	.ttl = 64,
	.flags = 0x10,
	.partial = true,
};

static inline void start(struct fdl_segmenter *s, struct iovec *iov,
			 void *bytes, size_t len, const struct shape *shape,
			 unsigned mss)
{
	struct fdl_offload off = shape_offload(shape, mss);

	*iov = (struct iovec){ bytes, len };
	assert_int_equal(fdl_segment_start(s, iov, 1, shape->link_len, &off, 0),
			 FDL_REFUSE_NONE);
}

static inline struct fdl_run empty_run(uint16_t head, uint16_t tail)
{
	memset(buf, UNTOUCHED, sizeof(buf));
	return (struct fdl_run){
		.buf = buf,
		.room = sizeof(buf),
		.head = head,
		.tail = tail,
	};
}

static inline void is_untouched(const uint8_t *at, size_t n)
{
	while (n--)
		assert_int_equal(*at++, UNTOUCHED);
}

#endif
