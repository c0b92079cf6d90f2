/* SPDX-License-Identifier: Apache-2.0 */
#include "tx/put.h"

#include <errno.h>
#include <string.h>

#include "os.h"
#include "tx/bridge.h"
#include "tx/defer.h"
#include "tx/message.h"

static const struct verdict empty = {
	.action = DROP,
	.counter = TX_DROP_EMPTY,
	.result = -EINVAL,
	.text = "a packet was dropped: it is empty",
};

int tx_open(struct fdl_queue *q)
{
	int err;

	if (q->io.vnet_hdr_len > TX_HDR_ROOM)
		return -EOPNOTSUPP;
	q->io.max_header_bytes = q->shared->opts.max_syscall_header_bytes;
	q->io.max_pieces = io_max_pieces(&q->io);
	q->tx = os_map(sizeof(*q->tx));
	if (!q->tx)
		return -ENOMEM;
	pthread_mutex_init(&q->tx->lock, NULL);
	q->tx->offloads = bridge_offloads(&q->io);
	if (q->io.kind == FDL_KIND_DGRAM)
		peer_note(&q->tx->peer, q->io.fd);
	err = defer_open(q);
	if (err)
		tx_close(q);
	return err;
}

void tx_close(struct fdl_queue *q)
{
	defer_close(q);
	pthread_mutex_destroy(&q->tx->lock);
	os_unmap(q->tx, sizeof(*q->tx));
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

static inline const struct verdict *add(struct fdl_queue *q,
					const struct frame *f)
{
	if (!has_bytes(f))
		return &empty;
	if (asks_for_work(f->off))
		return bridge_add(q, f);
	return tx_gather(q, f, NULL);
}

/* One piece with room for the header, and nothing undone: most packets. */
static inline bool is_ready(const struct fdl_queue *q,
			    const struct fdl_packet *pkt)
{
	return pkt->len && !asks_for_work(&pkt->off) &&
	       pkt->room >= q->io.vnet_hdr_len;
}

/* Those of v[0..n) up to the first that is not such. Returns how many. */
static inline int gather_packets(struct fdl_queue *q,
				 struct fdl_packet *const v[], int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (!is_ready(q, v[i]) ||
		    !tx_gather_whole(q, v[i]->data - q->io.vnet_hdr_len,
				     v[i]->len, 1, NULL))
			break;
	return i;
}

/* The frame after those that are gathered has reason v not to join them. */
static int put_some(struct fdl_queue *q, struct frames l, int at, int joined,
		    const struct verdict *v, const struct verdict **why)
{
	struct iovec iov;
	struct frame f;
	int k;

	if (joined == 0) {
		f = frame_at(l, at, &iov);
		if (v == &tx_uncut)
			return bridge_cut(q, &f, why);
		tx_drop(q, v, f.weight);
		return 1;
	}
	k = tx_push(q, why);
	if (*why != &tx_refused)
		return k;
	*why = NULL;
	f = frame_at(l, at + k, &iov);
	return k + bridge_cut_refused(q, &f, why);
}

/* One piece goes, with its header. Returns whether the next may, else *why. */
static inline bool write_whole(struct fdl_queue *q, uint8_t *start, size_t len,
			       unsigned weight, const struct fdl_offload *off,
			       const struct verdict **why)
{
	const unsigned hdr_len = q->io.vnet_hdr_len;
	const struct verdict *v;
	ssize_t r;

	if (hdr_len)
		tx_put_header(q, start, off);
	r = os_write(q->io.fd, start, hdr_len + len);
	if (r >= 0) {
		count(&q->counters, TX_PACKETS, weight);
		count(&q->counters, TX_BYTES, (size_t)r - q->io.vnet_hdr_len);
		return true;
	}
	v = verdict_on_send(q->io.kind, (int)r);
	if (v->action == DROP)
		tx_drop(q, v, weight);
	else
		*why = v;
	return v->action == DROP;
}

static inline int write_packets(struct fdl_queue *q,
				struct fdl_packet *const v[], int n,
				const struct verdict **why)
{
	int i;

	for (i = 0; i < n; i++)
		if (!is_ready(q, v[i]) ||
		    !write_whole(q, v[i]->data - q->io.vnet_hdr_len, v[i]->len,
				 1, NULL, why))
			break;
	return i;
}

/* Returns whether it went, else maybe *why. */
static inline bool write_frame(struct fdl_queue *q, const struct frame *f,
			       const struct verdict **why)
{
	const bool undone = asks_for_work(f->off);
	struct fdl_offload off;
	uint8_t *start;
	size_t len;

	if (!has_bytes(f))
		return false;
	len = tx_make_whole(q, f, &start);
	if (!len || (undone && !bridge_passes(q, f, &off)))
		return false;
	return write_whole(q, start, len, f->weight, undone ? &off : NULL, why);
}

static inline int write_frames(struct fdl_queue *q, const struct frame *f,
			       int n, const struct verdict **why)
{
	bool more = true;
	int i;

	for (i = 0; i < n && more; i++) {
		more = write_frame(q, &f[i], why);
		q->tx->merged = false;
	}
	return more ? i : i - 1;
}

/*
 * A device takes a frame per call: one that is whole and leaves nothing undone
 * goes without becoming a message, and of those that are written, not sent as
 * packets, one that leaves a checksum to the wire. Returns how many are gone, up
 * to the first that is not such, or *why.
 */
static inline int write_through(struct fdl_queue *q, struct frames l, int n,
				const struct verdict **why)
{
	if (l.v)
		return write_packets(q, l.v, n, why);
	return write_frames(q, l.f, n, why);
}

/* What tx_put does where k of n are gone already. Not inline: that would cost
 * write_through registers. */
__attribute__((noinline)) static int put_messages(struct fdl_queue *q,
						  struct frames l, int n, int k,
						  const struct verdict **why)
{
	const struct verdict *v = NULL;
	struct iovec iov;
	struct frame f;
	int i;

	while (k < n && !*why) {
		i = l.v ? k + gather_packets(q, l.v + k, n - k) : k;
		for (; i < n; i++) {
			f = frame_at(l, i, &iov);
			v = add(q, &f);
			if (v)
				break;
		}
		k += put_some(q, l, k, i - k, v, why);
	}
	return k;
}

int tx_put(struct fdl_queue *q, struct frames l, int n,
	   const struct verdict **why)
{
	int k = 0;

	*why = NULL;
	if (q->tx->cutting)
		bridge_finish(q, why);
	if (io_is_device(&q->io) && !*why)
		k = write_through(q, l, n, why);
	return k < n && !*why ? put_messages(q, l, n, k, why) : k;
}
