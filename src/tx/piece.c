/* SPDX-License-Identifier: Apache-2.0 */
#include "tx/piece.h"

#include <errno.h>
#include <string.h>

#include "offload/segment.h"
#include "proto/tunnel.h"

/* Copy a segment into one piece, for an fd that takes no more. */
static int flatten(struct tx *tx, struct fdl_segmenter *s, struct msghdr *msg,
		   struct fdl_offload *off)
{
	struct tx_batch *out = tx->out;
	const unsigned room = tx->hdr_len;
	int r;

	r = fdl_segment_next(s, out->scratch + room,
			     sizeof(out->scratch) - room, off);
	if (r < 0)
		return r;
	out->merged = true;
	if (tx->io->max_pieces > 1 || !room) {
		msg->msg_iov[msg->msg_iovlen++] =
			(struct iovec){ out->scratch + room, (size_t)r };
		return 0;
	}
	fdl_vnet_hdr_encode(out->hdr[out->n], FDL_VNET_HDR_LEN, tx->order, off);
	memcpy(out->scratch, out->hdr[out->n], room);
	msg->msg_iov[0] = (struct iovec){ out->scratch, room + (size_t)r };
	return 0;
}

enum tx_fit piece_add(struct tx *tx, struct fdl_segmenter *s)
{
	struct tx_batch *out = tx->out;
	struct msghdr *msg = tx_begin(tx, NULL);
	/* A super-packet that was merged from packets counts as packets
	 * again. */
	const unsigned weight = tx->counted ? 1 : segment_run(s);
	struct fdl_offload off;
	unsigned used, max;
	int r;

	if (!msg || out->pieces + tx->io->max_pieces > TX_PIECES)
		return TX_FULL;
	used = (unsigned)msg_pieces(msg);
	max = tx->io->max_pieces;
	r = max < 2 ? -EMSGSIZE :
		      fdl_segment_gather(s, out->head[out->n],
					 msg->msg_iov + used, (int)(max - used),
					 &off);
	if (r > 0) {
		msg_set_pieces(msg, used + (size_t)r);
	} else {
		if (out->merged)
			return TX_FULL;
		if (flatten(tx, s, msg, &off))
			return TX_NEVER;
	}
	if (used && off.csum == FDL_CSUM_PARTIAL)
		fdl_vnet_hdr_encode(out->hdr[out->n], FDL_VNET_HDR_LEN,
				    tx->order, &off);
	if (tunnel_of(&off))
		vnet_tunnel_put(msg->msg_iov->iov_base, &tx->tunnel);
	tx_end(tx, weight, off.gso);
	return TX_FITS;
}
