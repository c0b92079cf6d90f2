/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receive side of a queue. A frame is delivered, or counted under one
 * reason; nothing that arrives ends the queue, only what the fd says about
 * itself (io/verdict.c).
 */
#include <errno.h>
#include <string.h>

#include "endpoint.h"
#include "io/verdict.h"
#include "os.h"
#include "proto/eth.h"
#include "queue.h"

enum {
	/* Calls in a row that a socket may answer with some pending error
	 * before it counts as broken. */
	MAX_ERRORS = 8,
};

static int end(struct fdl_queue *q, int result, const char *text)
{
	endpoint_error(q->ep, text);
	atomic_store_explicit(&q->ended, result, memory_order_release);
	return result;
}

static uint8_t address_type(const struct fdl_queue *q, const uint8_t *dst)
{
	static const uint8_t broadcast[ETH_ADDR_LEN] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	};
	static const uint8_t unknown[ETH_ADDR_LEN];
	const uint8_t *own = q->ep->opts.address;

	if (!memcmp(dst, broadcast, ETH_ADDR_LEN))
		return FDL_BROADCAST;
	if (dst[0] & 1)
		return FDL_MULTICAST;
	if (!memcmp(own, unknown, ETH_ADDR_LEN))
		return IO_TYPE_UNKNOWN;
	return memcmp(dst, own, ETH_ADDR_LEN) ? FDL_OTHERHOST : FDL_TO_HOST;
}

/* Our own address, where it is known, decides; else what the fd said. */
static uint8_t packet_type(const struct fdl_queue *q,
			   const struct io_frame *frame)
{
	uint8_t type;

	if (frame->type == IO_TYPE_OUTGOING)
		return FDL_OUTGOING;
	type = address_type(q, frame->pkt->data);
	if (type == IO_TYPE_UNKNOWN)
		type = frame->type;
	return type == IO_TYPE_UNKNOWN ? (uint8_t)FDL_TO_HOST : type;
}

static enum counter judge_ethernet(const struct fdl_queue *q,
				   struct io_frame *frame)
{
	struct fdl_packet *pkt = frame->pkt;
	struct eth_view eth;

	if (!eth_parse(pkt->data, pkt->len, &eth))
		return RX_DROP_RUNT;
	pkt->link_len = eth.hdr_len;
	pkt->protocol = eth.protocol;
	pkt->type = packet_type(q, frame);
	if (pkt->type == FDL_OTHERHOST &&
	    q->ep->opts.flags & FDL_DROP_OTHERHOST)
		return RX_DROP_OTHERHOST;
	return RX_PACKETS;
}

static enum counter judge_ip(const struct io_frame *frame)
{
	struct fdl_packet *pkt = frame->pkt;

	if (frame->type == IO_TYPE_OUTGOING)
		pkt->type = FDL_OUTGOING;
	switch (pkt->data[0] >> 4) {
	case 4:
		pkt->protocol = 0x0800;
		return RX_PACKETS;
	case 6:
		pkt->protocol = 0x86dd;
		return RX_PACKETS;
	default:
		return RX_DROP_NOT_IP;
	}
}

/* The kernel took the VLAN tag out of the frame: put it back. */
static void insert_tag(const struct io_frame *frame)
{
	struct fdl_packet *pkt = frame->pkt;
	uint8_t *to = fdl_packet_push(pkt, ETH_VLAN_LEN);

	memmove(to, to + ETH_VLAN_LEN, 2 * ETH_ADDR_LEN);
	to[12] = (uint8_t)(frame->vlan_tpid >> 8);
	to[13] = (uint8_t)frame->vlan_tpid;
	to[14] = (uint8_t)(frame->vlan_tci >> 8);
	to[15] = (uint8_t)frame->vlan_tci;
}

/* RX_PACKETS: worth delivering, and filled in; else the reason it is not. */
static enum counter judge(const struct fdl_queue *q, struct io_frame *frame)
{
	struct fdl_packet *pkt = frame->pkt;

	if (frame->type == IO_TYPE_OUTGOING &&
	    !(q->ep->opts.flags & FDL_RX_OUTGOING))
		return RX_DROP_OUTGOING;
	if (frame->type == IO_TYPE_GHOST)
		return RX_DROP_MALFORMED;
	if (pkt->len == 0)
		return RX_DROP_EMPTY;
	if (frame->wire_len > pkt->len)
		return RX_DROP_TRUNCATED;
	if (frame->vlan_tpid && pkt->len >= ETH_HDR_LEN)
		insert_tag(frame);
	if (q->ep->opts.flags & FDL_ETHERNET)
		return judge_ethernet(q, frame);
	return judge_ip(frame);
}

/*
 * Hand out what is worth it of frame[0..n). Returns how many went to v[]; the
 * packets of the others go back to the pool.
 */
static int deliver(struct fdl_queue *q, int n, struct fdl_packet *v[])
{
	struct fdl_packet *bad[IO_MAX_BATCH];
	enum counter verdict;
	uint64_t bytes = 0;
	int i, k = 0, b = 0;

	for (i = 0; i < n; i++) {
		struct fdl_packet *pkt = q->frame[i].pkt;

		verdict = judge(q, &q->frame[i]);
		if (verdict == RX_PACKETS) {
			bytes += pkt->len;
			v[k++] = pkt;
		} else {
			count(&q->counters, verdict, 1);
			bad[b++] = pkt;
		}
	}
	fdl_release(bad, b);
	count(&q->counters, RX_PACKETS, (uint64_t)k);
	count(&q->counters, RX_BYTES, bytes);
	return k;
}

void queue_drop_empties(struct fdl_queue *q)
{
	while (q->have > q->gap)
		fdl_release(&q->frame[--q->have].pkt, 1);
}

/* The pool cannot fill the gap from i on: the empties at the end do. */
static void close_gap(struct fdl_queue *q, int i)
{
	while (i < q->gap && q->have > q->gap)
		q->frame[i++].pkt = q->frame[--q->have].pkt;
	if (i < q->gap)
		q->have = i;
}

/*
 * Have up to n empty packets at hand. What the last step left stays where it
 * is and is not looked at again: a step costs by what it received, not by the
 * size of the batch. Returns how many.
 */
static int provide(struct fdl_queue *q, int n)
{
	int want = q->gap + (n > q->have ? n - q->have : 0);
	struct fdl_packet *v[IO_MAX_BATCH];
	int i, got = 0;

	if (want > 0)
		got = pool_take_or_ask(q->io.pool, v, want);
	for (i = 0; i < q->gap && i < got; i++)
		q->frame[i].pkt = v[i];
	if (q->fresh < q->gap)
		q->fresh = q->gap;
	if (i < q->gap)
		close_gap(q, i);
	for (; i < got; i++) {
		q->frame[q->have++].pkt = v[i];
		q->fresh = q->have;
	}
	q->gap = 0;
	return q->have < n ? q->have : n;
}

/* The same, with the signals of releases used up. */
static int provide_anew(struct fdl_queue *q, int n)
{
	int have = provide(q, n);

	/* The signal noted here may be the answer to what was just asked. */
	if (ready_note_refill(&q->ready, pool_asked(q->io.pool)) && have == 0)
		have = provide(q, n);
	return have;
}

/* What an error means: 0 nothing now, 1 try again, or the queue's end. */
static int consider(struct fdl_queue *q, int err)
{
	const struct verdict *v = verdict_on_receive(q->io.kind, err);

	if (v->action == LATER)
		return 0;
	if (v->action == END)
		return end(q, v->result, v->text);
	if (v->counter != COUNTERS)
		count(&q->counters, v->counter, 1);
	endpoint_error(q->ep, v->text);
	return 1;
}

static int pending_error(const struct fdl_queue *q)
{
	socklen_t len = sizeof(int);
	int err = 0;

	os_getsockopt(q->io.fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return -err;
}

/*
 * Nothing there, in a mode that is watched for edges. What comes after this
 * look makes the set ready again.
 */
static int look_again(struct fdl_queue *q, int n)
{
	int err = ready_settle(&q->ready) ? pending_error(q) : 0;

	if (err) {
		err = consider(q, err);
		if (err < 0)
			return err;
	}
	return q->ep->ops->recv(&q->io, q->frame, n, 0);
}

/* Messages into q->frame, 0, or the queue's end. */
static int receive_some(struct fdl_queue *q, int n)
{
	int tries, got, r;

	for (tries = 0; tries < MAX_ERRORS; tries++) {
		got = q->ep->ops->recv(&q->io, q->frame, n, q->fresh);
		q->fresh = 0;
		if (got == -EAGAIN && q->ep->ops->edge)
			got = look_again(q, n);
		if (got > 0)
			return got;
		r = consider(q, got);
		if (r <= 0)
			return r;
	}
	return end(q, got, "the fd answers with errors only");
}

/* The last of got messages are empty and may be the end of the link. */
static int strip_end(struct fdl_queue *q, int got)
{
	if (q->frame[got - 1].wire_len > 0 || !io_at_end(&q->io))
		return got;
	end(q, -ESHUTDOWN, "the peer closed the link");
	while (got > 0 && q->frame[got - 1].wire_len == 0)
		fdl_release(&q->frame[--got].pkt, 1);
	return got;
}

static int starve(struct fdl_queue *q)
{
	count(&q->counters, RX_POOL_EMPTY, 1);
	ready_disarm(&q->ready);
	return -ENOBUFS;
}

/*
 * One step into v[0..n): *k counts what went there. Returns 1: there may be
 * more; 0: nothing more now; negative: why not.
 */
static int step(struct fdl_queue *q, struct fdl_packet *v[], int n, int *k)
{
	int want = n < (int)q->batch ? n : (int)q->batch;
	int got, err, full;

	want = provide_anew(q, want);
	if (want == 0)
		return starve(q);
	err = ready_rearm(&q->ready);
	if (err)
		return end(q, err, "the fd cannot be watched any more");
	got = receive_some(q, want);
	if (got <= 0)
		return got;
	q->gap = got;
	full = got == want || q->frame[got - 1].wire_len == 0;
	*k = deliver(q, strip_end(q, got), v);
	err = atomic_load_explicit(&q->ended, memory_order_relaxed);
	return err ? err : full;
}

/* An end that was found behind packets is left for the next call to tell, and
 * till then the fd, at its end, stays readable. */
static int tell_end(struct fdl_queue *q)
{
	int r = atomic_load_explicit(&q->ended, memory_order_relaxed);

	if (r)
		ready_end(&q->ready);
	return r;
}

int fdl_recv(struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	int steps = n / (int)q->batch + 2;
	int r, more = 1, k = 0, total = 0;

	if (n < 0)
		return -EINVAL;
	if (!queue_is_ours(q))
		return -EBUSY;
	r = tell_end(q);
	if (r)
		return r;
	/* Rubbish alone must not hold the caller here: so many steps, though
	 * nothing was delivered. */
	while (more > 0 && total < n && steps-- > 0) {
		k = 0;
		more = step(q, v + total, n - total, &k);
		total += k;
	}
	if (total > 0)
		return total;
	tell_end(q);
	return more < 0 ? more : 0;
}
