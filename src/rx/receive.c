/* SPDX-License-Identifier: Apache-2.0 */
/* A frame is delivered, or counted under one reason. Nothing that arrives ends
 * the queue: only what the fd says about itself does (kind/verdict.c). */
#include "rx/receive.h"

#include <errno.h>

#include "kind/kind.h"
#include "os.h"
#include "packet/pool.h"
#include "rx/appetite.h"
#include "rx/cut.h"
#include "rx/end.h"
#include "rx/framing.h"
#include "rx/judge.h"
#include "rx/merge.h"
#include "rx/split.h"
#include "rx/vain.h"
#include "wait/ready.h"

enum {
	/* Calls in a row that a socket may answer with some pending error
	 * before it counts as broken. */
	MAX_ERRORS = 8,
};

/* What to do about what the fd said. */
enum reaction {
	TRY_AGAIN,
	TRY_THE_NEXT,	/* this frame is lost */
	STOP_NOW,	/* there is nothing */
	STOP_FOR_GOOD,	/* rx->ended */
};

int rx_open(struct rx *rx)
{
	if (rx->io->kind->header == HEADER_AGREED)
		hint_open(&rx->hint);
	if (!(rx->shared->opts.flags & FDL_GRO))
		return 0;
	return gro_new(&rx->gro, rx->shared);
}

void rx_close(struct rx *rx)
{
	fdl_release(&rx->super, 1);
	fdl_release(&rx->bundle, 1);
	while (rx->next < rx->filled)
		fdl_release(&rx->frame[rx->next++].pkt, 1);
	while (rx->have > rx->gap)
		fdl_release(&rx->frame[--rx->have].pkt, 1);
	gro_free(rx->gro);
}

static enum rx_rest rest_now(const struct rx *rx, enum rx_rest rest)
{
	return rx->fallen || atomic_load_explicit(&rx->ended,
						  memory_order_relaxed) ?
		       RX_ENDED :
		       rest;
}

/*
 * Take up to n packets from the pool, and use up the signals of releases: a
 * release that is noted here may be the answer to what was just asked. Ask to
 * be signalled only if a packet is needed, for a signal wakes even if nothing
 * waits for the release. Returns how many were taken.
 */
static int take_slots(struct rx *rx, struct fdl_packet *v[], int n, bool needed)
{
	struct pool *pool = rx->io->pool;
	int got = pool_take_used(pool, v, n, needed);

	if (ready_note_refill(rx->ready, pool_asked(pool)) && got == 0)
		got = pool_take_used(pool, v, n, needed);
	return got;
}

static enum rx_rest starve(struct rx *rx)
{
	count(rx->counters, RX_POOL_EMPTY, 1);
	ready_disarm(rx->ready);
	return RX_STARVED;
}

/* Watch data again. Returns false if that fails: the queue has ended. */
static bool rearm(struct rx *rx)
{
	int err = ready_rearm(rx->ready);

	if (err)
		rx_end(rx, err, "the fd cannot be watched any more");
	return !err;
}

/* All segments are cut, or all messages split. The pool may have been empty
 * meanwhile, so that data is not watched: watch it again, even if nothing is
 * received in this call. */
static enum rx_rest leave(struct rx *rx, void (*end)(struct rx *rx))
{
	const bool watched = rearm(rx);

	end(rx);
	return watched ? RX_MORE : RX_ENDED;
}

/* Add the next segment to v[], and to *got. */
static enum rx_rest deliver_segment(struct rx *rx, struct fdl_packet *v[],
				    int *got)
{
	if (!cut_is_left(rx))
		return leave(rx, cut_end);
	if (!take_slots(rx, v + *got, 1, true))
		return starve(rx);
	cut_next(rx, v[*got]);
	++*got;
	return RX_MORE;
}

/* Judge the next message of a bundle, and add it likewise. */
static enum rx_rest deliver_split(struct rx *rx, struct fdl_packet *v[],
				  int *got)
{
	struct io_frame frame = { 0 };

	if (!split_is_left(rx))
		return leave(rx, split_end);
	if (!take_slots(rx, &frame.pkt, 1, true))
		return starve(rx);
	split_next(rx, &frame);
	if (!judge_one(rx, &frame))
		return RX_MORE;
	if (cut_is_due(rx, frame.pkt))
		cut_begin(rx, frame.pkt);
	else
		v[(*got)++] = frame.pkt;
	return RX_MORE;
}

/* Judge frames into v[]. Returns how many went there. A super-packet that
 * follows them may be set aside, to be cut. */
static int deliver_frames(struct rx *rx, struct fdl_packet *v[], int n)
{
	int got = judge_frames(rx, v, n);

	/* Judging stops at a super-packet. */
	if (got == 0 || !cut_is_due(rx, v[got - 1]))
		return got;
	cut_begin(rx, v[got - 1]);
	return got - 1;
}

static void count_delivered(struct rx *rx, struct fdl_packet *v[], int n)
{
	uint64_t bytes = 0;
	int i;

	for (i = 0; i < n; i++)
		bytes += v[i]->len;
	count(rx->counters, RX_PACKETS, (uint64_t)n);
	count(rx->counters, RX_BYTES, bytes);
}

/*
 * Hand out frame[next..filled): frames that are to be delivered, super-packets
 * cut, segments merged. Returns how many went to v[]; *rest is RX_MORE, or what
 * kept the segments back.
 */
static int deliver(struct rx *rx, struct fdl_packet *v[], int n,
		   enum rx_rest *rest)
{
	int got = 0;

	*rest = RX_MORE;
	if (n > IO_MAX_BATCH)
		n = IO_MAX_BATCH;
	while (*rest == RX_MORE && got < n && rx_has_leftovers(rx)) {
		if (rx->super)
			*rest = deliver_segment(rx, v, &got);
		else if (rx->bundle)
			*rest = deliver_split(rx, v, &got);
		else
			got += deliver_frames(rx, v + got, n - got);
	}
	if (rx->gro && got > 1)
		got = gro_merge(rx->gro, rx->io->pool, rx->counters, v, got);
	count_delivered(rx, v, got);
	return got;
}

/* The pool cannot fill the gap from i on: fill it with the empty packets at the
 * end. */
static void close_gap(struct rx *rx, int i)
{
	while (i < rx->gap && rx->have > rx->gap)
		rx->frame[i++].pkt = rx->frame[--rx->have].pkt;
	if (i < rx->gap)
		rx->have = i;
}

/*
 * Have up to n empty packets at hand. What the last step left stays where it
 * is and is not looked at again: a step costs by what it received, not by the
 * size of the batch. Returns how many.
 */
static int provide(struct rx *rx, int n)
{
	int want = rx->gap + (n > rx->have ? n - rx->have : 0);
	struct fdl_packet *v[IO_MAX_BATCH];
	int i, got = take_slots(rx, v, want, rx->have == rx->gap);

	for (i = 0; i < rx->gap && i < got; i++)
		rx->frame[i].pkt = v[i];
	if (rx->fresh < rx->gap)
		rx->fresh = rx->gap;
	if (i < rx->gap)
		close_gap(rx, i);
	for (; i < got; i++) {
		rx->frame[rx->have++].pkt = v[i];
		rx->fresh = rx->have;
	}
	rx->gap = 0;
	return rx->have < n ? rx->have : n;
}

/* The one place where verdicts on receiving are applied. */
static enum reaction react(struct rx *rx, int err)
{
	const struct verdict *v = verdict_on_receive(rx->io->kind->on_receive,
						     err);

	if (v->action == LATER)
		return STOP_NOW;
	if (err == -EFAULT && rx->io->kind->follow && framing_cure(rx)) {
		count(rx->counters, RX_DROP_VNET_HDR, 1);
		return TRY_THE_NEXT;
	}
	if (v->action == END) {
		rx_end(rx, v->result, v->text);
		return STOP_FOR_GOOD;
	}
	if (v->counter != COUNTERS)
		count(rx->counters, v->counter, 1);
	if (v->counter == RX_DROP_MALFORMED)
		shared_tell_unread(rx->shared);
	shared_error(rx->shared, v->text);
	return v->action == DROP ? TRY_THE_NEXT : TRY_AGAIN;
}

/*
 * Receive messages into rx->frame. Returns how many; with 0, *rest is why, and
 * RX_MORE if all that were looked at were lost. A lost frame does not count as
 * an error of the fd: the sender chooses how many of them come in a row.
 */
static int receive_some(struct rx *rx, int n, enum rx_rest *rest)
{
	enum reaction reaction = TRY_AGAIN;
	int tries = 0, lost = 0, got = 0;

	while (tries < MAX_ERRORS && lost < n) {
		got = rx->ops->recv(rx->io, rx->frame, n, rx->fresh);
		rx->fresh = 0;
		if (got > 0)
			return got;
		reaction = react(rx, got);
		if (reaction == STOP_NOW || reaction == STOP_FOR_GOOD)
			break;
		if (reaction == TRY_THE_NEXT)
			lost++;
		else
			tries++;
	}
	if (tries == MAX_ERRORS)
		rx_end(rx, got, "the fd answers with errors only");
	*rest = rest_now(rx, lost == n ? RX_MORE : RX_DRY);
	return 0;
}

/* If the fd told of an error behind what was received, react to it now. */
static bool took_error(struct rx *rx)
{
	const int err = rx->io->error;

	rx->io->error = 0;
	if (err)
		react(rx, err);
	return err;
}

/* The last of got messages are empty and may be the end of the link. */
static int strip_end(struct rx *rx, int got)
{
	const struct kind *kind = rx->io->kind;

	if (rx->frame[got - 1].wire_len > 0 || !kind->at_end ||
	    !kind->at_end(rx->io->fd))
		return got;
	rx_end(rx, -ESHUTDOWN, verdict_closed);
	while (got > 0 && rx->frame[got - 1].wire_len == 0)
		fdl_release(&rx->frame[--got].pkt, 1);
	return got;
}

/*
 * In a mode that is watched for edges: is there something to receive? If not,
 * what comes after this look makes the set ready again. Until the caller is
 * told that there is nothing, the set may stay ready.
 */
static enum rx_rest look(struct rx *rx, bool tells)
{
	int err;

	if (!rx->ops->edge || rx->ops->peek(rx->io))
		return RX_MORE;
	if (!tells)
		return RX_DRY;
	err = ready_settle(rx->ready) ? vain_error(rx) : 0;
	if (err && react(rx, err) == STOP_FOR_GOOD)
		return RX_ENDED;
	if (!rx->ops->peek(rx->io))
		return RX_DRY;
	/* The caller may have no room for all of it, and no more may come. */
	ready_remind(rx->ready);
	return RX_MORE;
}

/* Note that frame[0..got) came. */
static void take_in(struct rx *rx, int n, int got, bool first)
{
	rx->gap = got;
	appetite_note(rx, n, got, first);
	rx->next = 0;
	rx->filled = strip_end(rx, got);
}

/* Returns whether frame[0..got) are what they look like; else they are
 * dropped. */
static bool follow_framing(struct rx *rx, int got)
{
	const enum framing framing = framing_check(rx, got);

	if (framing == FRAMING_HOLDS)
		return true;
	if (framing == FRAMING_LOST)
		rx_end(rx, -EOPNOTSUPP,
		       "another process has changed what the device puts before "
		       "each packet: open it with IFF_NO_PI, and with a "
		       "virtio-net header of 24 bytes at most");
	rx->gap = got;
	rx->next = rx->filled = 0;
	return false;
}

/* Receive up to n messages into frame[0..filled). first: the caller has none
 * yet. */
static enum rx_rest step(struct rx *rx, int n, bool first)
{
	int want = provide(rx, appetite_now(rx, n));
	enum rx_rest rest;
	bool full;
	int got;

	if (want == 0)
		return starve(rx);
	if (!rearm(rx))
		return RX_ENDED;
	rest = look(rx, first);
	if (rest != RX_MORE)
		return rest;
	if (rx->io->kind->follow)
		framing_take_over(rx);
	got = receive_some(rx, want, &rest);
	if (got == 0)
		return rest;
	if (rx->io->kind->follow && !follow_framing(rx, got))
		return rest_now(rx, RX_MORE);
	if (rx->io->disturbed)
		framing_mend(rx);
	if (rx->io->strayed)
		framing_strays(rx, got);
	full = took_error(rx) || got == want ||
	       rx->frame[got - 1].wire_len == 0 || rx->ops->edge;
	take_in(rx, n, got, first);
	return rest_now(rx, full ? RX_MORE : RX_DRY);
}

int rx_receive(struct rx *rx, struct fdl_packet *v[], int n, enum rx_rest *rest)
{
	/* Frames that are not delivered must not hold the caller here: so many
	 * steps at most, even if they deliver nothing. */
	int steps = n / (int)rx->shared->opts.batch + 2;
	enum rx_rest kept;
	int total = 0;

	*rest = rest_now(rx, RX_MORE);
	for (;;) {
		kept = RX_MORE;
		if (rx_has_leftovers(rx))
			total += deliver(rx, v + total, n - total, &kept);
		if (kept != RX_MORE)
			*rest = kept;
		if (kept != RX_MORE || total == n || steps-- == 0)
			return total;
		/* Merging has made room again. */
		if (rx_has_leftovers(rx))
			continue;
		if (*rest != RX_MORE || (total > 0 && appetite_is_sated(rx)))
			return total;
		*rest = step(rx, n - total, total == 0);
	}
}
