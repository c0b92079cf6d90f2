/* SPDX-License-Identifier: Apache-2.0 */
/* Super-packets on a wire of tx_bed.h that has a virtio-net header. */
#ifndef SUPER_BED_H
#define SUPER_BED_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tx_bed.h"

enum { HDR = FDL_VNET_HDR_LEN };

static inline void decode(unsigned i, struct fdl_offload *off)
{
	assert_int_equal(fdl_vnet_hdr_decode(wire.took[i].bytes, HDR,
					     FDL_ORDER_NATIVE, off),
			 0);
	assert_int_equal(fdl_offload_check(wire.took[i].bytes + HDR,
					   wire.took[i].len - HDR,
					   wire.took[i].len - HDR, 14, off),
			 0);
}

/* The next segment of what the wire took, from message *i on. */
static inline int next_segment(unsigned *i, struct fdl_segmenter *s,
			       uint8_t *out)
{
	static struct iovec iov;
	struct fdl_offload off;

	if (!fdl_segment_len(s)) {
		assert_true(*i < wire.n);
		decode(*i, &off);
		iov = (struct iovec){ (void *)(uintptr_t)(wire.took[*i].bytes +
							  HDR),
				      wire.took[*i].len - HDR };
		assert_int_equal(fdl_segment_start(s, &iov, 1, 14, &off, 0), 0);
		++*i;
	}
	return fdl_segment_next(s, out, 2000, NULL);
}

/* The wire took, from message i on, what is in frame, whatever it is cut
 * into. */
static inline void expect_all(unsigned i, const struct iovec *frame,
			      const struct fdl_offload *off)
{
	struct fdl_segmenter want = { .done = true }, got = { .done = true };
	struct fdl_offload o = *off;
	uint8_t a[2000], b[2000];
	int n;

	if (fdl_segment_start(&want, frame, 1, 14, &o, 0)) {
		/* Of more segments than it knows: any will do. */
		assert_int_equal(off->gso, FDL_GSO_UDP);
		return;
	}
	while ((n = fdl_segment_next(&want, a, sizeof(a), NULL)) > 0) {
		assert_int_equal(next_segment(&i, &got, b), n);
		assert_memory_equal(a, b, (size_t)n);
	}
	assert_int_equal(fdl_segment_len(&got), 0);
	assert_int_equal(i, wire.n);
}

/* Send a super-packet as of weight packets. It arrives, and is counted as what
 * it went in. Returns the number of messages. */
static inline unsigned send_super(struct bed *b, const struct iovec *iov,
				  const struct fdl_offload *off,
				  unsigned weight)
{
	const struct frame f = {
		.iov = iov, .cnt = 1, .weight = weight, .off = off
	};
	const uint64_t packets = bed_count(b, TX_PACKETS);
	const unsigned before = wire.n;
	const struct verdict *why;

	assert_int_equal(tx_put(&b->tx, (struct frames){ .f = &f }, 1, &why),
			 1);
	assert_null(why);
	expect_all(before, iov, off);
	assert_int_equal(bed_count(b, TX_PACKETS) - packets,
			 weight > 1 ? weight : wire.n - before);
	return wire.n - before;
}

/* For wire.refuses: no message is longer than that. */
static size_t limit;

static inline int too_long(const uint8_t *bytes, size_t len)
{
	(void)bytes;
	return len > limit ? EMSGSIZE : 0;
}

#endif
