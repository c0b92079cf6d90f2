/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between frames and messages. If the wire takes the work of a frame, the frame
 * goes as it is, with the work in its virtio-net header. Else it is cut; in one
 * segment, if only the checksum is missing. No byte of the caller's is written
 * to, because the caller may get the frame back.
 */
#include "tx/bridge.h"

#include <errno.h>
#include <string.h>

#include "offload/datagrams.h"
#include "offload/segment.h"
#include "tx/piece.h"
#include "tx/work.h"

enum {
	OLD_UDP_SEGMENTS = 64,	/* of a super-packet, before Linux 6.9 */
};

static const struct verdict too_long = {
	.action = DROP,
	.counter = TX_DROP_TOO_LONG,
	.result = -EMSGSIZE,
	.text = "a packet was dropped: too long to complete its checksum",
};

static unsigned cut_flags(const struct tx *tx)
{
	return work_takes(tx) & FDL_OFFLOAD_CSUM ? FDL_SEGMENT_PARTIAL : 0;
}

/* Returns how many segments of a super-packet the wire takes as one. */
static unsigned most_segments(const struct tx *tx, const struct work *w)
{
	const size_t around = tx->hdr_len + w->off.hdr_len;
	const unsigned longest = UINT16_MAX - (unsigned)w->off.hdr_len;
	uint64_t n = tx->max_super > around ?
			     (tx->max_super - around) / w->off.gso_size :
			     0;

	if ((w->needs & ~(uint32_t)WORK_CURED) & ~work_takes(tx) ||
	    w->off.csum != FDL_CSUM_PARTIAL)
		return 1;
	if (w->off.gso == FDL_GSO_UDP && n > tx->max_uso)
		n = tx->max_uso;
	/* No super-packet has more. */
	if (n > UINT16_MAX / w->off.gso_size + 1u)
		n = UINT16_MAX / w->off.gso_size + 1u;
	if (w->big && n > longest / w->off.gso_size)
		n = longest / w->off.gso_size;
	return n > 1 ? (unsigned)n : 1;
}

/* Joined to fewer pieces, it might be too long for the place that there is. */
static bool big_goes_whole(const struct tx *tx, const struct frame *f)
{
	return (unsigned)f->cnt < tx->io->max_pieces &&
	       tx->hdr_len + frame_len(f) <= tx->max_super;
}

/* Whether the wire does all of its work. */
static bool goes_whole(const struct tx *tx, const struct frame *f,
		       const struct work *w)
{
	if (w->needs & ~work_takes(tx))
		return false;
	if (!w->off.gso)
		return true;
	if (w->off.csum != FDL_CSUM_PARTIAL)
		return false;
	if (w->big)
		return big_goes_whole(tx, f);
	return frame_len(f) - w->off.hdr_len <=
	       (uint64_t)most_segments(tx, w) * w->off.gso_size;
}

static enum tx_fit gather_whole(struct tx *tx, const struct frame *f,
				const struct work *w,
				const struct verdict **why)
{
	const enum tx_fit fit = tx_gather(tx, f, &w->off, why);
	const struct tx_batch *out = tx->out;

	/* A message begins with its header. */
	if (fit == TX_FITS && w->needs & WORK_TUNNELS)
		vnet_tunnel_put(out->msg[out->n - 1].msg_hdr.msg_iov->iov_base,
				&w->tunnel);
	return fit;
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
	if (goes_whole(tx, f, &w))
		return gather_whole(tx, f, &w, why);
	if (w.off.gso)
		return TX_UNCUT;
	if (fdl_segment_start(&s, f->iov, f->cnt, w.link_len, &w.off, 0))
		return TX_NEVER;
	*why = &too_long;
	fit = piece_add(tx, &s, 1);
	if (fit == TX_FITS)
		tx->out->weight[tx->out->n - 1] = f->weight;
	return fit;
}

/* Pass over n steps of the cutter. They are made once more, because the cutter
 * cannot go back. */
static void pass_over(struct tx *tx, unsigned n)
{
	while (n-- > 0)
		fdl_segment_next(&tx->cut, tx->out->scratch,
				 sizeof(tx->out->scratch), NULL);
}

static void revoke(struct tx *tx)
{
	uint32_t bits = tx->suspect;

	tx->suspect = 0;
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

/* The newest offload that a refused super-packet needs. A kernel that refuses
 * it may still know the older ones. */
static uint32_t suspects(uint32_t needs)
{
	if (needs & FDL_OFFLOAD_TUNNEL_CSUM)
		return FDL_OFFLOAD_TUNNEL_CSUM;
	if (needs & FDL_OFFLOAD_TUNNEL)
		return FDL_OFFLOAD_TUNNEL;
	return needs & WORK_SUPERS;
}

static bool is_uso(const struct tx *tx)
{
	return tx->needs & (FDL_OFFLOAD_USO4 | FDL_OFFLOAD_USO6);
}

/* The kernel refused a piece that was made in so many steps of the cutter. Make
 * smaller ones. */
static void cut_smaller(struct tx *tx, unsigned steps, enum tx_stop stop)
{
	const unsigned segments = steps * segment_run(&tx->cut);
	unsigned n = 1;

	if (stop == TX_SUPER_TOO_LONG)
		n = segments / 2;
	else if (is_uso(tx) && segments > OLD_UDP_SEGMENTS)
		n = tx->max_uso = OLD_UDP_SEGMENTS;
	else
		tx->suspect = suspects(tx->needs);
	if (!n)
		n = 1;
	if (tx->datagrams > 1)
		tx->datagrams = n;
	else
		segment_in_runs(&tx->cut, tx->cut.unit, n);
}

/* Push what is gathered of a super-packet; was is the cutter as it was before.
 * Returns how many messages are gone. */
static unsigned push_pieces(struct tx *tx, const struct fdl_segmenter *was,
			    const struct verdict **why)
{
	const uint64_t before = counted(tx->counters, TX_PACKETS);
	enum tx_stop stop;
	unsigned gone, i;

	stop = tx_push(tx, &gone, why);
	if (tx->suspect && counted(tx->counters, TX_PACKETS) > before)
		revoke(tx);
	if (stop == TX_ALL_GONE)
		return gone;
	tx->cut = *was;
	for (i = 0; i < gone; i++)
		pass_over(tx, tx->out->steps[i]);
	if (stop != TX_STOPPED)
		cut_smaller(tx, tx->out->steps[gone], stop);
	return gone;
}

/* Send pieces until there are none, or *why. Returns how many are gone. */
static unsigned drive(struct tx *tx, const struct verdict **why)
{
	struct fdl_segmenter was;
	unsigned total = 0;

	while (fdl_segment_len(&tx->cut) && !*why) {
		was = tx->cut;
		while (fdl_segment_len(&tx->cut) &&
		       piece_add(tx, &tx->cut, tx->datagrams) == TX_FITS)
			;
		total += push_pieces(tx, &was, why);
	}
	if (tx->counted)
		count(tx->counters, TX_SEGMENTS, total);
	return total;
}

/* Move the payload that is not sent yet to where it can stay. */
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

/* Returns how many are left, in packets, as they are counted. */
static unsigned count_rest(struct tx *tx)
{
	unsigned n = 0, run;

	while ((run = segment_run(&tx->cut))) {
		n += tx->counted ? 1 : run;
		pass_over(tx, 1);
	}
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

/* If the segments can go as datagrams of super-packets, that is how they go. A
 * longer one than the MTU is not hidden in one: nobody would tell of its loss.
 */
static void start_datagrams(struct tx *tx, unsigned link_len)
{
	const unsigned version = datagrams_version(&tx->cut);
	const uint32_t needs = FDL_OFFLOAD_CSUM |
			       (version == 4 ? FDL_OFFLOAD_USO4 :
					       FDL_OFFLOAD_USO6);

	if (!version || !work_knows_datagrams(tx) || needs & ~work_takes(tx) ||
	    !work_fits_mtu(tx, fdl_segment_len(&tx->cut), link_len))
		return;
	datagrams_begin(&tx->cut);
	tx->datagrams = tx->max_uso;
	tx->needs = needs;
}

/* Begin to cut a frame, whose work is *w then. Returns false if its work
 * contradicts it. */
static bool start_cut(struct tx *tx, const struct frame *f, struct work *w)
{
	struct fdl_offload told;
	unsigned n;

	if (!work_judge(tx, f, w))
		return false;
	told = w->off;
	if (w->needs & WORK_TOO_MANY)
		told.gso_size *= WORK_RUN;
	if (fdl_segment_start(&tx->cut, f->iov, f->cnt, w->link_len, &told,
			      cut_flags(tx)))
		return false;
	n = most_segments(tx, w);
	segment_in_runs(&tx->cut, w->off.gso_size, n);
	tx->counted = f->weight == 1;
	tx->needs = w->needs;
	tx->datagrams = 1;
	if (n == 1)
		start_datagrams(tx, w->link_len);
	if (w->needs & WORK_TUNNELS)
		tx->tunnel = w->tunnel;
	tx->suspect = 0;
	return true;
}

/* Cut what start_cut began. As bridge_cut. */
static bool cut(struct tx *tx, const struct verdict **why)
{
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

static bool lose_whole(struct tx *tx, const struct frame *f)
{
	tx_drop(tx, &work_contradicts, f->weight);
	return true;
}

bool bridge_cut(struct tx *tx, const struct frame *f,
		const struct verdict **why)
{
	struct work w;

	return start_cut(tx, f, &w) ? cut(tx, why) : lose_whole(tx, f);
}

bool bridge_cut_refused(struct tx *tx, const struct frame *f, enum tx_stop stop,
			const struct verdict **why)
{
	struct work w;

	if (!start_cut(tx, f, &w))
		return lose_whole(tx, f);
	/* Where it is too long, its length is learnt. */
	if (stop == TX_SUPER_REFUSED && w.big)
		tx->big_refused = true;
	else if (stop == TX_SUPER_REFUSED)
		cut_smaller(tx, 1, stop);
	return cut(tx, why);
}

void bridge_finish(struct tx *tx, const struct verdict **why)
{

	drive(tx, why);
	if (!*why)
		tx->cutting = false;
	else if ((*why)->action == END)
		bridge_lose(tx, *why);
}
