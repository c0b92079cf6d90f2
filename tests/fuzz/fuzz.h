/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz programs share: inputs in blocks of their exact size. */
#ifndef FDL_FUZZ_H
#define FDL_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fdlink/offload.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

/* So that a byte read too far is one outside the allocation. */
static inline uint8_t *exact_copy(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	MUST(copy);
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

static inline unsigned link_len_of(uint8_t selector)
{
	static const unsigned lens[] = { 0, 14, 18, 22 };

	return lens[selector % 4];
}

/* The fields that any virtio-net header has. */
static inline bool same_offload(const struct fdl_offload *a,
				const struct fdl_offload *b)
{
	return a->csum == b->csum && a->gso == b->gso && a->ecn == b->ecn &&
	       a->gso_size == b->gso_size && a->hdr_len == b->hdr_len &&
	       a->csum_start == b->csum_start &&
	       a->csum_offset == b->csum_offset;
}

/* Input of vnet_hdr and segment: link length, virtio header, frame. */
struct vnet_input {
	unsigned link_len;
	uint8_t *frame;
	size_t len;
	struct fdl_offload off;
};

enum { VNET_INPUT_MIN = 1 + FDL_VNET_HDR_LEN };

/* Returns why it cannot be used; frame is to be freed in any case. */
static inline enum fdl_refusal vnet_input(struct vnet_input *in,
					  const uint8_t *data, size_t size)
{
	enum fdl_refusal why;

	in->link_len = link_len_of(data[0]);
	in->len = size - VNET_INPUT_MIN;
	in->frame = exact_copy(data + VNET_INPUT_MIN, in->len);
	why = fdl_vnet_hdr_decode(data + 1, FDL_VNET_HDR_LEN, FDL_ORDER_LITTLE,
				  &in->off);
	if (why)
		return why;
	return fdl_offload_check(in->frame, in->len, in->len, in->link_len,
				 &in->off);
}

#endif
