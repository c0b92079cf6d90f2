/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receive side of a queue. A frame is delivered, or counted under one
 * reason; nothing that arrives ends the queue, only what the fd says about
 * itself (kind/verdict.c).
 */
#include <errno.h>

#include "kind/verdict.h"
#include "os.h"
#include "queue.h"
#include "rx/judge.h"
#include "rx/merge.h"

enum {
	/* Calls in a row that a socket may answer with some pending error
	 * before it counts as broken. */
	MAX_ERRORS = 8,
	/* Payload bytes: less is not worth a header. */
	MIN_SEGMENT = 8,
	/* Bytes of a super-packet that others like it follow, and how many of
	 * them a core's cache holds beside the rest. More in a call would push
	 * out what nobody has looked at yet, and every buffer would be cold
	 * again when its turn comes: a third more CPU for a bulk stream. */
	LONG_FRAME = 16 << 10,
	LONG_BATCH = 8,
	/* Calls in a row that found one short packet. From then on a second is
	 * not looked for where that takes a system call, but in one call of so
	 * many: the caller's next poll tells. */
	ALONE = 4,
	ALONE_LOOK = 8,
};

static int end(struct fdl_queue *q, int result, const char *text)
{
	shared_error(q->shared, text);
	atomic_store_explicit(&q->ended, result, memory_order_release);
	return result;
}

/* A super-packet of a kind that the stack did not say it takes: with a whole
 * checksum it takes none. */
static bool must_be_cut(const struct fdl_queue *q, const struct fdl_packet *pkt)
{
	uint32_t takes = pkt->off.gso == FDL_GSO_UDP ? FDL_RX_USO : FDL_RX_GSO;

	if (!pkt->off.gso)
		return false;
	return !(q->shared->opts.flags & takes) ||
	       pkt->off.csum != FDL_CSUM_PARTIAL;
}

/* The wire may have a larger MTU than the link. A datagram's size is its
 * sender's to choose, a TCP segment's is not. */
static void fit_to_mtu(const struct fdl_queue *q, struct fdl_offload *off,
		       unsigned link_len)
{
	const uint32_t max = q->shared->opts.mtu + link_len,
		       hdr_len = off->hdr_len;

	if (off->gso == FDL_GSO_UDP || max < hdr_len + MIN_SEGMENT)
		return;
	if (off->gso_size > max - hdr_len)
		off->gso_size = (uint16_t)(max - hdr_len);
}

static void end_cutting(struct fdl_queue *q)
{
	fdl_release(&q->super, 1);
	q->super = NULL;
}

/* What cannot be cut is counted and released. */
static void begin_cutting(struct fdl_queue *q, struct fdl_packet *pkt)
{
	unsigned flags = q->shared->opts.flags & FDL_RX_CSUM ?
				 FDL_SEGMENT_PARTIAL :
				 0;

	fit_to_mtu(q, &pkt->off, pkt->link_len);
	q->super = pkt;
	q->super_bytes = (struct iovec){ pkt->data, pkt->len };
	if (!fdl_segment_start(&q->segmenter, &q->super_bytes, 1, pkt->link_len,
			       &pkt->off, flags)) {
		count(&q->counters, RX_GSO_CUT, 1);
		return;
	}
	count(&q->counters, RX_DROP_VNET_HDR, 1);
	end_cutting(q);
}

static void describe_segment(struct fdl_packet *pkt,
			     const struct fdl_packet *super, int len)
{
	pkt->len = (uint32_t)len;
	pkt->tail -= (uint32_t)len;
	pkt->protocol = super->protocol;
	pkt->link_len = super->link_len;
	pkt->type = super->type;
	pkt->hash = super->hash;
	pkt->tstamp_ns = super->tstamp_ns;
}

/*
 * Take up to n packets from the pool, with the signals of releases used up: one
 * noted here may be the answer to what was just asked. Asked for is only what
 * is needed: a release would wake, though nothing waits for it. Returns how
 * many.
 */
static int take(struct fdl_queue *q, struct fdl_packet *v[], int n, bool needed)
{
	struct pool *pool = q->io.pool;
	int got = pool_take_used(pool, v, n, needed);

	if (ready_note_refill(&q->ready, pool_asked(pool)) && got == 0)
		got = pool_take_used(pool, v, n, needed);
	return got;
}

/* All segments are cut. The pool may have been empty meanwhile: what comes now
 * must be seen though nothing is received in this call. */
static int leave_cutting(struct fdl_queue *q)
{
	int err = ready_rearm(&q->ready);

	end_cutting(q);
	return err ? end(q, err, "the fd cannot be watched any more") : 0;
}

/* Returns 1: *v is the next segment; 0: that was all; -ENOBUFS; the queue's
 * end. */
static int cut(struct fdl_queue *q, struct fdl_packet **v)
{
	int len;

	if (!fdl_segment_len(&q->segmenter))
		return leave_cutting(q);
	if (!take(q, v, 1, true))
		return -ENOBUFS;
	pool_reset(q->io.pool, *v);
	len = fdl_segment_next(&q->segmenter, (*v)->data, (*v)->tail,
			       &(*v)->off);
	describe_segment(*v, q->super, len);
	return 1;
}

/* Returns how many went to v[]. A super-packet behind them may be set aside, to
 * be cut. */
static int take_in(struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	int got = judge_frames(q, v, n);

	if (got > 0 && must_be_cut(q, v[got - 1]))
		begin_cutting(q, v[--got]);
	return got;
}

static bool has_leftovers(const struct fdl_queue *q)
{
	return q->super || q->next < q->filled;
}

static void count_delivered(struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	uint64_t bytes = 0;
	int i;

	for (i = 0; i < n; i++)
		bytes += v[i]->len;
	count(&q->counters, RX_PACKETS, (uint64_t)n);
	count(&q->counters, RX_BYTES, bytes);
}

/*
 * Hand out what is worth it of frame[next..filled), super-packets cut, or
 * segments merged. *k is how many went to v[]. Returns 0; -ENOBUFS when the
 * pool is out of packets for the segments; the queue's end.
 */
static int deliver(struct fdl_queue *q, struct fdl_packet *v[], int n, int *k)
{
	int r = 0, got = 0;

	if (n > IO_MAX_BATCH)
		n = IO_MAX_BATCH;
	while (r >= 0 && got < n && has_leftovers(q)) {
		if (q->super)
			r = cut(q, v + got);
		else
			r = take_in(q, v + got, n - got);
		if (r > 0)
			got += r;
	}
	if (q->gro && got > 1)
		got = gro_merge(q, v, got);
	count_delivered(q, v, got);
	*k = got;
	return r < 0 ? r : 0;
}

void queue_drop_frames(struct fdl_queue *q)
{
	fdl_release(&q->super, 1);
	while (q->next < q->filled)
		fdl_release(&q->frame[q->next++].pkt, 1);
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
	int i, got = take(q, v, want, q->have == q->gap);

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
	shared_error(q->shared, v->text);
	return 1;
}

static int pending_error(const struct fdl_queue *q)
{
	socklen_t len = sizeof(int);
	int err = 0;

	os_getsockopt(q->io.fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return -err;
}

/* Messages into q->frame, 0, or the queue's end. */
static int receive_some(struct fdl_queue *q, int n)
{
	int tries, got, r;

	for (tries = 0; tries < MAX_ERRORS; tries++) {
		got = q->ops->recv(&q->io, q->frame, n, q->fresh);
		q->fresh = 0;
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
 * In a mode that is watched for edges: is there something? If not, what comes
 * after this look makes the set ready again. Till the caller is told that there
 * is nothing it may be ready as it is. Returns 1, 0, or the queue's end.
 */
static int look(struct fdl_queue *q, bool tells)
{
	const struct io_ops *ops = q->ops;
	int err;

	if (!ops->edge || ops->peek(&q->io))
		return 1;
	if (!tells)
		return 0;
	err = ready_settle(&q->ready) ? pending_error(q) : 0;
	if (err) {
		err = consider(q, err);
		if (err < 0)
			return err;
	}
	if (!ops->peek(&q->io))
		return 0;
	/* The caller may have no room for all of it, and no more may come. */
	ready_remind(&q->ready);
	return 1;
}

/* How many messages to ask for, of n that there is room for. */
static int appetite(const struct fdl_queue *q, int n)
{
	int max = q->long_frames ? LONG_BATCH : IO_MAX_BATCH;

	if (q->alone >= ALONE && q->alone % ALONE_LOOK)
		max = 1;
	if (max > (int)q->shared->opts.batch)
		max = (int)q->shared->opts.batch;
	return n < max ? n : max;
}

/* Who has room for one only learns nothing of what is behind it. */
static void note_company(struct fdl_queue *q, int n, int got, bool first)
{
	if (!q->ops->one_by_one || n == 1)
		return;
	q->alone = first && got == 1 && !q->long_frames ? q->alone + 1 : 0;
}

/* It is better to look at what there is than to ask for more. */
static bool is_enough(const struct fdl_queue *q)
{
	return q->long_frames || q->alone >= ALONE;
}

/*
 * Receive up to n messages into frame[0..filled). first: the caller has none
 * yet. Returns 1: there may be more; 0: nothing more now; negative: why not.
 */
static int step(struct fdl_queue *q, int n, bool first)
{
	int want = provide(q, appetite(q, n));
	int got, err, full;

	if (want == 0)
		return starve(q);
	err = ready_rearm(&q->ready);
	if (err)
		return end(q, err, "the fd cannot be watched any more");
	err = look(q, first);
	if (err <= 0)
		return err;
	got = receive_some(q, want);
	if (got <= 0)
		return got;
	q->gap = got;
	full = got == want || q->frame[got - 1].wire_len == 0 || q->ops->edge;
	q->long_frames = q->frame[got - 1].wire_len >= LONG_FRAME;
	note_company(q, n, got, first);
	q->next = 0;
	q->filled = strip_end(q, got);
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

/*
 * Fill v[0..n). Returns how many; *more says, as step() does, what is behind
 * them.
 */
static int fill(struct fdl_queue *q, struct fdl_packet *v[], int n, int *more)
{
	/* Rubbish alone must not hold the caller here: so many steps, though
	 * nothing was delivered. */
	int steps = n / (int)q->shared->opts.batch + 2;
	int k, r, total = 0;

	for (;;) {
		k = r = 0;
		if (has_leftovers(q))
			r = deliver(q, v + total, n - total, &k);
		total += k;
		if (r < 0)
			*more = r == -ENOBUFS ? starve(q) : r;
		if (r < 0 || total == n || steps-- == 0)
			return total;
		/* Merging has made room again. */
		if (has_leftovers(q))
			continue;
		if (*more <= 0 || (total > 0 && is_enough(q)))
			return total;
		*more = step(q, n - total, total == 0);
	}
}

/*
 * There was nothing to receive: is the device still there? If not, what came
 * before that was known is received, and then the queue ends. As fill().
 */
static int look_at_link(struct fdl_queue *q, struct fdl_packet *v[], int n,
			int *more)
{
	int total = 0;

	if (watch_look(q)) {
		*more = 1;
		total = fill(q, v, n, more);
	}
	if (total == 0 && *more == 0 && watch_is_over(&q->watch))
		*more = end(q, -ENODEV, "the device is gone");
	return total;
}

int fdl_recv(struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	int more, total;

	if (n < 0)
		return -EINVAL;
	if (!queue_is_ours(q))
		return -EBUSY;
	more = has_leftovers(q) ? 1 : tell_end(q);
	if (more < 0)
		return more;
	more = 1;
	total = fill(q, v, n, &more);
	if (total == 0 && more == 0)
		total = look_at_link(q, v, n, &more);
	ready_more(&q->ready, has_leftovers(q) && more != -ENOBUFS);
	if (total > 0)
		return total;
	tell_end(q);
	return more < 0 ? more : 0;
}
