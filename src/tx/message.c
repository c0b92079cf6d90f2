/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages are pushed, and what the kernel says of them is counted. A frame that
 * can never go leaves the batch and nothing else.
 */
#include "tx/message.h"

#include <errno.h>
#include <string.h>

enum {
	/* Bytes of a frame that are copied behind its header: each piece costs
	 * the kernel more. */
	COPY_MAX = 2048,
};

static const struct verdict too_long = {
	.action = DROP,
	.counter = TX_DROP_TOO_LONG,
	.result = -EMSGSIZE,
	.text = "a packet was dropped: too long for so many pieces",
};

const struct verdict tx_full = { .action = AGAIN, .counter = COUNTERS };
const struct verdict tx_refused = { .action = AGAIN, .counter = COUNTERS };

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
	tx_put_header(q, hdr, off);
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

size_t tx_copy_whole(struct fdl_queue *q, const struct frame *f,
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

const struct verdict *tx_gather_pieces(struct fdl_queue *q,
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
