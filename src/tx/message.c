/* SPDX-License-Identifier: Apache-2.0 */
/* Messages are pushed, and counted as the kernel answers. A frame that can
 * never go leaves the batch; all others stay. */
#include "tx/message.h"

#include <errno.h>
#include <string.h>

#include "kind/kind.h"
#include "os.h"

enum {
	/* Frames of up to so many bytes are copied behind their header, because
	 * each piece costs the kernel more. */
	COPY_MAX = 2048,
};

static const struct verdict too_long = {
	.action = DROP,
	.counter = TX_DROP_TOO_LONG,
	.result = -EMSGSIZE,
	.text = "a packet was dropped: too long for so many pieces",
};

void tx_drop(struct tx *tx, const struct verdict *v, unsigned n)
{
	count(tx->counters, v->counter, n);
	tx->lost += n;
	shared_error(tx->shared, v->text);
	if (!tx->refused)
		tx->refused = v->result;
}

const struct verdict *tx_away(const struct tx *tx)
{
	return tx->io->kind->device ? &verdict_device_away : &verdict_peer_away;
}

const struct verdict *tx_verdict(const struct tx *tx, int err)
{
	const struct verdict *v = verdict_on_send(tx->io->kind->on_send, err);

	return v->action == END && tx->io->lasts ? tx_away(tx) : v;
}

static bool append_piece(struct tx *tx, size_t *len, const struct iovec *iov)
{
	if (iov->iov_len > sizeof(tx->out->scratch) - *len)
		return false;
	if (iov->iov_len)
		memcpy(tx->out->scratch + *len, iov->iov_base, iov->iov_len);
	*len += iov->iov_len;
	return true;
}

/* There are more pieces than a message may have: join those that are left to
 * the last one. */
static enum tx_fit merge_pieces(struct tx *tx, struct iovec *last,
				const struct iovec *iov, int cnt,
				const struct verdict **why)
{
	size_t len = 0;
	int i;

	if (tx->out->merged)
		return TX_FULL;
	*why = &too_long;
	if (!append_piece(tx, &len, last))
		return TX_NEVER;
	for (i = 0; i < cnt; i++)
		if (!append_piece(tx, &len, &iov[i]))
			return TX_NEVER;
	*last = (struct iovec){ tx->out->scratch, len };
	tx->out->merged = true;
	return TX_FITS;
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
	if (!tx->hdr_len)
		return msg;
	hdr = out->hdr[out->n];
	tx_put_header(tx, hdr, off);
	msg->msg_iov[0] = (struct iovec){ hdr, tx->hdr_len };
	msg->msg_iovlen = 1;
	return msg;
}

void tx_end(struct tx *tx, unsigned weight, bool super)
{
	struct tx_batch *out = tx->out;

	out->pieces += (unsigned)msg_pieces(&out->msg[out->n].msg_hdr);
	out->weight[out->n] = weight;
	out->super[out->n] = super;
	out->n++;
}

size_t tx_copy_whole(struct tx *tx, const struct frame *f, uint8_t **start)
{
	uint8_t *to = tx->out->scratch + tx->hdr_len;
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

enum tx_fit tx_gather_pieces(struct tx *tx, const struct frame *f,
			     const struct fdl_offload *off,
			     const struct verdict **why)
{
	struct tx_batch *out = tx->out;
	const unsigned max = tx->io->max_pieces;
	enum tx_fit fit = TX_FITS;
	struct msghdr *msg;
	int i;

	if (out->pieces +
		    ((unsigned)f->cnt < max ? (unsigned)f->cnt + 1 : max) >
	    TX_PIECES)
		return TX_FULL;
	msg = tx_begin(tx, off);
	if (!msg)
		return TX_FULL;
	for (i = 0; i < f->cnt; i++) {
		if (!f->iov[i].iov_len)
			continue;
		if (msg_pieces(msg) == max) {
			fit = merge_pieces(tx, &msg->msg_iov[max - 1],
					   f->iov + i, f->cnt - i, why);
			break;
		}
		msg->msg_iov[msg->msg_iovlen++] = f->iov[i];
	}
	if (fit == TX_FITS)
		tx_end(tx, f->weight, off && off->gso);
	return fit;
}

/* Count msg[from..to), which went. */
static void account(struct tx *tx, unsigned from, unsigned to)
{
	struct tx_batch *out = tx->out;
	uint64_t bytes = 0, packets = 0, supers = 0, merged = 0;
	unsigned i;

	for (i = from; i < to; i++) {
		bytes += out->msg[i].msg_len - tx->hdr_len;
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

/* Message i went. If it went in part, keep the rest of it, and count it as
 * gone. */
static void keep_part(struct tx *tx, unsigned i)
{
	struct mmsghdr *msg = &tx->out->msg[i];
	const struct iovec *iov = msg->msg_hdr.msg_iov;
	const struct iovec *end = iov + msg_pieces(&msg->msg_hdr);
	size_t skip = msg->msg_len, n;

	for (; iov < end && skip >= iov->iov_len; iov++)
		skip -= iov->iov_len;
	if (iov == end)
		return;
	tx->part = (struct iovec){ tx->out->part, 0 };
	for (; iov < end; iov++) {
		n = iov->iov_len - skip;
		memcpy(tx->out->part + tx->part.iov_len,
		       (const uint8_t *)iov->iov_base + skip, n);
		tx->part.iov_len += n;
		skip = 0;
	}
	msg->msg_len += (unsigned)tx->part.iov_len;
}

bool tx_finish_part(struct tx *tx, const struct verdict **why)
{
	struct mmsghdr msg = { .msg_hdr = { .msg_iov = &tx->part,
					    .msg_iovlen = 1 } };
	const struct verdict *v;
	int err;

	while (tx->part.iov_len) {
		if (!io_send(tx->io, &msg, 1, &err)) {
			v = tx_verdict(tx, err);
			/* The connection it began on is over, and whoever else
			 * comes has no use for it. */
			if (verdict_drops(v) && tx->io->lasts)
				break;
			*why = v;
			return false;
		}
		tx->part.iov_base = (uint8_t *)tx->part.iov_base + msg.msg_len;
		tx->part.iov_len -= msg.msg_len;
	}
	tx->part.iov_len = 0;
	return true;
}

/* Whether the same message is worth another try. None of each sort is made
 * twice. */
static bool is_worth_a_try(struct tx *tx, const struct verdict *v,
			   unsigned *tried)
{
	const unsigned sort = 1u << v->action;

	if (*tried & sort || v->action == DROP || !tx->io->socket)
		return false;
	*tried |= sort;
	if (v->action == RETRY || !peer_reconnect(&tx->peer, tx->io->fd))
		return true;
	if (tx->io->bell >= 0 && !atomic_exchange(&tx->io->rung, true))
		os_timerfd_set(tx->io->bell, 1);
	return false;
}

/* What becomes of a message that the kernel refused. */
enum fate {
	LOST,		/* it is dropped */
	ASK_AGAIN,	/* the same is worth another try */
	STOP,		/* all stops here: *why */
	STOP_REFUSED,	/* it is a super-packet, and may be cut */
	STOP_TOO_LONG,	/* the same, and shorter ones might go whole */
};

/* Returns the fate of message i, which was refused with err. *tried: what was
 * tried since one went. */
static enum fate judge_refusal(struct tx *tx, unsigned i, int err,
			       unsigned *tried, const struct verdict **why)
{
	const struct verdict *v = tx_verdict(tx, err);

	if (!verdict_drops(v)) {
		*why = v;
		return STOP;
	}
	if (tx->out->super[i] && err == -EINVAL)
		return STOP_REFUSED;
	if (tx->out->super[i] && err == -EMSGSIZE) {
		tx->max_super = io_message_len(&tx->out->msg[i].msg_hdr) / 2;
		return STOP_TOO_LONG;
	}
	if (is_worth_a_try(tx, v, tried))
		return ASK_AGAIN;
	tx_drop(tx, v, tx->out->weight[i]);
	return LOST;
}

static void clear_batch(struct tx_batch *out)
{
	out->n = 0;
	out->pieces = 0;
	out->heads = 0;
	out->merged = false;
}

enum tx_stop tx_push(struct tx *tx, unsigned *gone, const struct verdict **why)
{
	struct tx_batch *out = tx->out;
	enum fate fate = LOST;
	unsigned done = 0, tried = 0, n;
	int err;

	while (done < out->n && fate < STOP) {
		n = io_send(tx->io, out->msg + done, out->n - done, &err);
		if (n)
			keep_part(tx, done + n - 1);
		account(tx, done, done + n);
		done += n;
		if (tx->part.iov_len && !tx_finish_part(tx, why)) {
			fate = STOP;
			break;
		}
		if (n)
			tried = 0;
		if (!err)
			continue;
		fate = judge_refusal(tx, done, err, &tried, why);
		done += fate == LOST;
	}
	clear_batch(out);
	*gone = done;
	switch (fate) {
	case STOP:
		return TX_STOPPED;
	case STOP_REFUSED:
		return TX_SUPER_REFUSED;
	case STOP_TOO_LONG:
		return TX_SUPER_TOO_LONG;
	default:
		return TX_ALL_GONE;
	}
}
