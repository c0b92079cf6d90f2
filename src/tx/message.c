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

void tx_drop(struct tx *tx, const struct verdict *v, unsigned n)
{
	count(tx->counters, v->counter, n);
	shared_error(tx->shared, v->text);
	if (!tx->refused)
		tx->refused = v->result;
}

static bool append(struct tx *tx, size_t *len, const struct iovec *iov)
{
	if (iov->iov_len > sizeof(tx->out->scratch) - *len)
		return false;
	if (iov->iov_len)
		memcpy(tx->out->scratch + *len, iov->iov_base, iov->iov_len);
	*len += iov->iov_len;
	return true;
}

/* More pieces than a message may have: those left join the last one. */
static const struct verdict *merge(struct tx *tx, struct iovec *last,
				   const struct iovec *iov, int cnt)
{
	size_t len = 0;
	int i;

	if (tx->out->merged)
		return &tx_full;
	if (!append(tx, &len, last))
		return &too_long;
	for (i = 0; i < cnt; i++)
		if (!append(tx, &len, &iov[i]))
			return &too_long;
	*last = (struct iovec){ tx->out->scratch, len };
	tx->out->merged = true;
	return NULL;
}

struct msghdr *tx_begin(struct tx *tx, const struct fdl_offload *off)
{
	struct tx_batch *out = tx->out;
	struct msghdr *msg;
	uint8_t *hdr;

	if (out->n == TX_BATCH)
		return NULL;
	msg = &out->msg[out->n].msg_hdr;
	msg->msg_iov = out->piece + out->pieces;
	msg->msg_iovlen = 0;
	if (!tx->io->vnet_hdr_len)
		return msg;
	hdr = out->hdr[out->n];
	tx_put_header(tx, hdr, off);
	msg->msg_iov[0] = (struct iovec){ hdr, tx->io->vnet_hdr_len };
	msg->msg_iovlen = 1;
	return msg;
}

void tx_end(struct tx *tx, unsigned weight, bool super)
{
	struct tx_batch *out = tx->out;

	out->pieces += (unsigned)out->msg[out->n].msg_hdr.msg_iovlen;
	out->weight[out->n] = weight;
	out->super[out->n] = super;
	out->n++;
}

size_t tx_copy_whole(struct tx *tx, const struct frame *f, uint8_t **start)
{
	uint8_t *to = tx->out->scratch + tx->io->vnet_hdr_len;
	size_t len = 0;
	int i;

	for (i = 0; i < f->cnt; i++) {
		if (f->iov[i].iov_len > COPY_MAX - len)
			return 0;
		len += f->iov[i].iov_len;
	}
	if (tx->out->merged)
		return 0;
	for (i = 0; i < f->cnt; i++) {
		if (!f->iov[i].iov_len)
			continue;
		memcpy(to, f->iov[i].iov_base, f->iov[i].iov_len);
		to += f->iov[i].iov_len;
	}
	tx->out->merged = true;
	*start = tx->out->scratch;
	return len;
}

const struct verdict *tx_gather_pieces(struct tx *tx, const struct frame *f,
				       const struct fdl_offload *off)
{
	struct tx_batch *out = tx->out;
	const unsigned max = tx->io->max_pieces;
	const struct verdict *why = NULL;
	struct msghdr *msg;
	int i;

	if (out->pieces +
		    ((unsigned)f->cnt < max ? (unsigned)f->cnt + 1 : max) >
	    TX_PIECES)
		return &tx_full;
	msg = tx_begin(tx, off);
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
		tx_end(tx, f->weight, off && off->gso);
	return why;
}

/* msg[from..to) went. */
static void account(struct tx *tx, unsigned from, unsigned to)
{
	struct tx_batch *out = tx->out;
	uint64_t bytes = 0, packets = 0, supers = 0, merged = 0;
	unsigned i;

	for (i = from; i < to; i++) {
		bytes += out->msg[i].msg_len - tx->io->vnet_hdr_len;
		packets += out->weight[i];
		merged += out->weight[i] > 1 ? out->weight[i] : 0;
		supers += out->super[i];
	}
	count(tx->counters, TX_PACKETS, packets);
	count(tx->counters, TX_BYTES, bytes);
	if (supers)
		count(tx->counters, TX_GSO, supers);
	if (merged)
		count(tx->counters, TX_COALESCED, merged);
}

/* Returns whether the peer came back, and the same is worth another try. */
static bool meet_again(struct tx *tx, const struct verdict *v)
{
	return v->counter == TX_DROP_NO_PEER &&
	       !peer_reconnect(&tx->peer, tx->io->fd);
}

/*
 * What becomes of message i, which the kernel refused with err. Returns 1: it
 * is dropped; 0: it is worth another try; -1: all stops here, and *why. *met:
 * no other try was worth it since one went.
 */
static int consider(struct tx *tx, unsigned i, int err, bool *met,
		    const struct verdict **why)
{
	const struct verdict *v = verdict_on_send(tx->io->kind, err);

	if (v->action != DROP) {
		*why = v;
		return -1;
	}
	if (tx->out->super[i] && err == -EINVAL) {
		*why = &tx_refused;
		return -1;
	}
	if (!*met) {
		*met = true;
		if (meet_again(tx, v))
			return 0;
	}
	tx_drop(tx, v, tx->out->weight[i]);
	return 1;
}

int tx_push(struct tx *tx, const struct verdict **why)
{
	struct tx_batch *out = tx->out;
	unsigned done = 0, n;
	bool met = false;
	int err, gone = 0;

	while (done < out->n && gone >= 0) {
		n = io_send(tx->io, out->msg + done, out->n - done, &err);
		account(tx, done, done + n);
		done += n;
		if (n)
			met = false;
		if (!err)
			continue;
		gone = consider(tx, done, err, &met, why);
		done += gone > 0;
	}
	out->n = 0;
	out->pieces = 0;
	out->merged = false;
	return (int)done;
}
