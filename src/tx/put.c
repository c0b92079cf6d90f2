/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames become messages, messages are pushed, and what the kernel says of them
 * is counted. A frame that can never go leaves the batch and nothing else.
 */
#include "tx/put.h"

#include <errno.h>
#include <string.h>

#include "os.h"
#include "tx/bridge.h"
#include "tx/defer.h"

enum {
	/* Bytes of a frame that are copied behind its header: each piece costs
	 * the kernel more. */
	COPY_MAX = 2048,
};

static const struct verdict empty = {
	.action = DROP,
	.counter = TX_DROP_EMPTY,
	.result = -EINVAL,
	.text = "a packet was dropped: it is empty",
};

static const struct verdict too_long = {
	.action = DROP,
	.counter = TX_DROP_TOO_LONG,
	.result = -EMSGSIZE,
	.text = "a packet was dropped: too long for so many pieces",
};

const struct verdict tx_full = { .action = AGAIN, .counter = COUNTERS };
const struct verdict tx_uncut = { .action = AGAIN, .counter = COUNTERS };
const struct verdict tx_refused = { .action = AGAIN, .counter = COUNTERS };

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

void tx_drop(struct fdl_queue *q, const struct verdict *v, unsigned n)
{
	count(&q->counters, v->counter, n);
	shared_error(q->shared, v->text);
	if (!q->tx->refused)
		q->tx->refused = v->result;
}

static bool append(struct tx *tx, size_t *len, const struct iovec *iov)
{
	if (iov->iov_len > sizeof(tx->scratch) - *len)
		return false;
	if (iov->iov_len)
		memcpy(tx->scratch + *len, iov->iov_base, iov->iov_len);
	*len += iov->iov_len;
	return true;
}

/* More pieces than a message may have: those left join the last one. */
static const struct verdict *merge(struct tx *tx, struct iovec *last,
				   const struct iovec *iov, int cnt)
{
	size_t len = 0;
	int i;

	if (tx->merged)
		return &tx_full;
	if (!append(tx, &len, last))
		return &too_long;
	for (i = 0; i < cnt; i++)
		if (!append(tx, &len, &iov[i]))
			return &too_long;
	*last = (struct iovec){ tx->scratch, len };
	tx->merged = true;
	return NULL;
}

/* hdr has room for the queue's header. */
static void put_header(const struct fdl_queue *q, uint8_t *hdr,
		       const struct fdl_offload *off)
{
	if (off)
		fdl_vnet_hdr_encode(hdr, FDL_VNET_HDR_LEN, q->io.order, off);
	else
		memset(hdr, 0, FDL_VNET_HDR_LEN);
	if (q->io.vnet_hdr_len > FDL_VNET_HDR_LEN)
		memset(hdr + FDL_VNET_HDR_LEN, 0,
		       q->io.vnet_hdr_len - FDL_VNET_HDR_LEN);
}

struct msghdr *tx_begin(struct fdl_queue *q, const struct fdl_offload *off)
{
	struct tx *tx = q->tx;
	struct msghdr *msg;
	uint8_t *hdr;

	if (tx->n == TX_BATCH)
		return NULL;
	msg = &tx->msg[tx->n].msg_hdr;
	msg->msg_iov = tx->piece + tx->pieces;
	msg->msg_iovlen = 0;
	if (!q->io.vnet_hdr_len)
		return msg;
	hdr = tx->hdr[tx->n];
	put_header(q, hdr, off);
	msg->msg_iov[0] = (struct iovec){ hdr, q->io.vnet_hdr_len };
	msg->msg_iovlen = 1;
	return msg;
}

void tx_end(struct fdl_queue *q, unsigned weight, bool super)
{
	struct tx *tx = q->tx;

	tx->pieces += (unsigned)tx->msg[tx->n].msg_hdr.msg_iovlen;
	tx->weight[tx->n] = weight;
	tx->super[tx->n] = super;
	tx->n++;
}

/* Returns the length of what is now one piece at *start; 0: it is not. */
static size_t copy_whole(struct fdl_queue *q, const struct frame *f,
			 uint8_t **start)
{
	struct tx *tx = q->tx;
	uint8_t *to = tx->scratch + q->io.vnet_hdr_len;
	size_t len = 0;
	int i;

	for (i = 0; i < f->cnt; i++) {
		if (f->iov[i].iov_len > COPY_MAX - len)
			return 0;
		len += f->iov[i].iov_len;
	}
	if (tx->merged)
		return 0;
	for (i = 0; i < f->cnt; i++) {
		if (!f->iov[i].iov_len)
			continue;
		memcpy(to, f->iov[i].iov_base, f->iov[i].iov_len);
		to += f->iov[i].iov_len;
	}
	tx->merged = true;
	*start = tx->scratch;
	return len;
}

/* Make a frame, which has bytes, one piece with its header, which begins at
 * *start. Returns the length of the frame; 0: it is not to be had. */
static inline size_t make_whole(struct fdl_queue *q, const struct frame *f,
				uint8_t **start)
{
	if (f->cnt != 1 || f->room < q->io.vnet_hdr_len)
		return copy_whole(q, f, start);
	*start = (uint8_t *)f->iov->iov_base - q->io.vnet_hdr_len;
	return f->iov->iov_len;
}

/* tx_begin and tx_end in one, of what most frames are: one piece that begins
 * with room for the header. False: there are as many as can be. */
static inline bool gather_whole(struct fdl_queue *q, uint8_t *start, size_t len,
				unsigned weight, const struct fdl_offload *off)
{
	const unsigned hdr_len = q->io.vnet_hdr_len;
	struct tx *tx = q->tx;
	const unsigned n = tx->n, at = tx->pieces;

	if (n == TX_BATCH || at == TX_PIECES)
		return false;
	tx->piece[at] = (struct iovec){ start, hdr_len + len };
	tx->msg[n].msg_hdr.msg_iov = &tx->piece[at];
	tx->msg[n].msg_hdr.msg_iovlen = 1;
	tx->weight[n] = weight;
	tx->super[n] = off && off->gso;
	tx->n = n + 1;
	tx->pieces = at + 1;
	if (hdr_len)
		put_header(q, start, off);
	return true;
}

static const struct verdict *gather_pieces(struct fdl_queue *q,
					   const struct frame *f,
					   const struct fdl_offload *off)
{
	const unsigned max = q->io.max_pieces;
	const struct verdict *why = NULL;
	struct tx *tx = q->tx;
	struct msghdr *msg;
	int i;

	if (tx->pieces + ((unsigned)f->cnt < max ? (unsigned)f->cnt + 1 : max) >
	    TX_PIECES)
		return &tx_full;
	msg = tx_begin(q, off);
	if (!msg)
		return &tx_full;
	for (i = 0; i < f->cnt; i++) {
		if (!f->iov[i].iov_len)
			continue;
		if (msg->msg_iovlen == max) {
			why = merge(tx, &msg->msg_iov[max - 1], f->iov + i,
				    f->cnt - i);
			break;
		}
		msg->msg_iov[msg->msg_iovlen++] = f->iov[i];
	}
	if (!why)
		tx_end(q, f->weight, off && off->gso);
	return why;
}

static inline const struct verdict *gather(struct fdl_queue *q,
					   const struct frame *f,
					   const struct fdl_offload *off)
{
	uint8_t *start;
	const size_t len = make_whole(q, f, &start);

	if (!len)
		return gather_pieces(q, f, off);
	return gather_whole(q, start, len, f->weight, off) ? NULL : &tx_full;
}

/* For tx/bridge.c: in add(), where nothing is undone, inlining pays. */
const struct verdict *tx_gather(struct fdl_queue *q, const struct frame *f,
				const struct fdl_offload *off)
{
	return gather(q, f, off);
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
	return gather(q, f, NULL);
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
		    !gather_whole(q, v[i]->data - q->io.vnet_hdr_len, v[i]->len,
				  1, NULL))
			break;
	return i;
}

/* msg[from..to) went. */
static void account(struct fdl_queue *q, unsigned from, unsigned to)
{
	const struct tx *tx = q->tx;
	uint64_t bytes = 0, packets = 0, supers = 0, merged = 0;
	unsigned i;

	for (i = from; i < to; i++) {
		bytes += tx->msg[i].msg_len - q->io.vnet_hdr_len;
		packets += tx->weight[i];
		merged += tx->weight[i] > 1 ? tx->weight[i] : 0;
		supers += tx->super[i];
	}
	count(&q->counters, TX_PACKETS, packets);
	count(&q->counters, TX_BYTES, bytes);
	if (supers)
		count(&q->counters, TX_GSO, supers);
	if (merged)
		count(&q->counters, TX_COALESCED, merged);
}

/* Returns whether the peer came back, and the same is worth another try. */
static bool meet_again(struct fdl_queue *q, const struct verdict *v)
{
	return v->counter == TX_DROP_NO_PEER &&
	       !peer_reconnect(&q->tx->peer, q->io.fd);
}

/*
 * What becomes of message i, which the kernel refused with err. Returns 1: it
 * is dropped; 0: it is worth another try; -1: all stops here, and *why. *met:
 * no other try was worth it since one went.
 */
static int consider(struct fdl_queue *q, unsigned i, int err, bool *met,
		    const struct verdict **why)
{
	const struct verdict *v = verdict_on_send(q->io.kind, err);

	if (v->action != DROP) {
		*why = v;
		return -1;
	}
	if (q->tx->super[i] && err == -EINVAL) {
		*why = &tx_refused;
		return -1;
	}
	if (!*met) {
		*met = true;
		if (meet_again(q, v))
			return 0;
	}
	tx_drop(q, v, q->tx->weight[i]);
	return 1;
}

int tx_push(struct fdl_queue *q, const struct verdict **why)
{
	struct tx *tx = q->tx;
	unsigned done = 0, n;
	bool met = false;
	int err, gone = 0;

	while (done < tx->n && gone >= 0) {
		n = io_send(&q->io, tx->msg + done, tx->n - done, &err);
		account(q, done, done + n);
		done += n;
		if (n)
			met = false;
		if (!err)
			continue;
		gone = consider(q, done, err, &met, why);
		done += gone > 0;
	}
	tx->n = 0;
	tx->pieces = 0;
	tx->merged = false;
	return (int)done;
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
		put_header(q, start, off);
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
	len = make_whole(q, f, &start);
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
