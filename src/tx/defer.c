/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deferred frames go into the coalescer at once, except the first one, which
 * may stay alone. A flush sends what comes out of the coalescer, as many at a
 * time as there is room for headers and pieces.
 */
#include "tx/defer.h"

#include <errno.h>
#include <string.h>

#include "offload/coalesce.h"
#include "os.h"
#include "tx/message.h"
#include "tx/room.h"
#include "tx/work.h"

enum {
	MAX_PACKETS = 256,
	MAX_PIECES = 2048,
	MAX_BYTES = 1 << 18,
	MAX_OUT = 64,			/* sent in one go */
};

struct call {
	void (*done)(void *arg);
	void *arg;
};

struct deferred {
	unsigned n, pieces;
	size_t used;			/* of bytes */
	struct fdl_coalesce_packet packet[MAX_PACKETS];
	struct call call[MAX_PACKETS];
	struct iovec piece[MAX_PIECES];
	uint8_t bytes[MAX_BYTES];

	struct fdl_coalescer coalescer;
	struct fdl_coalesced out[MAX_OUT];
	struct frame frame[MAX_OUT];
	struct iovec out_piece[MAX_PIECES];
};

int defer_open(struct tx *tx)
{
	if (!(tx->shared->opts.flags & FDL_COALESCE))
		return 0;
	tx->deferred = os_map(sizeof(*tx->deferred));
	return tx->deferred ? 0 : -ENOMEM;
}

void defer_close(struct tx *tx)
{
	if (!tx->deferred)
		return;
	defer_flush(tx);
	os_unmap(tx->deferred, sizeof(*tx->deferred));
}

static void copy_pieces(struct deferred *d, const struct frame *f)
{
	int i;

	for (i = 0; i < f->cnt; i++)
		if (f->iov[i].iov_len)
			d->piece[d->pieces++] = f->iov[i];
}

static void copy_bytes(struct deferred *d, const struct frame *f)
{
	uint8_t *to = d->bytes + d->used;
	size_t len = 0;
	int i;

	for (i = 0; i < f->cnt; i++) {
		if (!f->iov[i].iov_len)
			continue;
		memcpy(to + len, f->iov[i].iov_base, f->iov[i].iov_len);
		len += f->iov[i].iov_len;
	}
	d->piece[d->pieces++] = (struct iovec){ to, len };
	/* Keep the IP header of the next frame aligned as this one's was. */
	d->used += (len + 7) & ~(size_t)7;
}

static bool fits(const struct deferred *d, const struct frame *f, size_t bytes)
{
	return d->n < MAX_PACKETS && bytes <= MAX_BYTES - d->used &&
	       (unsigned)f->cnt <= MAX_PIECES - d->pieces;
}

/* Returns the longest super-packet that the wire takes, as the coalescer is
 * told: 0: it has no limit except the coalescer's own. */
static uint32_t longest(const struct tx *tx)
{
	const unsigned hdr_len = tx->hdr_len;

	if (tx->max_super > UINT32_MAX)
		return 0;
	return tx->max_super > hdr_len ? (uint32_t)(tx->max_super - hdr_len) :
					 1;
}

/* There is a second frame: begin a batch. */
static void start_batch(struct tx *tx)
{
	const int room = (int)tx->io->max_pieces - 2;
	struct deferred *d = tx->deferred;

	fdl_coalesce_init(&d->coalescer, work_merges(tx), longest(tx), room);
	fdl_coalesce_add(&d->coalescer, &d->packet[0]);
}

static enum tx_fit judge(struct tx *tx, struct fdl_coalesce_packet *pkt,
			 const struct verdict **why)
{
	const struct fdl_offload off = pkt->off;
	const struct frame f = { .iov = pkt->iov,
				 .cnt = pkt->cnt,
				 .off = &off };

	return work_to_defer(tx, &f, &pkt->off, &pkt->link_len, why);
}

/* Add a frame of len bytes. If it looks like the frame before it, it is judged
 * like that one. */
static enum tx_fit coalesce_frame(struct tx *tx, size_t len,
				  struct fdl_coalesce_packet *pkt,
				  const struct verdict **why)
{
	struct deferred *d = tx->deferred;
	enum tx_fit fit;
	bool fits;

	if (d->n == 0)
		return judge(tx, pkt, why);
	if (d->n == 1)
		start_batch(tx);
	pkt->link_len = pkt[-1].link_len;
	/* With a longer link header the frame may fit the MTU, and it is not
	 * like that one. */
	fits = work_fits_mtu(tx, len, pkt->link_len);
	if (fits && coalesce_alike(&d->coalescer, pkt))
		return TX_FITS;
	fit = judge(tx, pkt, why);
	if (fit != TX_FITS)
		return fit;
	if (fits)
		coalesce_other(&d->coalescer, pkt);
	else
		fdl_coalesce_add(&d->coalescer, pkt);
	return TX_FITS;
}

enum deferral defer_frame(struct tx *tx, const struct frame *f, bool ref,
			  void (*done)(void *arg), void *arg)
{
	static const struct fdl_offload nothing = { 0 };
	struct deferred *d = tx->deferred;
	const size_t len = frame_len(f), bytes = ref ? 0 : len + 7;
	struct fdl_coalesce_packet *pkt;
	const struct verdict *why;
	enum tx_fit fit;
	unsigned first;
	size_t used;

	if (!len)
		return DEFER_PASSED_BY;
	if (!fits(d, f, bytes))
		defer_flush(tx);
	if (!fits(d, f, bytes) || f->cnt > (int)tx->io->max_pieces - 2 ||
	    (f->off && f->off->gso)) {
		defer_flush(tx);
		return DEFER_PASSED_BY;
	}
	first = d->pieces;
	used = d->used;
	if (ref)
		copy_pieces(d, f);
	else
		copy_bytes(d, f);
	/* The private fields need not be cleared. */
	pkt = &d->packet[d->n];
	pkt->iov = d->piece + first;
	pkt->cnt = (int)(d->pieces - first);
	pkt->user = &d->call[d->n];
	pkt->off = f->off ? *f->off : nothing;
	fit = coalesce_frame(tx, len, pkt, &why);
	if (fit == TX_FITS) {
		d->call[d->n++] = (struct call){ done, arg };
		return DEFER_TAKEN;
	}
	d->pieces = first;
	d->used = used;
	if (fit != TX_NEVER) {
		defer_flush(tx);
		return DEFER_PASSED_BY;
	}
	tx_drop(tx, why, 1);
	return DEFER_REFUSED;
}

static void call_done(const struct fdl_coalesce_packet *pkt, unsigned n)
{
	const struct call *call;

	for (; n > 0; n--, pkt = pkt->next) {
		call = pkt->user;
		if (call->done)
			call->done(call->arg);
	}
}

static void lose(struct tx *tx, const struct frame f[], unsigned n,
		 const struct verdict *why)
{
	unsigned i;

	for (i = 0; i < n; i++)
		tx_drop(tx, why, f[i].weight);
}

static void send_frames(struct tx *tx, unsigned n)
{
	struct deferred *d = tx->deferred;
	const struct verdict *why;
	unsigned k;

	k = (unsigned)tx_put_all(tx, (struct frames){ .f = d->frame }, (int)n,
				 &why);
	if (why)
		lose(tx, d->frame + k, n - k, why);
}

static void send_out(struct tx *tx, unsigned n)
{
	const struct fdl_coalesced *out = tx->deferred->out;
	unsigned i;

	send_frames(tx, n);
	for (i = 0; i < n; i++)
		call_done(out[i].packets, out[i].count);
}

/* Returns the frame of a packet that was judged when it was deferred; or of
 * several that became one, of which first is the first. */
static struct frame judged_frame(const struct fdl_coalesce_packet *first,
				 const struct iovec *iov, int cnt,
				 unsigned weight, const struct fdl_offload *off)
{
	return (struct frame){ .iov = iov,
			       .cnt = cnt,
			       .weight = weight,
			       .off = off,
			       .judged = true,
			       .link_len = first->link_len };
}

/* Make a frame of what came out of the coalescer. Returns its pieces. */
static unsigned add_out(struct deferred *d, unsigned n, unsigned pieces)
{
	const struct fdl_coalesced *out = &d->out[n];
	struct iovec *iov = d->out_piece + pieces;
	int cnt = fdl_coalesced_gather(out, iov, (int)(MAX_PIECES - pieces));

	d->frame[n] = judged_frame(out->packets, iov, cnt, out->count,
				   &out->off);
	return (unsigned)cnt;
}

static void flush_one(struct tx *tx)
{
	const struct fdl_coalesce_packet *pkt = tx->deferred->packet;

	tx->deferred->frame[0] = judged_frame(pkt, pkt->iov, pkt->cnt, 1,
					      &pkt->off);
	send_frames(tx, 1);
	call_done(pkt, 1);
}

static void flush_batch(struct tx *tx)
{
	struct deferred *d = tx->deferred;
	unsigned n = 0, pieces = 0;

	while (fdl_coalesce_next(&d->coalescer, &d->out[n])) {
		pieces += add_out(d, n++, pieces);
		if (n < MAX_OUT && pieces + tx->io->max_pieces <= MAX_PIECES)
			continue;
		send_out(tx, n);
		n = pieces = 0;
	}
	send_out(tx, n);
}

int defer_flush(struct tx *tx)
{
	struct deferred *d = tx->deferred;

	tx->refused = 0;
	if (d->n == 0)
		return 0;
	if (d->n == 1)
		flush_one(tx);
	else
		flush_batch(tx);
	d->n = d->pieces = 0;
	d->used = 0;
	return tx->refused;
}
