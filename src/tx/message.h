/* SPDX-License-Identifier: Apache-2.0 */
/* Frames become messages, and go in as few system calls as the fd allows. Work
 * that a frame leaves to do is no matter of this file: tx/bridge.c does it. */
#ifndef FDL_TX_MESSAGE_H
#define FDL_TX_MESSAGE_H

#include <string.h>

#include "tx/tx.h"

/* Drop n packets: count them as the verdict says, and keep its sentence. */
void tx_drop(struct tx *tx, const struct verdict *v, unsigned n);

/* As verdict_on_send, except that on a link that lasts an error that would end
 * it only drops a packet. */
const struct verdict *tx_verdict(const struct tx *tx, int err);

/* The verdict on frames sent between two lives of the link. */
const struct verdict *tx_away(const struct tx *tx);

/* What becomes of a frame that is to be a message. */
enum tx_fit {
	TX_FITS,	/* it is one */
	TX_FULL,	/* what is gathered has to go first */
	TX_UNCUT,	/* a super-packet that has to be cut: bridge_cut */
	TX_NEVER,	/* it is to be dropped, for *why */
};

/* Why a push ended. */
enum tx_stop {
	TX_ALL_GONE,
	TX_STOPPED,	/* no room, or the end: *why */
	/* The next one is a super-packet, and the kernel does not take it: */
	TX_SUPER_REFUSED, /* it says EINVAL */
	TX_SUPER_TOO_LONG, /* EMSGSIZE; tx->max_super knows by now */
};

/* A longer header ends with num_buffers, which is 1 in virtio 1 (virtio 1.2,
 * 5.1.6.4), and with what is 0. A kernel does not look. */
static inline void tx_put_num_buffers(const struct tx *tx, uint8_t *hdr)
{
	/* With a constant length the compiler makes no call of this. */
	if (tx->hdr_len == FDL_VNET_HDR_TUNNEL_LEN)
		memset(hdr + FDL_VNET_HDR_LEN, 0,
		       FDL_VNET_HDR_TUNNEL_LEN - FDL_VNET_HDR_LEN);
	else
		memset(hdr + FDL_VNET_HDR_LEN, 0,
		       tx->hdr_len - FDL_VNET_HDR_LEN);
	if (tx->hdr_len >= FDL_VNET_HDR_MRG_LEN)
		hdr[FDL_VNET_HDR_LEN + tx->one_at] = 1;
}

/* hdr has room for the queue's header. */
static inline void tx_put_header(const struct tx *tx, uint8_t *hdr,
				 const struct fdl_offload *off)
{
	if (off)
		fdl_vnet_hdr_encode(hdr, FDL_VNET_HDR_LEN, tx->order, off);
	else
		memset(hdr, 0, FDL_VNET_HDR_LEN);
	if (tx->hdr_len > FDL_VNET_HDR_LEN)
		tx_put_num_buffers(tx, hdr);
}

/* Begin a message, with a header that says *off (NULL: nothing is left to do).
 * Returns NULL if there are as many messages as can be. */
struct msghdr *tx_begin(struct tx *tx, const struct fdl_offload *off);

/* End a message that has all its pieces. */
void tx_end(struct tx *tx, unsigned weight, bool super);

/*
 * Copy a frame and its header into one piece. Returns the length of the frame;
 * *start is where the piece begins, with the header. 0: it does not fit, or
 * there is no place.
 */
size_t tx_copy_whole(struct tx *tx, const struct frame *f, uint8_t **start);

/* Make one piece of a frame, which has bytes, and its header; *start is where
 * it begins. Returns the length of the frame; 0: it cannot be one piece. */
static inline size_t tx_make_whole(struct tx *tx, const struct frame *f,
				   uint8_t **start)
{
	if (f->cnt != 1 || f->room < tx->hdr_len)
		return tx_copy_whole(tx, f, start);
	*start = (uint8_t *)f->iov->iov_base - tx->hdr_len;
	return f->iov->iov_len;
}

/* tx_begin and tx_end in one, for most frames: one piece that begins with room
 * for the header. Returns false if there are as many messages as can be. */
static inline bool tx_gather_whole(struct tx *tx, uint8_t *start, size_t len,
				   unsigned weight,
				   const struct fdl_offload *off)
{
	struct tx_batch *out = tx->out;
	const unsigned hdr_len = tx->hdr_len;
	const unsigned n = out->n, at = out->pieces;

	if (n == TX_BATCH || at == TX_PIECES)
		return false;
	out->piece[at] = (struct iovec){ start, hdr_len + len };
	out->msg[n].msg_hdr.msg_iov = &out->piece[at];
	out->msg[n].msg_hdr.msg_iovlen = 1;
	out->weight[n] = weight;
	out->super[n] = off && off->gso;
	out->n = n + 1;
	out->pieces = at + 1;
	if (hdr_len)
		tx_put_header(tx, start, off);
	return true;
}

/* tx_gather, for a frame that cannot be one piece. */
enum tx_fit tx_gather_pieces(struct tx *tx, const struct frame *f,
			     const struct fdl_offload *off,
			     const struct verdict **why);

/* Make a message of a frame as it is. Inline, because that pays where nothing
 * is left to do. */
static inline enum tx_fit tx_gather(struct tx *tx, const struct frame *f,
				    const struct fdl_offload *off,
				    const struct verdict **why)
{
	uint8_t *start;
	const size_t len = tx_make_whole(tx, f, &start);

	if (!len)
		return tx_gather_pieces(tx, f, off, why);
	return tx_gather_whole(tx, start, len, f->weight, off) ? TX_FITS :
								 TX_FULL;
}

/* Send what is left of a message that went in part. Returns whether it is gone;
 * else *why says why not. */
bool tx_finish_part(struct tx *tx, const struct verdict **why);

/* Send what is gathered; *gone: how many messages are gone. */
enum tx_stop tx_push(struct tx *tx, unsigned *gone, const struct verdict **why);

#endif
