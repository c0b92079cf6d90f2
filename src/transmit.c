/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames become messages, messages are pushed, and what the kernel says of them
 * is counted. A frame that can never go leaves the batch and nothing else.
 */
#include "transmit.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "endpoint.h"
#include "os.h"

enum {
	FIRST_NAP_US = 50,
	LAST_NAP_US = 8000,
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

static const struct verdict no_offload = {
	.action = DROP,
	.counter = TX_DROP_OFFLOAD,
	.result = -EOPNOTSUPP,
	.text = "a packet was dropped: it asks for an offload that this "
		"endpoint does not have",
};

/* What is gathered has to go first. */
static const struct verdict full = { .action = AGAIN, .counter = COUNTERS };

int tx_open(struct fdl_queue *q)
{
	q->io.max_header_bytes = q->ep->opts.max_syscall_header_bytes;
	q->io.max_pieces = io_max_pieces(&q->io);
	q->tx = os_map(sizeof(*q->tx));
	if (!q->tx)
		return -ENOMEM;
	pthread_mutex_init(&q->tx->lock, NULL);
	if (q->io.kind == FDL_KIND_DGRAM)
		peer_note(&q->tx->peer, q->io.fd);
	return 0;
}

void tx_close(struct fdl_queue *q)
{
	pthread_mutex_destroy(&q->tx->lock);
	os_unmap(q->tx, sizeof(*q->tx));
}

void tx_drop(struct fdl_queue *q, const struct verdict *v, int n)
{
	count(&q->counters, v->counter, (uint64_t)n);
	endpoint_error(q->ep, v->text);
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
		return &full;
	if (!append(tx, &len, last))
		return &too_long;
	for (i = 0; i < cnt; i++)
		if (!append(tx, &len, &iov[i]))
			return &too_long;
	*last = (struct iovec){ tx->scratch, len };
	tx->merged = true;
	return NULL;
}

static const struct verdict *gather(struct tx *tx, const struct frame *f,
				    struct msghdr *msg, unsigned max)
{
	int i;

	for (i = 0; i < f->cnt; i++) {
		if (!f->iov[i].iov_len)
			continue;
		if (msg->msg_iovlen == max)
			return merge(tx, &msg->msg_iov[max - 1], f->iov + i,
				     f->cnt - i);
		msg->msg_iov[msg->msg_iovlen++] = f->iov[i];
	}
	return NULL;
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

static bool has_room(const struct tx *tx, unsigned max, int cnt)
{
	unsigned want = (unsigned)cnt < max ? (unsigned)cnt + 1 : max;

	return tx->n < TX_BATCH && tx->pieces + want <= TX_PIECES;
}

/* Make a message of a frame. NULL: done; else why not. */
static const struct verdict *add(struct fdl_queue *q, const struct frame *f)
{
	const unsigned max = q->io.max_pieces;
	const struct verdict *why;
	struct tx *tx = q->tx;
	struct msghdr *msg;

	if (!has_bytes(f))
		return &empty;
	if (asks_for_work(f->off))
		return &no_offload;
	if (!has_room(tx, max, f->cnt))
		return &full;
	msg = &tx->msg[tx->n].msg_hdr;
	msg->msg_iov = tx->piece + tx->pieces;
	msg->msg_iovlen = 0;
	why = gather(tx, f, msg, max);
	if (why)
		return why;
	tx->pieces += (unsigned)msg->msg_iovlen;
	tx->n++;
	return NULL;
}

static void account(struct fdl_queue *q, const struct mmsghdr msg[], unsigned n)
{
	uint64_t bytes = 0;
	unsigned i;

	for (i = 0; i < n; i++)
		bytes += msg[i].msg_len;
	count(&q->counters, TX_PACKETS, n);
	count(&q->counters, TX_BYTES, bytes);
}

/* Returns whether the peer came back, and the same is worth another try. */
static bool meet_again(struct fdl_queue *q, const struct verdict *v)
{
	return v->counter == TX_DROP_NO_PEER &&
	       !peer_reconnect(&q->tx->peer, q->io.fd);
}

/* Send what is gathered. Returns and *why as of tx_put. */
static int push(struct fdl_queue *q, const struct verdict **why)
{
	const struct verdict *v;
	struct tx *tx = q->tx;
	unsigned done = 0, n;
	bool met = false;
	int err = 0;

	while (done < tx->n) {
		n = io_send(&q->io, tx->msg + done, tx->n - done, &err);
		account(q, tx->msg + done, n);
		done += n;
		if (n)
			met = false;
		if (!err)
			continue;
		v = verdict_on_send(q->io.kind, err);
		if (v->action != DROP) {
			*why = v;
			break;
		}
		if (!met) {
			met = true;
			if (meet_again(q, v))
				continue;
		}
		tx_drop(q, v, 1);
		done++;
	}
	tx->n = 0;
	tx->pieces = 0;
	tx->merged = false;
	return (int)done;
}

int tx_put(struct fdl_queue *q, const struct frame f[], int n,
	   const struct verdict **why)
{
	const struct verdict *v = NULL;
	int i, k = 0;

	*why = NULL;
	while (k < n && !*why) {
		for (i = k; i < n; i++) {
			v = add(q, &f[i]);
			if (v)
				break;
		}
		if (i > k) {
			k += push(q, why);
		} else {
			tx_drop(q, v, 1);
			k++;
		}
	}
	return k;
}

/* One call's patience. */
struct patience {
	int64_t until;		/* 0: it has not begun */
	unsigned nap_us;	/* what to sleep if POLLOUT lies */
	bool told;		/* POLLOUT told of room before this try */
};

static int wait_begin(struct patience *p, uint32_t ms)
{
	const int64_t now = os_now_ms();

	if (!p->until)
		p->until = now + ms;
	return now < p->until ? (int)(p->until - now) : 0;
}

/*
 * Wait for room, after err. POLLOUT means nothing for a full device queue, nor
 * for a datagram socket whose peer is not connected back: where it tells of
 * room and there is none, and after all but EAGAIN, a growing nap is taken.
 * Returns false when the time is up.
 */
static bool wait_for_room(struct fdl_queue *q, struct patience *p, int err)
{
	struct pollfd room = { .fd = q->io.fd, .events = POLLOUT };
	const uint32_t ms = q->ep->opts.tx_wait_ms;
	int left;

	if (!ms)
		return false;
	left = wait_begin(p, ms);
	if (left == 0)
		return false;
	if (err == -EAGAIN && !p->told) {
		p->told = os_poll(&room, 1, left) > 0;
		return true;
	}
	p->told = false;
	os_nap(p->nap_us);
	if (p->nap_us < LAST_NAP_US)
		p->nap_us *= 2;
	return true;
}

int tx_put_all(struct fdl_queue *q, const struct frame f[], int n,
	       const struct verdict **why)
{
	struct patience p = { .nap_us = FIRST_NAP_US };
	int k = 0, gone;

	for (;;) {
		gone = tx_put(q, f + k, n - k, why);
		k += gone;
		if (!*why || (*why)->action == END)
			return k;
		if (gone > 0)
			p = (struct patience){ .until = p.until,
					       .nap_us = FIRST_NAP_US };
		if (wait_for_room(q, &p, (*why)->result))
			continue;
		tx_drop(q, *why, n - k);
		*why = NULL;
		return n;
	}
}
