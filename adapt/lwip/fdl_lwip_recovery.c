/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loss recovery for lwIP's TCP. lwIP by itself sends again one segment of a
 * window, and all of it after a timeout of seconds. Here tcp_output does this
 * first:
 *
 * - fdl_lwip_loss.c says what is lost, and how many bytes may leave now.
 * - Lost segments move from those in flight back to those to be sent.
 * - lwIP sees, for this one call, a congestion window that ends where the bytes
 *   that may leave do.
 *
 * lwIP's own retransmission timer is set again each time, so that it never runs
 * out before ours.
 */
#include "fdl_lwip_address.h"
#include "fdl_lwip_link.h"
#include "fdl_lwip_loss.h"
#include "fdl_lwip_path.h"
#include "fdl_lwip_plain.h"
#include "fdl_lwip_segment.h"
#include "fdl_lwip_tso.h"

#include <lwip/sys.h>
#include <lwip/timeouts.h>

#if FDL_LWIP_LOSS

enum {
	/* After so many timeouts in a row, a router may be what is silent. */
	SILENT = 2,
	/* On paths that take less, routers have cut since the beginning. */
	SMALL = 576 - 40,
	/* So many ticks later than ours, lwIP's timer would run out. */
	BEHIND = 4,
};

/* One call of tcp_output. */
struct turn {
	struct fdl_lwip_loss *loss;
	u32_t nxt;		/* snd_nxt before it */
	u32_t again;		/* bytes that are to be sent again */
	tcpwnd_size_t cwnd;
	bool eager;
};

static void on_timer(void *arg);

/* One timer for all connections: lwIP may have no room for more. */
static struct {
	bool runs;
	u32_t at;
} timer;

static void schedule(u32_t at, u32_t now)
{
	if (timer.runs && (s32_t)(at - timer.at) >= 0)
		return;
	if (timer.runs)
		sys_untimeout(on_timer, NULL);
	timer.runs = true;
	timer.at = at;
	/* With 0, lwIP would call it again before anything else. */
	sys_timeout((s32_t)(at - now) > 0 ? at - now : 1, on_timer, NULL);
}

/* Whether lwIP is in charge: nothing is in flight, the peer's window is closed
 * or too small for a segment, or lwIP sends everything again. */
static bool is_lwips(const struct tcp_pcb *pcb)
{
	return !pcb->unacked || pcb->persist_backoff || (pcb->flags & TF_RTO);
}

enum due { DUE_HOLE, DUE_PROBE, DUE_TIMEOUT };

/* Returns what is to be done if no acknowledgement comes. *at: when. patience:
 * until it is a timeout. */
static enum due next_due(const struct fdl_lwip_loss *l,
			 const struct tcp_pcb *pcb, u32_t patience, u32_t *at)
{
	const u32_t timeout = l->rto_from + patience;
	const bool lone = pcb->snd_nxt - l->una <= pcb->mss;

	if (l->sack.n && l->lost == l->una) {
		*at = l->hole_at + fdl_lwip_patience_hole(&l->wait);
		return DUE_HOLE;
	}
	if ((pcb->flags & TF_SACK) && l->state == FDL_LWIP_WHOLE &&
	    !l->sack.n && !l->probed && l->wait.rttvar) {
		*at = l->last + fdl_lwip_patience_probe(&l->wait, lone);
		if ((s32_t)(*at - timeout) < 0)
			return DUE_PROBE;
	}
	*at = timeout;
	return DUE_TIMEOUT;
}

static bool is_sent(const struct tcp_pcb *pcb, const struct tcp_seg *seg)
{
	return TCP_SEQ_LT(fdl_lwip_seqno(seg), pcb->snd_nxt);
}

static u32_t end_of(const struct tcp_seg *seg)
{
	return fdl_lwip_seqno(seg) + TCP_TCPLEN(seg);
}

/*
 * Split off the part of the segment at *at that lies below from, in whole units
 * of what went out. Returns where the rest is. NULL: it cannot be split now.
 */
static struct tcp_seg **skip(struct tcp_pcb *pcb, struct tcp_seg **at,
			     u32_t from, u16_t unit)
{
	const u32_t start = fdl_lwip_seqno(*at);
	u32_t n;

	if (TCP_SEQ_GEQ(start, from))
		return at;
	n = (from - start) / unit * unit;
	if (!n || n >= (*at)->len)
		return at;
	return fdl_lwip_split(pcb, at, n) ? &(*at)->next : NULL;
}

/*
 * Move what is in the range from a segment in flight to those to be sent.
 * Returns where the moved bytes end. r.left: nothing can be moved now. Pieces
 * are whole units, also for a peer that reports single bytes.
 */
static u32_t take(struct tcp_pcb *pcb, struct fdl_lwip_range r, u16_t unit)
{
	struct tcp_seg **at = &pcb->unacked;
	u32_t n, end;

	while (*at && TCP_SEQ_LEQ(end_of(*at), r.left))
		at = &(*at)->next;
	if (!*at || TCP_SEQ_GEQ(fdl_lwip_seqno(*at), r.right))
		return r.right;
	at = skip(pcb, at, r.left, unit);
	if (!at || (*at)->p->ref != 1)
		return r.left;
	n = r.right - fdl_lwip_seqno(*at);
	n += unit - 1U - (n - 1U) % unit;
	if (n < (*at)->len && !fdl_lwip_split(pcb, at, n))
		return r.left;
	end = end_of(*at);
	fdl_lwip_move(at, &pcb->unsent);
	return end;
}

/* Have lost bytes sent again, up to room bytes. Returns how many. */
static u32_t mend(struct fdl_lwip_loss *l, struct tcp_pcb *pcb, u32_t room,
		  u16_t unit)
{
	struct fdl_lwip_range r;
	u32_t end, sum = 0;

	while (TCP_SEQ_LT(l->again, l->lost)) {
		r.left = l->again;
		r.right = l->lost;
		if (!fdl_lwip_sack_hole(&l->sack, &r)) {
			l->again = l->lost;
			break;
		}
		if (sum + LWIP_MIN(r.right - r.left, (u32_t)unit) > room)
			break;
		if (r.right - r.left > room - sum)
			r.right = r.left + (room - sum) / unit * unit;
		end = take(pcb, r, unit);
		if (end == r.left)
			break;
		if (TCP_SEQ_LEQ(r.left, l->una)) {
			l->mark = pcb->snd_nxt;
			l->since_mark = 0;
		}
		sum += end - r.left;
		l->again = end;
		if (TCP_SEQ_LT(l->lost, end))
			l->lost = end;
	}
	return sum;
}

/* RFC 8985: a probe is new data if there is any that may be sent, or else the
 * last segment. Returns how many bytes are to be sent again. */
static u32_t probe(struct fdl_lwip_loss *l, struct tcp_pcb *pcb, u16_t unit)
{
	struct fdl_lwip_range r = { pcb->snd_nxt - unit, pcb->snd_nxt };

	if (pcb->unsent && pcb->snd_nxt - l->una + unit <= pcb->snd_wnd)
		return 0;
	if (TCP_SEQ_LT(r.left, l->una))
		r.left = l->una;
	l->probe_is_old = take(pcb, r, unit) != r.left;
	return l->probe_is_old ? r.right - r.left : 0;
}

static void begin(struct turn *t, struct tcp_pcb *pcb)
{
	struct fdl_lwip_loss *l = t->loss;
	u32_t room;
	u16_t unit;

	t->nxt = pcb->snd_nxt;
	fdl_lwip_loss_judge(l, pcb);
	t->cwnd = pcb->cwnd;
	if (is_lwips(pcb)) {
		l->delivered = 0;
		return;
	}
	if (l->state == FDL_LWIP_WHOLE && !l->sack.n && !l->dups &&
	    l->probed != PROBE_NOW) {
		l->delivered = 0;
		return;
	}
	t->eager = true;
	unit = fdl_lwip_tso_unit(pcb);
	room = fdl_lwip_loss_room(l, pcb, unit);
	if (l->probed == PROBE_NOW) {
		t->again = probe(l, pcb, unit);
		room = t->again ? room : LWIP_MAX(room, (u32_t)unit);
		l->probe_end = pcb->snd_nxt;
		l->probed = PROBE_SENT;
	}
	t->again += mend(l, pcb, room, unit);
	room -= LWIP_MIN(room, t->again);
	pcb->cwnd = (tcpwnd_size_t)(pcb->snd_nxt - l->una + room);
}

/*
 * What lwIP did not send goes back to the segments in flight, to be taken again
 * later. If the peer has closed its window, lwIP has begun to probe it, and
 * needs these segments where they are.
 */
static void give_back(struct turn *t, struct tcp_pcb *pcb)
{
	struct fdl_lwip_loss *l = t->loss;
	u32_t at;

	while (!pcb->persist_backoff && pcb->unsent &&
	       is_sent(pcb, pcb->unsent)) {
		at = fdl_lwip_seqno(pcb->unsent);
		fdl_lwip_move(&pcb->unsent, &pcb->unacked);
		if (TCP_SEQ_LT(at, l->again))
			l->again = TCP_SEQ_LT(at, l->una) ? l->una : at;
	}
}

static void end(struct turn *t, struct tcp_pcb *pcb)
{
	struct fdl_lwip_loss *l = t->loss;
	u32_t patience, at;

	pcb->cwnd = t->cwnd;
	if (t->again)
		give_back(t, pcb);
	fdl_lwip_loss_sent(l, pcb, t->again, pcb->snd_nxt - t->nxt);
	if (is_lwips(pcb))
		return;
	patience = fdl_lwip_patience_timeout(&l->wait);
	pcb->rtime = 0;
	pcb->rto = (s16_t)LWIP_MIN(patience / TCP_SLOW_INTERVAL + BEHIND,
				   0x7fff);
	next_due(l, pcb, patience, &at);
	schedule(at, l->now);
}

static struct fdl_lwip_loss *find(struct tcp_pcb *pcb)
{
	struct fdl_lwip_loss *l = fdl_lwip_loss_find(pcb);

	if (l || !pcb->unsent)
		return l;
	return fdl_lwip_loss_new(pcb);
}

/* Most calls come while lwIP takes a segment, and need less: so this is no part
 * of tcp_output. */
static __attribute__((noinline)) err_t output_with(struct fdl_lwip_loss *l,
						   struct tcp_pcb *pcb)
{
	struct turn t = { .loss = l };
	err_t err;

	begin(&t, pcb);
	err = fdl_lwip_tso_output(pcb, t.eager);
	end(&t, pcb);
	return err;
}

err_t tcp_output(struct tcp_pcb *pcb)
{
	struct fdl_lwip_loss *l;

	/* lwIP calls again when it has taken the segment. */
	if (pcb == tcp_input_pcb)
		return ERR_OK;
	if (pcb->state < ESTABLISHED)
		return fdl_lwip_plain_output(pcb);
	l = find(pcb);
	return l ? output_with(l, pcb) : fdl_lwip_tso_output(pcb, false);
}

/* Routers that drop long packets and say nothing may cut them. */
static void doubt_path(const struct fdl_lwip_loss *l, const struct tcp_pcb *pcb)
{
	const struct fdl_lwip_address to = fdl_lwip_address(&pcb->remote_ip);
	struct fdl_lwip *link;

	if (l->wait.backoff != SILENT || to.version != 4 ||
	    pcb->unacked->len <= SMALL)
		return;
	link = fdl_lwip_link_of(pcb);
	if (link)
		fdl_lwip_path_let_cut(link, to.bytes);
}

/*
 * If the window has no room for a segment, lwIP waits for it to open. For that,
 * nothing may be in flight.
 */
static void time_out(struct fdl_lwip_loss *l, struct tcp_pcb *pcb)
{
	fdl_lwip_loss_time_out(l, pcb);
	doubt_path(l, pcb);
	pcb->rtime = 0;
	if (pcb->snd_wnd < fdl_lwip_tso_unit(pcb))
		tcp_rexmit_rto_prepare(pcb);
}

static void expire(struct fdl_lwip_loss *l, struct tcp_pcb *pcb)
{
	enum due due;
	u32_t at;

	due = next_due(l, pcb, fdl_lwip_patience_timeout(&l->wait), &at);
	if ((s32_t)(sys_now() - at) < 0)
		return;
	if (due == DUE_PROBE)
		l->probed = PROBE_NOW;
	if (due == DUE_TIMEOUT)
		time_out(l, pcb);
	tcp_output(pcb);
}

static void on_timer(void *arg)
{
	struct fdl_lwip_loss *l;
	struct tcp_pcb *pcb;
	u32_t at;

	LWIP_UNUSED_ARG(arg);
	timer.runs = false;
	for (pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
		l = fdl_lwip_loss_find(pcb);
		if (!l || is_lwips(pcb))
			continue;
		expire(l, pcb);
		if (is_lwips(pcb))
			continue;
		next_due(l, pcb, fdl_lwip_patience_timeout(&l->wait), &at);
		schedule(at, sys_now());
	}
}

#else

err_t tcp_output(struct tcp_pcb *pcb)
{
	return fdl_lwip_tso_output(pcb, false);
}

#endif

void tcp_rexmit_rto_commit(struct tcp_pcb *pcb)
{
	if (pcb->nrtx < 0xff)
		pcb->nrtx++;
	tcp_output(pcb);
}
