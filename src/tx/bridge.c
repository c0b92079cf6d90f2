/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between frames and messages. A frame whose work the wire takes goes as it is,
 * with the work in its virtio-net header. Else it is cut, in one segment if
 * only the checksum is missing: no byte of the caller's is written to, for the
 * frame may come back to him.
 */
#include "tx/bridge.h"

#include <errno.h>
#include <string.h>

#include "tx/work.h"

static const struct verdict too_long = {
	.action = DROP,
	.counter = TX_DROP_TOO_LONG,
	.result = -EMSGSIZE,
	.text = "a packet was dropped: too long to complete its checksum",
};

/* A segment into one piece, where it may have no more. */
static int flatten(struct tx *tx, struct fdl_segmenter *s, struct msghdr *msg,
		   struct fdl_offload *off)
{
	struct tx_batch *out = tx->out;
	const unsigned room = tx->io->vnet_hdr_len;
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
	fdl_vnet_hdr_encode(out->hdr[out->n], FDL_VNET_HDR_LEN, tx->io->order,
			    off);
	memcpy(out->scratch, out->hdr[out->n], room);
	msg->msg_iov[0] = (struct iovec){ out->scratch, room + (size_t)r };
	return 0;
}

/* Gather the next segment. Nothing is said of why one never can. */
static enum tx_fit emit(struct tx *tx, struct fdl_segmenter *s)
{
	struct tx_batch *out = tx->out;
	struct msghdr *msg = tx_begin(tx, NULL);
	struct fdl_offload off;
	unsigned used, max;
	int r;

	if (!msg || out->pieces + tx->io->max_pieces > TX_PIECES)
		return TX_FULL;
	used = (unsigned)msg->msg_iovlen;
	max = tx->io->max_pieces;
	r = max < 2 ? -EMSGSIZE :
		      fdl_segment_gather(s, out->head[out->n],
					 msg->msg_iov + used, (int)(max - used),
					 &off);
	if (r > 0) {
		msg->msg_iovlen += (size_t)r;
	} else {
		if (out->merged)
			return TX_FULL;
		if (flatten(tx, s, msg, &off))
			return TX_NEVER;
	}
	if (used && off.csum == FDL_CSUM_PARTIAL)
		fdl_vnet_hdr_encode(out->hdr[out->n], FDL_VNET_HDR_LEN,
				    tx->io->order, &off);
	tx_end(tx, 1, false);
	return TX_FITS;
}

static unsigned cut_flags(const struct tx *tx)
{
	return work_takes(tx) & FDL_OFFLOAD_CSUM ? FDL_SEGMENT_PARTIAL : 0;
}

enum tx_fit bridge_add(struct tx *tx, const struct frame *f,
		       const struct verdict **why)
{
	struct fdl_segmenter s;
	enum tx_fit fit;
	struct work w;

	*why = &work_contradicts;
	if (!work_judge(tx, f, &w))
		return TX_NEVER;
	if (!(w.needs & ~work_takes(tx)) &&
	    (!w.off.gso || w.off.csum == FDL_CSUM_PARTIAL))
		return tx_gather(tx, f, &w.off, why);
	if (w.off.gso)
		return TX_UNCUT;
	if (fdl_segment_start(&s, f->iov, f->cnt, w.link_len, &w.off, 0))
		return TX_NEVER;
	*why = &too_long;
	fit = emit(tx, &s);
	if (fit == TX_FITS)
		tx->out->weight[tx->out->n - 1] = f->weight;
	return fit;
}

/* Pass over segments that went: they are cut again, as the cutter cannot go
 * back. */
static void pass_over(struct tx *tx, unsigned n)
{
	while (n-- > 0)
		fdl_segment_next(&tx->cut, tx->out->scratch,
				 sizeof(tx->out->scratch), NULL);
}

/* Send segments until there are none, or *why. Returns how many are gone. */
static unsigned drive(struct tx *tx, const struct verdict **why)
{
	struct fdl_segmenter was;
	unsigned gone, total = 0;

	while (fdl_segment_len(&tx->cut) && !*why) {
		was = tx->cut;
		while (fdl_segment_len(&tx->cut) &&
		       emit(tx, &tx->cut) == TX_FITS)
			;
		tx_push(tx, &gone, why);
		total += gone;
		if (*why) {
			tx->cut = was;
			pass_over(tx, gone);
		}
	}
	if (tx->counted)
		count(tx->counters, TX_SEGMENTS, total);
	return total;
}

/* The payload not yet sent moves to where it can stay. */
static void keep_rest(struct tx *tx)
{
	const struct iovec *iov = tx->cut.at.iov;
	size_t skip = tx->cut.at.skip, n, len = 0;

	for (; len < tx->cut.left; iov++, skip = 0) {
		n = iov->iov_len - skip;
		if (n > tx->cut.left - len)
			n = tx->cut.left - len;
		memmove(tx->out->rest + len, (uint8_t *)iov->iov_base + skip,
			n);
		len += n;
	}
	tx->rest_bytes = (struct iovec){ tx->out->rest, len };
	tx->cut.at = (struct fdl_cursor){ .iov = &tx->rest_bytes, .cnt = 1 };
	tx->cutting = true;
}

static unsigned count_rest(struct tx *tx)
{
	unsigned n = 0;

	while (fdl_segment_next(&tx->cut, tx->out->scratch,
				sizeof(tx->out->scratch), NULL) > 0)
		n++;
	return n;
}

void bridge_lose(struct tx *tx, const struct verdict *why)
{
	unsigned n = tx->cutting ? count_rest(tx) : 0;

	if (!n)
		return;
	tx_drop(tx, why, n);
	if (tx->counted)
		count(tx->counters, TX_SEGMENTS, n);
	tx->cutting = false;
}

static bool cut(struct tx *tx, const struct frame *f, struct work *w,
		const struct verdict **why)
{

	if (!work_judge(tx, f, w) ||
	    fdl_segment_start(&tx->cut, f->iov, f->cnt, w->link_len, &w->off,
			      cut_flags(tx))) {
		tx_drop(tx, &work_contradicts, f->weight);
		return true;
	}
	/* What was merged from packets becomes them again. */
	tx->counted = f->weight == 1;
	if (!drive(tx, why))
		return false;
	if (tx->counted)
		count(tx->counters, TX_GSO_CUT, 1);
	if (*why)
		keep_rest(tx);
	if (*why && (*why)->action == END)
		bridge_lose(tx, *why);
	return true;
}

bool bridge_cut(struct tx *tx, const struct frame *f,
		const struct verdict **why)
{
	struct work w;

	return cut(tx, f, &w, why);
}

static void revoke(struct tx *tx, const struct work *w)
{
	uint32_t bits = w->needs & WORK_SUPERS;

	bits &= ~atomic_fetch_or_explicit(&tx->shared->tx_revoked, bits,
					  memory_order_relaxed);
	if (!bits)
		return;
	count(tx->counters, TX_OFFLOAD_REVOKED, 1);
	log_say(&tx->shared->log, FDL_LOG_WARNING,
		"the kernel refuses super-packets "
		"(FDL_OFFLOAD bits %#x) whose segments it takes: from now on "
		"they are cut in software",
		bits);
}

bool bridge_cut_refused(struct tx *tx, const struct frame *f,
			const struct verdict **why)
{
	const uint64_t before = counted(tx->counters, TX_PACKETS);
	struct work w;
	bool gone;

	gone = cut(tx, f, &w, why);
	if (counted(tx->counters, TX_PACKETS) > before)
		revoke(tx, &w);
	return gone;
}

void bridge_finish(struct tx *tx, const struct verdict **why)
{

	drive(tx, why);
	if (!*why)
		tx->cutting = false;
	else if ((*why)->action == END)
		bridge_lose(tx, *why);
}
