/* SPDX-License-Identifier: Apache-2.0 */
/* Packets are sent over queues by flow, from any thread. A flow has one queue,
 * so its packets go in the order in which the lock of that queue was taken. */
#include <fdlink/attach.h>

#include <errno.h>

#include <fdlink/offload.h>

#include "endpoint.h"
#include "proto/eth.h"
#include "tx/defer.h"
#include "tx/message.h"
#include "tx/room.h"

static uint32_t hash_of(const struct fdl_endpoint *ep, struct fdl_packet *pkt)
{
	struct eth_view eth = { .hdr_len = 0 };

	if (pkt->hash)
		return pkt->hash;
	if (ep->shared.opts.flags & FDL_ETHERNET)
		eth_parse(pkt->data, pkt->len, &eth);
	pkt->hash = fdl_flow_hash(pkt->data, pkt->len, eth.hdr_len);
	return pkt->hash;
}

/* Write packets of one queue. Returns how many are taken: all, unless the link
 * ends, and then *err is why. */
static int write_queue(struct fdl_queue *q, struct fdl_packet *v[], int n,
		       int *err)
{
	const struct verdict *why;
	int k;

	pthread_mutex_lock(&q->tx.lock);
	if (q->tx.deferred)
		defer_flush(&q->tx);
	k = tx_put_all(&q->tx, (struct frames){ .v = v }, n, &why);
	pthread_mutex_unlock(&q->tx.lock);
	fdl_release(v, k);
	if (why) {
		shared_error(q->shared, why->text);
		*err = why->result;
	}
	return k;
}

/*
 * Move the packets of v[0..n) that go where v[0] goes to same[], and the others
 * together at the front of v[]; both keep their order. Returns how many went to
 * same[].
 */
static int part(struct fdl_packet *v[], uint32_t index[], int n,
		struct fdl_packet *same[])
{
	const uint32_t first = index[0];
	int i, others = 0;

	for (i = 0; i < n; i++) {
		if (index[i] == first) {
			same[i - others] = v[i];
		} else {
			index[others] = index[i];
			v[others++] = v[i];
		}
	}
	return n - others;
}

static void copy(struct fdl_packet *to[], struct fdl_packet *const from[],
		 int n)
{
	int i;

	for (i = 0; i < n; i++)
		to[i] = from[i];
}

/* Send up to TX_BATCH packets. Returns how many are taken; they are moved to
 * the front of v[]. */
static int spread(struct fdl_endpoint *ep, struct fdl_packet *v[], int n,
		  int *err)
{
	struct fdl_packet *sorted[TX_BATCH], *left[TX_BATCH];
	uint32_t index[TX_BATCH], first;
	int i, k, same, todo, taken = 0, lost = 0;

	for (i = 0; i < n; i++)
		index[i] = hash_of(ep, v[i]) % ep->n_queues;
	for (todo = n; todo > 0; todo -= same) {
		first = index[0];
		same = part(v, index, todo, sorted + taken);
		k = write_queue(&ep->queues[first], sorted + taken, same, err);
		copy(left + lost, sorted + taken + k, same - k);
		taken += k;
		lost += same - k;
	}
	copy(v, sorted, taken);
	copy(v + taken, left, lost);
	return taken;
}

int fdl_write_packets(struct fdl_endpoint *ep, struct fdl_packet *v[], int n)
{
	int k = 0, chunk, err = 0;

	while (k < n && !err) {
		chunk = n - k < TX_BATCH ? n - k : TX_BATCH;
		if (ep->n_queues == 1)
			k += write_queue(&ep->queues[0], v + k, chunk, &err);
		else
			k += spread(ep, v + k, chunk, &err);
	}
	return k || !err ? k : err;
}

int fdl_inject_outbound(struct fdl_endpoint *ep, const void *bytes, size_t len)
{
	struct fdl_queue *q = &ep->queues[0];
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	const struct frame f = { .iov = &iov, .cnt = 1, .weight = 1 };
	const struct verdict *why;
	int err;

	pthread_mutex_lock(&q->tx.lock);
	if (q->tx.deferred)
		defer_flush(&q->tx);
	q->tx.refused = 0;
	tx_put_all(&q->tx, (struct frames){ .f = &f }, 1, &why);
	if (why)
		tx_drop(&q->tx, why, 1);
	err = q->tx.refused;
	pthread_mutex_unlock(&q->tx.lock);
	return err;
}
