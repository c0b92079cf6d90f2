/* SPDX-License-Identifier: Apache-2.0 */
#include "rx/split.h"

#include <string.h>

#include "io/message.h"

void split_begin(struct rx *rx, const struct io_frame *frame)
{
	const size_t before = rx->io->vnet_hdr_len;

	rx->bundle = frame->pkt;
	rx->bundle_bytes = (struct iovec){ frame->pkt->data - before,
					   frame->pkt->len + before };
	rx->unit = frame->unit;
}

bool split_is_left(const struct rx *rx)
{
	return rx->bundle_bytes.iov_len > 0;
}

void split_next(struct rx *rx, struct io_frame *frame)
{
	const struct iovec room = message_room(rx->io, frame->pkt);
	struct iovec *bytes = &rx->bundle_bytes;
	const size_t len = bytes->iov_len < rx->unit ? bytes->iov_len :
						       rx->unit;

	memcpy(room.iov_base, bytes->iov_base, len);
	message_fill(rx->io, frame, len);
	frame->pkt->tstamp_ns = rx->bundle->tstamp_ns;
	bytes->iov_base = (uint8_t *)bytes->iov_base + len;
	bytes->iov_len -= len;
}

void split_end(struct rx *rx)
{
	fdl_release(&rx->bundle, 1);
	rx->bundle = NULL;
}
