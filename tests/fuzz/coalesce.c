/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: flags and limits, then packets: a control byte, a length of two bytes
 * (big), the frame. A packet whose control byte has FOLLOW is instead the one
 * before it, made into the next of its flow and its first bytes overwritten
 * with what comes: so that mutations reach packets that merge.
 *
 * Whatever comes out was put in, no packet has overtaken another of its flow,
 * and what was merged cuts into the packets it is made of: every byte of them,
 * except checksums and IPv4 ids.
 */
#include "../unit/recut.h"
#include "fuzz.h"
#include "next.h"
#include "offload/checksum.h"
#include "offload/datagrams.h"
#include "offload/outer.h"
#include "proto/tunnel.h"
#include "proto/udp.h"

enum {
	MAX_PACKETS = 64,
	MAX_PIECES = 3,
	SMALL_LEN = 3000,
	SMALL_PIECES = 5,

	/* of a packet's control byte, beside its link header */
	FOLLOW = 0x80,
	TRUSTED = 0x40,		/* the wire vouches for its checksum */
	OVERWRITE = 0x20,
	RIGHT = 0x10,		/* its checksums are made right */
	PIECES = 0x08,		/* it lies in several pieces */
	PARTIAL = 0x04,		/* its checksum is not complete; with RIGHT and
				 * TRUSTED, the one outside of it is not */

	/* of the first byte, beside flags of fdl_coalesce_init */
	SHORT = 0x40,
	FEW = 0x80,

	IN_UDP = FDL_COALESCE_UDP_TUNNEL | FDL_COALESCE_UDP_TUNNEL_SUM,
};

/* Where its headers are: those that are merged. */
struct place {
	enum fdl_refusal why;
	struct parsed p, outer;
	struct tunnel t;
	bool datagram;		/* a tunnel's, which is merged as such */
};

struct batch {
	struct fdl_coalesce_packet pkt[MAX_PACKETS];
	struct iovec iov[MAX_PACKETS][MAX_PIECES];
	uint8_t *frame[MAX_PACKETS];
	size_t len[MAX_PACKETS];
	int place[MAX_PACKETS];	/* how many came out before it */
	int n;
	uint32_t max_len;
	int max_pieces;
	unsigned flags;
};

static struct place find(const struct batch *b, const uint8_t *frame,
			 size_t avail, size_t len, unsigned link_len)
{
	struct place x = { 0 };
	unsigned flag;

	x.why = parse_frame(frame, avail, len, link_len, &x.p);
	x.outer = x.p;
	flag = x.p.next == 17 ? IN_UDP : FDL_COALESCE_IP_TUNNEL;
	if (b->flags & flag && (!x.why || x.why == FDL_REFUSE_TRANSPORT))
		x.why = tunnel_enter(frame, avail < len ? avail : len, x.why,
				     &x.p, &x.t);
	return x;
}

static void advance(const struct batch *b, uint8_t *frame, size_t len,
		    unsigned link_len)
{
	const struct place x = find(b, frame, len, len, link_len);

	if (x.why)
		return;
	make_next(frame, &x.p);
	if (x.t.n)
		count_id(frame + x.outer.l3, x.outer.version);
}

/* The checksum around a complete packet is not complete. */
static void leave_outside(uint8_t *frame, const struct tunnel *t,
			  struct fdl_offload *off)
{
	const unsigned i = t->n ? t->n - 1 : 0;
	const bool udp = t->is[i] == TUNNEL_UDP;
	uint8_t *field = frame + t->at[i] + (udp ? 6 : GRE_CHECK);

	if (t->is[i] < TUNNEL_UDP || (udp && !field[0] && !field[1]))
		return;
	if (!udp)
		memset(field, 0, 2);
	*off = (struct fdl_offload){
		.csum = FDL_CSUM_PARTIAL,
		.csum_start = t->at[i],
		.csum_offset = udp ? 6 : GRE_CHECK,
	};
}

/* Store the checksum of TCP or UDP, complete or that of the pseudo-header, and
 * those of the headers around it. */
static void set_checksum(const struct batch *b, uint8_t *frame, size_t len,
			 unsigned link_len, uint8_t control,
			 struct fdl_offload *off)
{
	const struct place x = find(b, frame, len, len, link_len);
	const bool outside = control & PARTIAL && control & TRUSTED && x.t.n;
	const struct outers o = { x.t.is, x.t.at, x.t.n, x.p.l4, 0 };
	uint16_t sum;

	if (x.why)
		return;
	if (x.p.version == 4)
		checksum_ip4(frame + x.p.l3);
	off->csum = FDL_CSUM_PARTIAL;
	off->csum_start = (uint16_t)x.p.l4;
	off->csum_offset = (uint16_t)parsed_check_offset(&x.p);
	sum = checksum_add(checksum_pseudo(frame, &x.p), x.p.end - x.p.l4);
	memcpy(frame + x.p.l4 + off->csum_offset, &sum, sizeof(sum));
	outer_write(&o, frame, x.outer.end, sum, 0, outside);
	if (!(control & PARTIAL) || outside)
		fdl_checksum_complete(frame, len, link_len, off);
	if (outside)
		leave_outside(frame, &x.t, off);
}

/* Each piece in a block of its own. The first one need not have all headers. */
static int make_pieces(const struct batch *b, struct iovec *iov, bool several)
{
	const uint8_t *bytes = b->frame[b->n];
	size_t left = b->len[b->n], n;
	int cnt = 0;

	do {
		n = several && cnt + 1 < MAX_PIECES ? left - left / 3 : left;
		iov[cnt].iov_base = exact_copy(bytes, n);
		iov[cnt++].iov_len = n;
		bytes += n;
		left -= n;
	} while (left);
	return cnt;
}

/* The frame itself. Returns how much of the input it took. */
static size_t take_bytes(struct batch *b, uint8_t control, const uint8_t *data,
			 size_t size, size_t len)
{
	struct fdl_coalesce_packet *pkt = &b->pkt[b->n];
	uint8_t **frame = &b->frame[b->n];

	len = len < size ? len : size;
	pkt->link_len = (uint8_t)link_len_of(control);
	if (!(control & FOLLOW && b->n)) {
		*frame = exact_copy(data, len);
		b->len[b->n] = len;
		return len;
	}
	len = control & OVERWRITE ? len : 0;
	b->len[b->n] = b->len[b->n - 1];
	len = len < b->len[b->n] ? len : b->len[b->n];
	*frame = exact_copy(frame[-1], b->len[b->n]);
	pkt->link_len = pkt[-1].link_len;
	advance(b, *frame, b->len[b->n], pkt->link_len);
	if (len)
		memcpy(*frame, data, len);
	return len;
}

/* Returns how much of the input the next packet took; 0: there is none. */
static size_t take(struct batch *b, const uint8_t *data, size_t size)
{
	const uint8_t control = size ? data[0] : 0;
	struct fdl_coalesce_packet *pkt = &b->pkt[b->n];
	size_t used = 3, len;

	if (size < used || b->n == MAX_PACKETS)
		return 0;
	len = (size_t)(data[1] << 8 | data[2]);
	used += take_bytes(b, control, data + used, size - used, len);
	pkt->off.csum = control & TRUSTED ? FDL_CSUM_VALID : FDL_CSUM_NONE;
	if (control & RIGHT)
		set_checksum(b, b->frame[b->n], b->len[b->n], pkt->link_len,
			     control, &pkt->off);
	pkt->iov = b->iov[b->n];
	pkt->cnt = make_pieces(b, b->iov[b->n], control & PIECES);
	pkt->user = (void *)(uintptr_t)b->n++;
	return used;
}

static int number(const struct fdl_coalesce_packet *pkt)
{
	return (int)(uintptr_t)pkt->user;
}

static void gathered_is_copied(const struct fdl_coalesced *out,
			       const uint8_t *copied)
{
	struct iovec iov[MAX_PACKETS * MAX_PIECES + 1];
	int cnt, i;

	cnt = fdl_coalesced_gather(out, iov, MAX_PACKETS * MAX_PIECES + 1);
	MUST(cnt >= 0);
	for (i = 0; i < cnt; copied += iov[i++].iov_len)
		MUST(!memcmp(copied, iov[i].iov_base, iov[i].iov_len));
}

static bool is_it(const uint8_t *was, const uint8_t *now, size_t len,
		  unsigned link_len, const struct fdl_offload *merged,
		  unsigned flags)
{
	if (!tunnel_of(merged))
		return recut_is(was, now, len, link_len, flags);
	return recut_is_inside(was, now, len, link_len, merged->csum_start,
			       flags);
}

/* It was merged inside UDP only because it can go as datagrams. */
static bool is_for_datagrams(const struct batch *b,
			     const struct fdl_segmenter *s)
{
	return (b->flags & IN_UDP) == FDL_COALESCE_UDP_TUNNEL_SUM &&
	       s->outers && s->outer_is[1] == TUNNEL_UDP;
}

/* partial: the last one to cut leaves the checksum to somebody else. */
static void cut_again(const struct batch *b, const struct fdl_coalesced *out,
		      const uint8_t *bytes, bool partial)
{
	const struct fdl_coalesce_packet *p = out->packets;
	const unsigned link_len = p->link_len;
	struct iovec iov = { (void *)(uintptr_t)bytes, out->len };
	struct fdl_segmenter s;
	struct fdl_offload off;
	uint8_t *cut;
	size_t len;

	MUST(!fdl_segment_start(&s, &iov, 1, link_len, &out->off,
				partial ? FDL_SEGMENT_PARTIAL : 0));
	MUST(!is_for_datagrams(b, &s) || datagrams_version(&s));
	for (; p; p = p->next) {
		len = fdl_segment_len(&s);
		MUST(len == b->len[number(p)]);
		cut = malloc(len);
		MUST(cut);
		MUST(fdl_segment_next(&s, cut, len, &off) == (int)len);
		MUST(!fdl_checksum_complete(cut, len, link_len, &off));
		MUST(is_it(b->frame[number(p)], cut, len, link_len, &out->off,
			   p->off.csum ? RECUT_TRUSTED : 0));
		free(cut);
	}
	MUST(!fdl_segment_len(&s));
}

static void look(const struct batch *b, const struct fdl_coalesced *out)
{
	const struct fdl_coalesce_packet *p = out->packets;
	uint8_t *bytes = malloc(out->len + 1u);
	int pieces = 0;

	MUST(p && bytes);
	MUST(fdl_coalesced_copy(out, bytes, out->len) == (int)out->len);
	gathered_is_copied(out, bytes);
	if (out->count > 1) {
		MUST(out->len <= b->max_len);
		do {
			pieces += p->cnt;
			p = p->next;
		} while (p);
		MUST(pieces <= b->max_pieces);
		cut_again(b, out, bytes, false);
		cut_again(b, out, bytes, true);
	} else {
		MUST(out->len == b->len[number(p)]);
		MUST(!memcmp(bytes, b->frame[number(p)], out->len));
		MUST(same_offload(&out->off, &p->off));
	}
	free(bytes);
}

/* What is inside is not looked at where only a datagram whose packet is not
 * complete would be entered. */
static bool stays_datagram(const struct batch *b, int i, const struct parsed *p)
{
	const struct fdl_offload *off = &b->pkt[i].off;

	return (b->flags & IN_UDP) == FDL_COALESCE_UDP_TUNNEL_SUM &&
	       p->next == UDP_PROTO &&
	       tunnel_reading(get_be16(b->frame[i] + p->l4 + UDP_DST)) !=
		       TUNNEL_READINGS &&
	       (off->csum != FDL_CSUM_PARTIAL || off->csum_start == p->l4);
}

static struct place find_at_hand(const struct batch *b, int i)
{
	const struct iovec *first = &b->iov[i][0];
	struct place x = { 0 };

	x.why = parse_frame(first->iov_base, first->iov_len, b->len[i],
			    b->pkt[i].link_len, &x.p);
	x.datagram = (!x.why || x.why == FDL_REFUSE_TRANSPORT) &&
		     stays_datagram(b, i, &x.p);
	if (x.datagram)
		return x;
	return find(b, first->iov_base, first->iov_len, b->len[i],
		    b->pkt[i].link_len);
}

static bool is_same_flow(const uint8_t *f, const struct parsed *p,
			 const uint8_t *g, const struct parsed *q)
{
	if (p->version != q->version || p->proto != q->proto)
		return false;
	return !memcmp(f + p->l4, g + q->l4, 4) &&
	       !memcmp(f + p->l3 + (p->version == 4 ? 12 : 8),
		       g + q->l3 + (q->version == 4 ? 12 : 8),
		       p->version == 4 ? 8 : 32);
}

/* Whether a later packet may come out first. It was merged then. The earlier
 * one must be of no flow at all, or of another; a fragment, or a packet whose
 * headers are not at hand, may be of any; one in a tunnel that cannot be gone
 * into, of any in tunnels; and so may be a tunnel's datagram, and what is in
 * another. */
static bool may_overtake(const struct batch *b, int earlier, int later)
{
	const struct place x = find_at_hand(b, earlier);
	const struct place y = find_at_hand(b, later);

	if ((x.datagram && y.t.n) || (x.t.n && y.datagram))
		return false;
	switch (x.why) {
	case FDL_REFUSE_NONE:
		return y.why || !is_same_flow(b->frame[earlier], &x.p,
					      b->frame[later], &y.p);
	case FDL_REFUSE_FRAGMENT:
	case FDL_REFUSE_HEADERS:
		return false;
	case FDL_REFUSE_TUNNEL:
		return !y.t.n && !y.datagram;
	default:
		return true;
	}
}

static void order_is_kept(const struct batch *b)
{
	int i, k;

	for (i = 0; i < b->n; i++)
		for (k = i + 1; k < b->n; k++)
			MUST(b->place[i] <= b->place[k] ||
			     may_overtake(b, i, k));
}

static void take_out(struct fdl_coalescer *c, struct batch *b)
{
	static struct fdl_coalesced out;
	const struct fdl_coalesce_packet *p;
	int first = -1, total = 0, last;

	while (fdl_coalesce_next(c, &out)) {
		MUST(first < number(out.packets));
		first = number(out.packets);
		for (p = out.packets, last = -1; p; p = p->next) {
			MUST(last < number(p));
			last = number(p);
			b->place[last] = first;
			total++;
		}
		look(b, &out);
	}
	MUST(total == b->n);
}

static void free_batch(struct batch *b)
{
	int i, k;

	for (i = 0; i < b->n; i++) {
		for (k = 0; k < b->pkt[i].cnt; k++)
			free(b->iov[i][k].iov_base);
		free(b->frame[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fdl_coalescer c;
	static struct batch b;
	size_t used;

	if (!size)
		return 0;
	memset(&b, 0, sizeof(b));
	b.flags = data[0];
	b.max_len = data[0] & SHORT ? SMALL_LEN : 65535;
	b.max_pieces = data[0] & FEW ? SMALL_PIECES : 1022;
	fdl_coalesce_init(&c, data[0], data[0] & SHORT ? SMALL_LEN : 0,
			  data[0] & FEW ? SMALL_PIECES : 0);
	for (data++, size--; (used = take(&b, data, size));) {
		fdl_coalesce_add(&c, &b.pkt[b.n - 1]);
		data += used;
		size -= used;
	}
	take_out(&c, &b);
	order_is_kept(&b);
	free_batch(&b);
	return 0;
}
