/* SPDX-License-Identifier: Apache-2.0 */
/* The send side of a queue: one path for send, write and write_ref. */
#include <errno.h>
#include <string.h>

#include "endpoint.h"
#include "io/verdict.h"
#include "queue.h"

static const struct verdict empty = {
	.action = DROP,
	.counter = TX_DROP_EMPTY,
	.result = -EINVAL,
	.text = "a packet was dropped: it is empty",
};

static const struct verdict no_offload = {
	.action = DROP,
	.counter = TX_DROP_OFFLOAD,
	.result = -EOPNOTSUPP,
	.text = "a packet was dropped: it asks for an offload that this "
		"endpoint does not have",
};

enum {
	MAX_PIECES = 1024,	/* UIO_MAXIOV of linux/uio.h */
};

/* A frame in more pieces than the kernel takes is copied together. */
static ssize_t write_joined(struct fdl_queue *q, const struct iovec *iov,
			    int cnt, size_t len)
{
	struct fdl_packet *pkt;
	struct iovec whole;
	size_t at = 0;
	ssize_t r;
	int i;

	if (len > POOL_DATA_SIZE)
		return -EMSGSIZE;
	if (pool_take(q->io.pool, &pkt, 1) == 0)
		return -ENOBUFS;
	for (i = 0; i < cnt; i++) {
		if (iov[i].iov_len)
			memcpy(pkt->data + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	whole = (struct iovec){ .iov_base = pkt->data, .iov_len = len };
	r = io_write(&q->io, &whole, 1);
	fdl_release(&pkt, 1);
	return r;
}

static bool asks_for_work(const struct fdl_offload *off)
{
	return off && (off->csum == FDL_CSUM_PARTIAL || off->gso);
}

/* NULL: written and counted. Otherwise what became of it; a drop is counted. */
static const struct verdict *put(struct fdl_queue *q, const struct iovec *iov,
				 int cnt, size_t len,
				 const struct fdl_offload *off)
{
	const struct verdict *v;
	ssize_t r = 0;

	if (len == 0)
		v = &empty;
	else if (asks_for_work(off))
		v = &no_offload;
	else {
		r = cnt > MAX_PIECES ? write_joined(q, iov, cnt, len)
				     : io_write(&q->io, iov, cnt);
		v = r < 0 ? verdict_on_send(q->io.kind, (int)r) : NULL;
	}
	if (!v) {
		count(&q->counters, TX_PACKETS, 1);
		count(&q->counters, TX_BYTES, len);
		return NULL;
	}
	if (v->action == DROP)
		count(&q->counters, v->counter, 1);
	if (v->action == END)
		ready_want_write(&q->ready, false);
	endpoint_error(q->ep, v->text);
	return v;
}

int fdl_send(struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	const struct verdict *verdict = NULL;
	struct iovec iov;
	int k;

	for (k = 0; k < n; k++) {
		iov.iov_base = v[k]->data;
		iov.iov_len = v[k]->len;
		verdict = put(q, &iov, 1, v[k]->len, &v[k]->off);
		if (verdict && verdict->action != DROP)
			break;
	}
	fdl_release(v, k);
	if (k == 0 && verdict && verdict->action == END)
		return verdict->result;
	return k;
}

static size_t total(const struct iovec *iov, int cnt)
{
	size_t len = 0;
	int i;

	for (i = 0; i < cnt; i++)
		len += iov[i].iov_len;
	return len;
}

int fdl_write(struct fdl_queue *q, const struct iovec *iov, int cnt,
	      const struct fdl_offload *off)
{
	const struct verdict *v = put(q, iov, cnt, total(iov, cnt), off);

	if (!v)
		return 0;
	/* fdl_send leaves such packets to its caller: here they are lost. */
	if (v->action == LATER)
		count(&q->counters, v->counter, 1);
	if (v->action == END)
		count(&q->counters, TX_DROP_OTHER, 1);
	return v->result;
}

int fdl_write_ref(struct fdl_queue *q, const struct iovec *iov, int cnt,
		  const struct fdl_offload *off, void (*done)(void *arg),
		  void *arg)
{
	int err = fdl_write(q, iov, cnt, off);

	if (!err && done)
		done(arg);
	return err;
}

int fdl_flush(struct fdl_queue *q)
{
	/* fdl_write_ref defers nothing. */
	(void)q;
	return 0;
}

int fdl_want_write(struct fdl_queue *q, bool on)
{
	int err = atomic_load_explicit(&q->ended, memory_order_acquire);

	if (!err)
		err = ready_want_write(&q->ready, on);
	/* The queue may have ended, and all been taken out, meanwhile. */
	if (!err && on) {
		err = atomic_load_explicit(&q->ended, memory_order_acquire);
		if (err)
			ready_want_write(&q->ready, false);
	}
	return err;
}
