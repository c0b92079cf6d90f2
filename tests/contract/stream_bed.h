/* SPDX-License-Identifier: Apache-2.0 */
/* A link over a stream, and the other end of that in the test's hands. */
#ifndef TESTS_STREAM_BED_H
#define TESTS_STREAM_BED_H

#include <stddef.h>
#include <stdint.h>

#include <fdlink/fdlink.h>

enum {
	STREAM_PREFIX = 4,
	STREAM_FRAME = 1514,	/* the longest of those that follow */
	STREAM_WAIT_MS = 30000,
};

struct stream_bed {
	char dir[32], path[64];
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	int peer;
};

/* how: what follows the path in the locator. */
void stream_open(struct stream_bed *bed, const char *how, uint32_t flags);
void stream_close(struct stream_bed *bed);

/* A frame of that number, whose length differs by it. */
size_t stream_frame_len(unsigned seq);
void stream_make_frame(uint8_t *frame, unsigned seq);

/* Returns the bytes of the frame with its length before it. */
size_t stream_make_message(uint8_t *to, unsigned seq);

void stream_write(int fd, const void *bytes, size_t len);

/* The frame of that number is next. */
void stream_expect(struct stream_bed *bed, unsigned seq);

/* The pollable fd says that there is nothing. */
void stream_expect_quiet(struct stream_bed *bed);

#endif
