/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loss recovery for lwIP's TCP. lwIP sends again one segment of a window, and all
 * of it after a timeout of seconds. Here, before anything is sent, what is lost
 * goes from the segments in flight back to those to be sent, as much of it as
 * fdl_lwip_loss.c allows, and what is left of that is the window for what is
 * new. lwIP's own congestion window is what it would be without a loss on the
 * way, its own timer is kept from running out.
 */
#include "fdl_lwip_loss.h"
#include "fdl_lwip_plain.h"
#include "fdl_lwip_segment.h"
#include "fdl_lwip_tso.h"

#include <lwip/sys.h>
#include <lwip/timeouts.h>

#if FDL_LWIP_LOSS

enum {
	/* Ticks that lwIP's timer runs longer than ours. */
	BEHIND = 4,
};

/* What one call sends. */
struct turn {
	struct fdl_lwip_loss *loss;
	u32_t nxt;		/* first byte that was not sent before it */
	u32_t again;		/* bytes to be sent again */
	tcpwnd_size_t cwnd;
	bool eager;
};

static void on_timer(void *arg);

/* One for all connections, as lwIP may have room for no more. */
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
	/* lwIP would call again at once what is due at once. */
	sys_timeout((s32_t)(at - now) > 0 ? at - now : 1, on_timer, NULL);
}

/* lwIP goes its own way while a window is closed, or too small for our units. */
static bool is_lwips(const struct tcp_pcb *pcb)
{
	return !pcb->unacked || pcb->persist_backoff || (pcb->flags & TF_RTO);
}

enum due { DUE_HOLE, DUE_PROBE, DUE_TIMEOUT };

/* What is to be done next if nothing happens, and when. */
static enum due next_due(const struct fdl_lwip_loss *l,
			 const struct tcp_pcb *pcb, u32_t *at)
{
	const u32_t timeout = l->rto_from + fdl_lwip_patience_timeout(&l->wait);
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

/* Split what is before from off the segment at *at, in whole units, as it went
 * out. Returns where the rest is; NULL: it cannot be. */
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
 * Have what one segment in flight has of a range sent again. Returns where that
 * ends; r.left: it cannot be now. A peer that reports single bytes gets no pieces
 * that are smaller than units.
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

/* Send again what is lost, up to so many bytes. Returns how many. */
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

/* RFC 8985: what is new tells of what is lost as well as what was last does. */
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

/* What could not be sent stays in flight, to be taken again, except when lwIP has
 * begun to probe a window that was taken back. */
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
	u32_t at;

	pcb->cwnd = t->cwnd;
	if (t->again)
		give_back(t, pcb);
	fdl_lwip_loss_sent(l, pcb, t->again, pcb->snd_nxt - t->nxt);
	if (is_lwips(pcb))
		return;
	pcb->rtime = 0;
	pcb->rto = (s16_t)LWIP_MIN(fdl_lwip_patience_timeout(&l->wait) /
						   TCP_SLOW_INTERVAL +
					   BEHIND,
				   0x7fff);
	next_due(l, pcb, &at);
	schedule(at, l->now);
}

static struct fdl_lwip_loss *find(struct tcp_pcb *pcb)
{
	struct fdl_lwip_loss *l = fdl_lwip_loss_find(pcb);

	if (l || !pcb->unsent)
		return l;
	return fdl_lwip_loss_new(pcb);
}

err_t tcp_output(struct tcp_pcb *pcb)
{
	struct turn t = { 0 };
	err_t err;

	if (pcb->state < ESTABLISHED || pcb == tcp_input_pcb)
		return fdl_lwip_plain_output(pcb);
	t.loss = find(pcb);
	if (!t.loss)
		return fdl_lwip_tso_output(pcb, false);
	begin(&t, pcb);
	err = fdl_lwip_tso_output(pcb, t.eager);
	end(&t, pcb);
	return err;
}

/*
 * Of a window without room for a unit lwIP takes care: it waits for it to open
 * with nothing in flight.
 */
static void time_out(struct fdl_lwip_loss *l, struct tcp_pcb *pcb)
{
	fdl_lwip_loss_time_out(l, pcb);
	pcb->rtime = 0;
	if (pcb->snd_wnd < fdl_lwip_tso_unit(pcb))
		tcp_rexmit_rto_prepare(pcb);
}

static void expire(struct fdl_lwip_loss *l, struct tcp_pcb *pcb)
{
	enum due due;
	u32_t at;

	due = next_due(l, pcb, &at);
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
		next_due(l, pcb, &at);
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
