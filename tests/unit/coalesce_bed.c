/* SPDX-License-Identifier: Apache-2.0 */
#include "coalesce_bed.h"

struct batch batch;

void batch_begin(unsigned flags)
{
	fdl_coalesce_init(&batch.c, flags, 0, 0);
	batch.n = 0;
}

void batch_add_frame(size_t len, unsigned link_len, unsigned hdr_len,
		     struct fdl_offload off, int cnt)
{
	struct fdl_coalesce_packet *p = &batch.pkt[batch.n];
	struct iovec *iov = batch.iov[batch.n];
	size_t cut = cnt > 1 ? hdr_len + (len - hdr_len) / 3 : len;
	size_t cut2 = cnt > 2 ? cut + (len - cut) / 2 : len;

	iov[0] = (struct iovec){ batch.bytes[batch.n], cut };
	iov[1] = (struct iovec){ batch.bytes[batch.n] + cut, cut2 - cut };
	iov[2] = (struct iovec){ batch.bytes[batch.n] + cut2, len - cut2 };
	*p = (struct fdl_coalesce_packet){
		.iov = iov,
		.cnt = cnt,
		.link_len = (uint8_t)link_len,
		.off = off,
		.user = (void *)(uintptr_t)batch.n,
	};
	batch.len[batch.n++] = len;
	fdl_coalesce_add(&batch.c, p);
}

void batch_add(const struct shape *s)
{
	size_t len = build(batch.bytes[batch.n], s);

	batch.shape[batch.n] = *s;
	batch_add_frame(len, s->link_len, shape_hdr_len(s), shape_offload(s, 0),
			1);
}

int batch_next(void)
{
	return fdl_coalesce_next(&batch.c, &batch.out) ? batch.out.count : 0;
}
