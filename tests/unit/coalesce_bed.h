/* SPDX-License-Identifier: Apache-2.0 */
/* A batch of packets for a coalescer, and what it makes of them. */
#ifndef TESTS_COALESCE_BED_H
#define TESTS_COALESCE_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "packets.h"

#define COALESCE_ALL (FDL_COALESCE_TCP | FDL_COALESCE_UDP)

enum { BATCH = 200, SLOT = 1800 };

struct batch {
	struct fdl_coalescer c;
	struct fdl_coalesced out;	/* the last that came out */
	struct fdl_coalesce_packet pkt[BATCH];
	struct iovec iov[BATCH][3];
	struct shape shape[BATCH];
	uint8_t bytes[BATCH][SLOT];
	size_t len[BATCH];		/* of bytes */
	int n;				/* that were added */
	uint8_t merged[70000];		/* to have one in one piece */
};

extern struct batch batch;

/* An empty batch, and a coalescer with these flags and its own limits. */
void batch_begin(unsigned flags);

/*
 * Add the frame in bytes[n], in cnt pieces, 1 to 3, the first with all headers.
 * Its user is its number.
 */
void batch_add_frame(size_t len, unsigned link_len, unsigned hdr_len,
		     struct fdl_offload off, int cnt);

/* Build a frame in bytes[n], and add it in one piece. */
void batch_add(const struct shape *s);

/* Have the next one out in batch.out. Returns how many packets it is made of;
 * 0: there is none. */
int batch_next(void);

#endif
