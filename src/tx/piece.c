/* SPDX-License-Identifier: Apache-2.0 */
#include "tx/piece.h"

#include <errno.h>
#include <string.h>

#include "offload/datagrams.h"
#include "offload/limits.h"
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

/*
 * Gather the next piece without a copy: a segment, or a run of them; or up to
 * most segments, if that is more than 1, as datagrams of one super-packet.
 * Returns as fdl_segment_gather; *steps: so often the cutter made a step.
 */
static int gather(struct tx *tx, struct fdl_segmenter *s, unsigned most,
		  struct iovec *iov, unsigned max, struct fdl_offload *off,
		  unsigned *steps)
{
	const uint64_t longest = tx->max_super - tx->hdr_len;
	uint8_t(*const hdr)[FDL_HEADERS_MAX] = tx->out->head + tx->out->heads;
	const unsigned room = TX_BATCH - tx->out->heads;
	const struct datagrams d = {
		.most = most < room ? most : room,
		.longest = longest < MAX_SUPER_LEN ? longest : MAX_SUPER_LEN,
		.hdr = hdr,
		.iov = iov,
		.max = (int)max,
	};

	if (max < 2)
		return -EMSGSIZE;
	if (most > 1)
		return datagrams_gather(s, &d, off, steps);
	return fdl_segment_gather(s, *hdr, iov, (int)max, off);
}

enum tx_fit piece_add(struct tx *tx, struct fdl_segmenter *s, unsigned most)
{
	struct tx_batch *out = tx->out;
	struct msghdr *msg = tx_begin(tx, NULL);
	const unsigned run = segment_run(s), max = tx->io->max_pieces;
	struct fdl_offload off;
	unsigned used, steps = 1;
	int r;

	if (!msg || out->pieces + max > TX_PIECES || out->heads == TX_BATCH)
		return TX_FULL;
	used = (unsigned)msg_pieces(msg);
	r = gather(tx, s, most, msg->msg_iov + used, max - used, &off, &steps);
	if (r > 0) {
		msg_set_pieces(msg, used + (size_t)r);
		out->heads += steps;
	} else {
		if (out->merged)
			return TX_FULL;
		steps = 1;
		if (flatten(tx, s, msg, &off))
			return TX_NEVER;
	}
	if (used && off.csum == FDL_CSUM_PARTIAL)
		fdl_vnet_hdr_encode(out->hdr[out->n], FDL_VNET_HDR_LEN,
				    tx->order, &off);
	if (tunnel_of(&off))
		vnet_tunnel_put(msg->msg_iov->iov_base, &tx->tunnel);
	out->steps[out->n] = steps;
	/* A super-packet that was merged from packets counts as packets
	 * again. */
	tx_end(tx, tx->counted ? 1 : run * steps, off.gso);
	return TX_FITS;
}
