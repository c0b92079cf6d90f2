/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip_loss.h"

#if FDL_LWIP_LOSS

#include <string.h>

#include <lwip/mem.h>
#include <lwip/sys.h>

/* RFC 5681: so many duplicate acknowledgements mean a loss. */
enum { DUP_THRESH = 3 };

static void destroy(u8_t id, void *data)
{
	LWIP_UNUSED_ARG(id);
	mem_free(data);
}

static const struct tcp_ext_arg_callbacks callbacks = { .destroy = destroy };

/* The index of our extension argument. A process has one lwIP. */
static u8_t place = LWIP_TCP_PCB_NUM_EXT_ARG_ID_INVALID;

struct fdl_lwip_loss *fdl_lwip_loss_find(const struct tcp_pcb *pcb)
{
	if (place == LWIP_TCP_PCB_NUM_EXT_ARG_ID_INVALID)
		return NULL;
	return pcb->ext_args[place].data;
}

struct fdl_lwip_loss *fdl_lwip_loss_new(struct tcp_pcb *pcb)
{
	struct fdl_lwip_loss *l = mem_malloc(sizeof(*l));

	if (!l)
		return NULL;
	if (place == LWIP_TCP_PCB_NUM_EXT_ARG_ID_INVALID)
		place = tcp_ext_arg_alloc_id();
	memset(l, 0, sizeof(*l));
	l->una = l->lost = l->again = pcb->lastack;
	l->recover = pcb->lastack - 1;
	l->rto_from = l->last = sys_now();
	tcp_ext_arg_set_callbacks(pcb, place, &callbacks);
	tcp_ext_arg_set(pcb, place, l);
	return l;
}

static u32_t later(u32_t a, u32_t b)
{
	return TCP_SEQ_LT(a, b) ? b : a;
}

static u32_t earlier(u32_t a, u32_t b)
{
	return TCP_SEQ_LT(a, b) ? a : b;
}

static u32_t lacking(const struct fdl_lwip_loss *l, u32_t left, u32_t right)
{
	const struct fdl_lwip_range r = { left, right };

	if (!TCP_SEQ_LT(left, right))
		return 0;
	if (!l->sack.n)
		return right - left;
	return right - left - fdl_lwip_sack_bytes(&l->sack, r);
}

static void be_whole(struct fdl_lwip_loss *l)
{
	l->state = FDL_LWIP_WHOLE;
	l->lost = l->again = l->una;
}

/* Everything that was sent again had arrived before: there was no loss. */
static void undo(struct fdl_lwip_loss *l, struct tcp_pcb *pcb)
{
	pcb->ssthresh = (tcpwnd_size_t)LWIP_MAX(l->old_ssthresh,
						(u32_t)pcb->ssthresh);
	pcb->cwnd = (tcpwnd_size_t)LWIP_MAX(l->old_cwnd, (u32_t)pcb->cwnd);
	l->old_cwnd = 0;
	be_whole(l);
}

/* The peer says that bytes came twice. That tells something only if we sent
 * bytes twice, since the wire may duplicate packets, too. */
static void note_twice(struct fdl_lwip_loss *l, struct tcp_pcb *pcb,
		       u32_t bytes)
{
	const bool probe = l->probe_is_old;

	l->probe_is_old = 0;
	if (l->doubted <= 0)
		return;
	l->doubted -= (s32_t)LWIP_MIN(bytes, (u32_t)l->doubted);
	if (!probe)
		fdl_lwip_patience_late(
			&l->wait,
			l->wait.late + LWIP_MAX(l->wait.min_rtt / 4, 1U));
	if (!l->doubted && l->old_cwnd)
		undo(l, pcb);
}

/* RFC 2883: the first block may be one that came before. */
static bool is_twice(const struct fdl_lwip_range block[], unsigned n, u32_t ack)
{
	if (TCP_SEQ_LT(block[0].left, ack))
		return TCP_SEQ_LEQ(block[0].right, ack) &&
		       TCP_SEQ_LT(block[0].left, block[0].right);
	return n > 1 && TCP_SEQ_LEQ(block[1].left, block[0].left) &&
	       TCP_SEQ_LEQ(block[0].right, block[1].right) &&
	       TCP_SEQ_LT(block[0].left, block[0].right);
}

/*
 * The first hole was sent again. If data arrives that was sent after that, and
 * the hole is still there, it was lost again. Returns how many such bytes of r
 * are new.
 */
static u32_t telling(const struct fdl_lwip_loss *l, struct fdl_lwip_range r)
{
	const u32_t again = earlier(l->again, l->mark);

	if (TCP_SEQ_GEQ(l->una, l->again))
		return 0;
	return lacking(l, later(r.left, l->mark), r.right) +
	       lacking(l, r.left, earlier(r.right, again));
}

/* Returns how many bytes of the blocks were not known. */
static u32_t note_blocks(struct fdl_lwip_loss *l, const struct tcp_pcb *pcb,
			 const struct fdl_lwip_range block[], unsigned n,
			 u32_t ack)
{
	u32_t sum = 0;
	unsigned i;

	for (i = 0; i < n; i++) {
		if (!TCP_SEQ_LT(block[i].left, block[i].right) ||
		    !TCP_SEQ_LT(ack, block[i].left) ||
		    TCP_SEQ_LT(pcb->snd_nxt, block[i].right))
			continue;
		l->since_mark += telling(l, block[i]);
		sum += fdl_lwip_sack_add(&l->sack, block[i]);
	}
	return sum;
}

static void note_sack(struct fdl_lwip_loss *l, struct tcp_pcb *pcb, u32_t ack,
		      const u8_t *options, unsigned len)
{
	struct fdl_lwip_range block[FDL_LWIP_SACK_BLOCKS];
	const unsigned n = fdl_lwip_sack_read(options, len, block);
	const bool known = l->sack.n;
	u32_t news;

	if (!n)
		return;
	if (is_twice(block, n, ack))
		note_twice(l, pcb, block[0].right - block[0].left);
	news = note_blocks(l, pcb, block, n, ack);
	if (!news)
		return;
	l->delivered += news;
	if (l->dups < 0xff)
		l->dups++;
	if (!known)
		l->hole_at = sys_now();
}

/* RFC 5681: the segment tells nothing except what is acknowledged. */
static bool is_duplicate(const struct tcp_pcb *pcb, const struct tcp_hdr *hdr,
			 u16_t payload)
{
	return pcb->unacked && hdr->ackno == pcb->lastack && !payload &&
	       !(TCPH_FLAGS(hdr) & (TCP_SYN | TCP_FIN)) &&
	       (u32_t)SND_WND_SCALE(pcb, hdr->wnd) == pcb->snd_wnd;
}

static void note(struct fdl_lwip_loss *l, struct tcp_pcb *pcb,
		 const struct tcp_hdr *hdr, const u8_t *options, unsigned len,
		 u16_t payload)
{
	if (!(TCPH_FLAGS(hdr) & TCP_ACK) ||
	    TCP_SEQ_LT(hdr->ackno, pcb->lastack) ||
	    TCP_SEQ_GT(hdr->ackno, pcb->snd_nxt))
		return;
	/* So that lwIP does not begin a retransmission of its own. */
	pcb->dupacks = 0;
	if (pcb->flags & TF_SACK) {
		note_sack(l, pcb, hdr->ackno, options, len);
	} else if (is_duplicate(pcb, hdr, payload) && l->dups < 0xff) {
		l->dups++;
		l->delivered += pcb->mss;
	}
}

void fdl_lwip_loss_note(struct fdl_lwip_loss *l, struct tcp_pcb *pcb,
			const struct tcp_hdr *hdr, u16_t optlen, u16_t opt1len,
			const u8_t *opt2, u16_t payload)
{
	u8_t options[TCP_MAX_OPTION_BYTES];

	if (!opt2) {
		note(l, pcb, hdr, (const u8_t *)(hdr + 1), optlen, payload);
		return;
	}
	if (optlen > sizeof(options) || opt1len > optlen)
		return;
	memcpy(options, hdr + 1, opt1len);
	memcpy(options + opt1len, opt2, (size_t)(optlen - opt1len));
	note(l, pcb, hdr, options, optlen, payload);
}

static u32_t half(const struct tcp_pcb *pcb)
{
	const u32_t wnd = LWIP_MIN(pcb->cwnd, pcb->snd_wnd);

	return LWIP_MAX(wnd / 2, 2U * pcb->mss);
}

/* If a probe sent old bytes, and the peer did not have them, then there was a
 * loss, which counts for the congestion window. */
static void end_probe(struct fdl_lwip_loss *l, struct tcp_pcb *pcb)
{
	if (TCP_SEQ_LT(l->probe_end, l->una) && l->probe_is_old) {
		pcb->ssthresh = (tcpwnd_size_t)half(pcb);
		pcb->cwnd = pcb->ssthresh;
		l->probe_is_old = 0;
	}
	l->probed = PROBE_NOT;
}

/* The peer has reported something, and now has all below una. */
static void shrink_reports(struct fdl_lwip_loss *l, u32_t una)
{
	/* The first hole was filled, though we had not sent it again. */
	if (TCP_SEQ_LEQ(l->again, l->una) &&
	    TCP_SEQ_GEQ(una, l->sack.range[0].left))
		fdl_lwip_patience_late(
			&l->wait,
			LWIP_MAX(l->wait.late, l->now - l->hole_at + 1));
	fdl_lwip_sack_trim(&l->sack, una);
	/* RFC 2018, section 8: the peer reported these bytes, and now lacks the
	 * first of them. So it has thrown them away. */
	if (l->sack.n && l->sack.range[0].left == una)
		l->sack.n = 0;
}

static void advance(struct fdl_lwip_loss *l, struct tcp_pcb *pcb)
{
	const u32_t now = l->now, una = pcb->lastack;
	u32_t news = lacking(l, l->una, una);

	if (!(pcb->flags & TF_SACK))
		news -= LWIP_MIN(news, (u32_t)l->dups * pcb->mss);
	l->delivered += news;
	/* RFC 3465, section 2.3: one segment is the limit after a timeout.
	 * lwIP has added two. */
	if (l->state == FDL_LWIP_TIMED_OUT && pcb->cwnd > l->cwnd + pcb->mss)
		pcb->cwnd = (tcpwnd_size_t)(l->cwnd + pcb->mss);
	if (l->sack.n)
		shrink_reports(l, una);
	if (l->wait.timing && TCP_SEQ_LT(l->wait.timed, una))
		fdl_lwip_patience_measure(&l->wait, now);
	l->una = una;
	l->lost = later(l->lost, una);
	l->again = later(l->again, una);
	l->mark = pcb->snd_nxt;
	l->since_mark = 0;
	l->dups = 0;
	l->wait.backoff = 0;
	l->hole_at = l->rto_from = l->last = now;
	end_probe(l, pcb);
	if (l->state != FDL_LWIP_WHOLE && TCP_SEQ_GEQ(una, l->recover))
		l->state = FDL_LWIP_WHOLE;
}

/* Returns the sequence number below which all that the peer lacks is lost. */
static u32_t find_lost(const struct fdl_lwip_loss *l, const struct tcp_pcb *pcb)
{
	const u32_t waited = l->now - l->hole_at;
	const u32_t enough = (DUP_THRESH - 1U) * pcb->mss;
	u32_t first;

	if (!(pcb->flags & TF_SACK)) {
		if (l->state == FDL_LWIP_MENDING ||
		    (l->dups >= DUP_THRESH && TCP_SEQ_GT(l->una, l->recover)))
			return l->una +
			       LWIP_MIN((u32_t)pcb->mss, pcb->snd_nxt - l->una);
		return l->una;
	}
	if (!l->sack.n || (waited < l->wait.late))
		return l->una;
	first = l->una;
	if (l->dups >= DUP_THRESH || waited >= fdl_lwip_patience_hole(&l->wait))
		first = l->sack.range[0].left;
	return later(first, fdl_lwip_sack_above(&l->sack, enough, l->una));
}

/* The congestion window to go back to is the one before the first loss. */
static void begin_mending(struct fdl_lwip_loss *l, struct tcp_pcb *pcb,
			  enum fdl_lwip_mending state)
{
	if (l->state == FDL_LWIP_WHOLE) {
		l->old_cwnd = pcb->cwnd;
		l->old_ssthresh = pcb->ssthresh;
		l->doubted = 0;
		if (l->wait.late_for && !--l->wait.late_for)
			l->wait.late = 0;
	}
	pcb->ssthresh = (tcpwnd_size_t)half(pcb);
	l->state = state;
	l->recover = pcb->snd_nxt;
	l->flight = LWIP_MAX(pcb->snd_nxt - l->una, 1U);
	l->prr_delivered = 0;
	l->prr_out = 0;
	l->room = 0;
}

void fdl_lwip_loss_judge(struct fdl_lwip_loss *l, struct tcp_pcb *pcb)
{
	l->now = sys_now();
	if (pcb->lastack != l->una)
		advance(l, pcb);
	else if (l->delivered)
		l->last = l->now;
	l->lost = later(l->lost, find_lost(l, pcb));
	if (l->since_mark > (DUP_THRESH - 1U) * pcb->mss) {
		l->again = l->una;
		l->since_mark = 0;
	}
	if (l->state == FDL_LWIP_WHOLE && TCP_SEQ_LT(l->again, l->lost))
		begin_mending(l, pcb, FDL_LWIP_MENDING);
	/* lwIP has let it grow meanwhile. */
	if (l->state == FDL_LWIP_MENDING) {
		pcb->cwnd = pcb->ssthresh;
		pcb->bytes_acked = 0;
	}
}

/* Returns how many bytes are on their way. */
static u32_t under_way(const struct fdl_lwip_loss *l, const struct tcp_pcb *pcb)
{
	const u32_t sent = lacking(l, l->una, pcb->snd_nxt);
	const u32_t gone = lacking(l, l->again, l->lost) +
			   ((pcb->flags & TF_SACK) ? 0 : l->dups * pcb->mss);

	return sent - LWIP_MIN(sent, gone);
}

static u32_t less(u32_t a, u32_t b)
{
	return a > b ? a - b : 0;
}

/* RFC 6937 */
static u32_t reduce(struct fdl_lwip_loss *l, const struct tcp_pcb *pcb,
		    u16_t unit)
{
	const u32_t out = under_way(l, pcb), wnd = pcb->ssthresh;
	/* RFC 6582: after a partial acknowledgement the next segment is sent
	 * again. */
	const bool first = !l->prr_out ||
			   (!(pcb->flags & TF_SACK) && l->again == l->una);
	u32_t most;

	if (l->delivered) {
		l->prr_delivered += l->delivered;
		most = less(l->prr_delivered, l->prr_out);
		most = LWIP_MAX(most, l->delivered) + pcb->mss;
		l->room = LWIP_MIN(less(wnd, out), most);
		if (out > wnd)
			l->room = less((u32_t)(((u64_t)l->prr_delivered * wnd +
						l->flight - 1) /
					       l->flight),
				       l->prr_out);
	}
	return first ? LWIP_MAX(l->room, (u32_t)unit) : l->room;
}

u32_t fdl_lwip_loss_room(struct fdl_lwip_loss *l, const struct tcp_pcb *pcb,
			 u16_t unit)
{
	u32_t room;

	if (l->state == FDL_LWIP_MENDING)
		room = reduce(l, pcb, unit);
	else
		room = less(pcb->cwnd, under_way(l, pcb));
	l->delivered = 0;
	return room;
}

void fdl_lwip_loss_sent(struct fdl_lwip_loss *l, struct tcp_pcb *pcb,
			u32_t again, u32_t first)
{
	l->cwnd = pcb->cwnd;
	if (!again && !first)
		return;
	if (l->state != FDL_LWIP_WHOLE) {
		l->prr_out += again + first;
		l->room = less(l->room, again + first);
	}
	l->doubted += (s32_t)again;
	if (again)
		l->wait.timing = 0;
	/* While there are holes, an acknowledgement waits for them: it would
	 * not measure a round trip. */
	if (first && !l->wait.timing && l->state == FDL_LWIP_WHOLE &&
	    !l->sack.n) {
		l->wait.timing = 1;
		l->wait.timed = pcb->snd_nxt - first;
		l->wait.timed_at = l->now;
	}
	if (again || pcb->snd_nxt - first == l->una)
		l->rto_from = l->now;
	l->last = l->now;
}

void fdl_lwip_loss_time_out(struct fdl_lwip_loss *l, struct tcp_pcb *pcb)
{
	/* At the second timeout the reports are not believed any more, for a
	 * peer may throw away what it has reported. */
	if (l->wait.backoff)
		l->sack.n = 0;
	if (!l->wait.backoff)
		begin_mending(l, pcb, FDL_LWIP_TIMED_OUT);
	l->state = FDL_LWIP_TIMED_OUT;
	l->recover = l->lost = l->mark = pcb->snd_nxt;
	l->again = l->una;
	l->since_mark = 0;
	l->dups = 0;
	l->wait.timing = 0;
	l->probe_is_old = 0;
	if (l->wait.backoff < 0xff)
		l->wait.backoff++;
	l->rto_from = sys_now();
	pcb->cwnd = pcb->mss;
	pcb->bytes_acked = 0;
	pcb->rttest = 0;
	if (pcb->nrtx < 0xff)
		pcb->nrtx++;
}

#endif
