/* SPDX-License-Identifier: Apache-2.0 */
#include "tx/put.h"

#include <errno.h>
#include <string.h>

#include "kind/kind.h"
#include "offload/limits.h"
#include "offload/vnet_hdr.h"
#include "os.h"
#include "tx/bridge.h"
#include "tx/message.h"
#include "tx/work.h"
#include "wait/ready.h"

static const struct verdict over = {
	.action = END,
	.counter = TX_DROP_OTHER,
	.result = -ENODEV,
	.text = verdict_gone,
};

static const struct verdict empty = {
	.action = DROP,
	.counter = TX_DROP_EMPTY,
	.result = -EINVAL,
	.text = "a packet was dropped: it is empty",
};

static void set_header(struct tx *tx, unsigned len, enum fdl_order order)
{
	tx->hdr_len = len;
	tx->order = order;
	tx->one_at = vnet_hdr_is_big(order);
	atomic_store_explicit(&tx->offloads, work_offloads(tx),
			      memory_order_relaxed);
}

/* A receive side has found that others have changed the device's header. */
static void follow(struct tx *tx, uint32_t word)
{
	const struct io_framing now = io_unpack(word);

	tx->reframed = word;
	set_header(tx, now.vnet_hdr_len, now.order);
}

int tx_open(struct tx *tx)
{
	tx->io->max_header_bytes = tx->shared->opts.max_syscall_header_bytes;
	tx->io->max_pieces = io_max_pieces(tx->io);
	tx->out = os_map(sizeof(*tx->out));
	if (!tx->out)
		return -ENOMEM;
	pthread_mutex_init(&tx->lock, NULL);
	set_header(tx, tx->io->vnet_hdr_len, tx->io->order);
	tx->max_super = UINT64_MAX;
	tx->max_uso = MAX_UDP_SEGMENTS;
	if (tx->io->kind->forgets_peer)
		peer_note(&tx->peer, tx->io->fd);
	if (tx->io->kind->greets)
		tx->peer.hello = tx->io->kind->hello;
	return 0;
}

void tx_close(struct tx *tx)
{
	pthread_mutex_destroy(&tx->lock);
	os_unmap(tx->out, sizeof(*tx->out));
}

static bool has_bytes(const struct frame *f)
{
	int i;

	for (i = 0; i < f->cnt; i++)
		if (f->iov[i].iov_len)
			return true;
	return false;
}

static bool asks_for_work(const struct fdl_offload *off)
{
	return off && (off->csum == FDL_CSUM_PARTIAL || off->gso);
}

static inline enum tx_fit gather_frame(struct tx *tx, const struct frame *f,
				       const struct verdict **why)
{
	*why = &empty;
	if (!has_bytes(f))
		return TX_NEVER;
	if (asks_for_work(f->off))
		return bridge_add(tx, f, why);
	return tx_gather(tx, f, NULL, why);
}

/* Whether a packet is like most packets: one piece with room for the header,
 * and nothing left to do. */
static inline bool is_ready(const struct tx *tx, const struct fdl_packet *pkt)
{
	return pkt->len && !asks_for_work(&pkt->off) &&
	       pkt->room >= tx->hdr_len;
}

/* Gather packets of v[0..n) up to the first that is not like that. Returns how
 * many. */
static inline int gather_packets(struct tx *tx, struct fdl_packet *const v[],
				 int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (!is_ready(tx, v[i]) ||
		    !tx_gather_whole(tx, v[i]->data - tx->hdr_len, v[i]->len, 1,
				     NULL))
			break;
	return i;
}

/* Send or drop frame f, of which no message can be made: fit and never say why.
 * No message is gathered. Returns whether the frame is gone. */
static bool put_alone(struct tx *tx, const struct frame *f, enum tx_fit fit,
		      const struct verdict *never, const struct verdict **why)
{
	if (fit == TX_UNCUT)
		return bridge_cut(tx, f, why);
	tx_drop(tx, never, f->weight);
	return true;
}

/* Push the messages of n frames. Returns how many are gone. */
static int push_frames(struct tx *tx, struct frames l, int at,
		       const struct verdict **why)
{
	enum tx_stop stop;
	struct iovec iov;
	struct frame f;
	unsigned gone;

	stop = tx_push(tx, &gone, why);
	if (stop == TX_ALL_GONE || stop == TX_STOPPED)
		return (int)gone;
	f = frame_at(l, at + (int)gone, &iov);
	return (int)gone + bridge_cut_refused(tx, &f, stop, why);
}

/* Write one piece, with its header. Returns whether the next may go; else
 * *why. */
static inline bool write_whole(struct tx *tx, uint8_t *start, size_t len,
			       unsigned weight, const struct fdl_offload *off,
			       const struct verdict **why)
{
	const unsigned hdr_len = tx->hdr_len;
	const struct verdict *v;
	const struct iovec iov = { start, hdr_len + len };
	ssize_t r;

	if (hdr_len)
		tx_put_header(tx, start, off);
	r = io_write_device(tx->io, &iov, 1);
	if (r >= 0) {
		count(tx->counters, TX_PACKETS, weight);
		count(tx->counters, TX_BYTES, (size_t)r - tx->hdr_len);
		return true;
	}
	v = tx_verdict(tx, (int)r);
	if (!verdict_drops(v)) {
		*why = v;
		return false;
	}
	tx_drop(tx, v, weight);
	return true;
}

static inline int write_packets(struct tx *tx, struct fdl_packet *const v[],
				int n, const struct verdict **why)
{
	int i;

	for (i = 0; i < n; i++)
		if (!is_ready(tx, v[i]) ||
		    !write_whole(tx, v[i]->data - tx->hdr_len, v[i]->len, 1,
				 NULL, why))
			break;
	return i;
}

/* Write one frame, if it can be one piece. Returns whether it went; if not,
 * *why may be set. */
static inline bool write_frame(struct tx *tx, const struct frame *f,
			       const struct verdict **why)
{
	const bool undone = asks_for_work(f->off);
	struct fdl_offload off;
	uint8_t *start;
	size_t len;

	if (!has_bytes(f))
		return false;
	len = tx_make_whole(tx, f, &start);
	if (!len || (undone && !work_passes(tx, f, &off)))
		return false;
	return write_whole(tx, start, len, f->weight, undone ? &off : NULL,
			   why);
}

static inline int write_frames(struct tx *tx, const struct frame *f, int n,
			       const struct verdict **why)
{
	bool more = true;
	int i;

	for (i = 0; i < n && more; i++) {
		more = write_frame(tx, &f[i], why);
		tx->out->merged = false;
	}
	return more ? i : i - 1;
}

/*
 * A device takes one frame per call, so a frame that is whole and leaves
 * nothing to do is written without becoming a message. So is a frame of
 * fdl_write that leaves its checksum to the wire. Returns how many are gone: up
 * to the first frame that is not such, or up to *why.
 */
static inline int write_through(struct tx *tx, struct frames l, int n,
				const struct verdict **why)
{
	if (l.v)
		return write_packets(tx, l.v, n, why);
	return write_frames(tx, l.f, n, why);
}

/* Gather frames of l[k..n) up to the first one that does not fit; *fit and
 * *never say why. Returns where that one is. */
static inline int gather_some(struct tx *tx, struct frames l, int n, int k,
			      enum tx_fit *fit, const struct verdict **never)
{
	int i = l.v ? k + gather_packets(tx, l.v + k, n - k) : k;
	struct iovec iov;
	struct frame f;

	for (; i < n; i++) {
		f = frame_at(l, i, &iov);
		*fit = gather_frame(tx, &f, never);
		if (*fit != TX_FITS)
			break;
	}
	return i;
}

/* Do what tx_put does, when k of n are gone already. Not inline, because that
 * would cost write_through registers. */
__attribute__((noinline)) static int put_messages(struct tx *tx,
						  struct frames l, int n, int k,
						  const struct verdict **why)
{
	const struct verdict *never = NULL;
	enum tx_fit fit = TX_FITS;
	struct iovec iov;
	struct frame f;
	int i;

	while (k < n && !*why) {
		i = gather_some(tx, l, n, k, &fit, &never);
		if (i > k) {
			k += push_frames(tx, l, k, why);
		} else {
			f = frame_at(l, k, &iov);
			k += put_alone(tx, &f, fit, never, why);
		}
	}
	return k;
}

/* Nothing left over from the former life belongs to the new one. */
static void forget(struct tx *tx)
{
	tx->part.iov_len = 0;
	bridge_lose(tx, tx_away(tx));
	tx->doubt.why = NULL;
	tx->stalled = 0;
}

/*
 * Adapt the send side to another life of the link. If the file behind the fd is
 * replaced once more meanwhile, the life's number changes, too, and this begins
 * again. Returns the number of the life that the send side now fits.
 */
static unsigned follow_life(struct tx *tx, unsigned life)
{
	while (!io_is_away(life) && life != tx->life) {
		tx->life = life;
		forget(tx);
		io_follow(tx->io);
		ready_follow(tx->ready);
		tx->max_super = UINT64_MAX;
		tx->big_refused = false;
		if (tx->io->kind->forgets_peer)
			peer_note(&tx->peer, tx->io->fd);
		life = atomic_load(&tx->io->life);
	}
	return life;
}

/* Put frames between two lives, or after the last one, of which life is the
 * number. As tx_put. */
static int put_nowhere(struct tx *tx, unsigned life, struct frames l, int n,
		       const struct verdict **why)
{
	struct iovec iov;
	int i;

	if (life == IO_OVER) {
		*why = &over;
		return 0;
	}
	forget(tx);
	for (i = 0; i < n; i++)
		tx_drop(tx, tx_away(tx), frame_at(l, i, &iov).weight);
	return n;
}

static uint32_t framing_of(const struct tx *tx)
{
	return atomic_load_explicit(&tx->shared->reframed,
				    memory_order_relaxed);
}

/* Whether something comes before the next frames. */
static inline bool is_disturbed(const struct tx *tx)
{
	return atomic_load_explicit(&tx->io->life, memory_order_relaxed) !=
		       tx->life ||
	       framing_of(tx) != tx->reframed || tx_has_rest(tx);
}

/* Do what comes before the next frames: adapt to what has changed, and send
 * what is left over. Returns whether they may go as usual; if not, *gone is how
 * many of them are gone all the same, as tx_put says. */
__attribute__((noinline)) static bool settle(struct tx *tx, struct frames l,
					     int n, int *gone,
					     const struct verdict **why)
{
	const unsigned life = follow_life(tx, atomic_load(&tx->io->life));
	const uint32_t reframed = framing_of(tx);

	*gone = 0;
	if (io_is_away(life)) {
		*gone = put_nowhere(tx, life, l, n, why);
		return false;
	}
	if (reframed != tx->reframed)
		follow(tx, reframed);
	if (tx->part.iov_len && !tx_finish_part(tx, why))
		return false;
	if (tx->cutting)
		bridge_finish(tx, why);
	return !*why;
}

int tx_put(struct tx *tx, struct frames l, int n, const struct verdict **why)
{
	int gone, k = 0;

	*why = NULL;
	if (is_disturbed(tx) && !settle(tx, l, n, &gone, why))
		return gone;
	if (io_is_device(tx->io))
		k = write_through(tx, l, n, why);
	return k < n && !*why ? put_messages(tx, l, n, k, why) : k;
}
