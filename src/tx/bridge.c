/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between frames and messages. A frame whose work the wire takes goes as it is,
 * with the work in its virtio-net header. Else it is cut, in one segment if
 * only the checksum is missing: no byte of the caller's is written to, for the
 * frame may come back to him.
 */
#include "tx/bridge.h"

#include <errno.h>
#include <string.h>

#include "offload/sctp.h"
#include "proto/eth.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/parse.h"

enum {
	TSO = FDL_OFFLOAD_TSO4 | FDL_OFFLOAD_TSO6 | FDL_OFFLOAD_TSO_ECN,
	USO = FDL_OFFLOAD_USO4 | FDL_OFFLOAD_USO6,
	TRAILER = 1 << 30,	/* a need that no wire has an offload for */
};

static const struct verdict contradiction = {
	.action = DROP,
	.counter = TX_DROP_OFFLOAD,
	.result = -EINVAL,
	.text = "a packet was dropped: what it leaves undone contradicts its "
		"headers",
};

static const struct verdict too_long = {
	.action = DROP,
	.counter = TX_DROP_TOO_LONG,
	.result = -EMSGSIZE,
	.text = "a packet was dropped: too long to complete its checksum",
};

/* A frame's work, checked. */
struct work {
	struct fdl_offload off;
	unsigned link_len;
	uint32_t needs;			/* FDL_OFFLOAD_ bits */
};

/* A kernel that does not know one is found out in flight. */
uint32_t bridge_offloads(const struct io *io)
{
	return io->vnet_hdr_len ? FDL_OFFLOAD_CSUM | TSO | USO : 0;
}

uint32_t bridge_takes(const struct tx *tx)
{
	return tx->offloads & ~atomic_load_explicit(&tx->shared->tx_revoked,
						    memory_order_relaxed);
}

static uint32_t gso_needs(const struct fdl_offload *off, unsigned version)
{
	switch (off->gso) {
	case FDL_GSO_TCPV4:
		return FDL_OFFLOAD_TSO4;
	case FDL_GSO_TCPV6:
		return FDL_OFFLOAD_TSO6;
	case FDL_GSO_UDP:
		return version == 4 ? FDL_OFFLOAD_USO4 : FDL_OFFLOAD_USO6;
	default:
		return 0;
	}
}

static uint32_t needs(const struct fdl_offload *off, unsigned version)
{
	uint32_t bits = gso_needs(off, version);

	if (off->csum == FDL_CSUM_PARTIAL || bits)
		bits |= FDL_OFFLOAD_CSUM;
	if (off->gso && off->ecn)
		bits |= FDL_OFFLOAD_TSO_ECN;
	return bits;
}

/* The first bytes of a frame, in one piece: where they lie if they do. */
static const uint8_t *first_bytes(const struct frame *f,
				  uint8_t buf[FDL_HEADERS_MAX], size_t *avail,
				  size_t *len)
{
	size_t n, got = 0;
	int i;

	*len = 0;
	for (i = 0; i < f->cnt; i++) {
		n = f->iov[i].iov_len;
		*len += n;
		if (n > FDL_HEADERS_MAX - got)
			n = FDL_HEADERS_MAX - got;
		if (n)
			memcpy(buf + got, f->iov[i].iov_base, n);
		got += n;
	}
	*avail = got;
	if (f->cnt != 1)
		return buf;
	*avail = *len;
	return f->iov->iov_base;
}

/* Only of what was merged the version matters, and that begins with its headers
 * in one piece. */
static void recall(const struct frame *f, struct work *w)
{
	const uint8_t *bytes = f->iov->iov_base;

	w->off = *f->off;
	w->link_len = f->link_len;
	w->needs = needs(&w->off, w->off.gso ? bytes[w->link_len] >> 4 : 0);
}

/* Do bytes lie behind the IP packet? */
static bool has_trailer(const uint8_t *frame, size_t avail, size_t len,
			unsigned link_len)
{
	const uint8_t *ip = frame + link_len;
	struct parsed p;

	if (avail < link_len + IP4_MIN_LEN)
		return false;
	/* Nearly always. */
	if (ip[0] >> 4 == 4 && ip4_total_len(ip) == len - link_len)
		return false;
	if (ip[0] >> 4 == 6 && ip6_payload_len(ip) + IP6_LEN == len - link_len)
		return false;
	parse_frame(frame, avail, len, link_len, &p);
	return p.version && p.end < len;
}

/* False: its work contradicts it. */
static bool judge(const struct tx *tx, const struct frame *f, struct work *w)
{
	uint8_t buf[FDL_HEADERS_MAX];
	const uint8_t *frame;
	struct eth_view eth;
	size_t avail, len;

	if (f->judged) {
		recall(f, w);
		return true;
	}
	frame = first_bytes(f, buf, &avail, &len);
	w->link_len = 0;
	if (tx->shared->opts.flags & FDL_ETHERNET &&
	    eth_parse(frame, avail, &eth))
		w->link_len = eth.hdr_len;
	w->off = (struct fdl_offload){ 0 };
	if (f->off)
		w->off = *f->off;
	if (fdl_offload_check(frame, avail, len, w->link_len, &w->off) ||
	    sctp_is_undone(frame, avail, len, w->link_len, &w->off))
		return false;
	w->needs = needs(&w->off,
			 avail > w->link_len ? frame[w->link_len] >> 4 : 0);
	/* The wire would sum it, and send it as payload. */
	if (w->needs && has_trailer(frame, avail, len, w->link_len))
		w->needs |= TRAILER;
	return true;
}

enum tx_fit bridge_judge(struct tx *tx, const struct frame *f,
			 struct fdl_offload *off, uint8_t *link_len,
			 const struct verdict **why)
{
	struct work w;

	*why = &contradiction;
	if (!judge(tx, f, &w))
		return TX_NEVER;
	if (w.needs & TRAILER)
		return TX_UNCUT;
	*off = w.off;
	*link_len = (uint8_t)w.link_len;
	return TX_FITS;
}

bool bridge_passes(struct tx *tx, const struct frame *f,
		   struct fdl_offload *off)
{
	struct work w;

	if (f->off->gso || !judge(tx, f, &w) || w.needs & ~bridge_takes(tx))
		return false;
	*off = w.off;
	return true;
}

unsigned bridge_merges(const struct tx *tx)
{
	const uint32_t tcp = FDL_OFFLOAD_CSUM | FDL_OFFLOAD_TSO4 |
			     FDL_OFFLOAD_TSO6;
	const uint32_t udp = FDL_OFFLOAD_CSUM | USO;
	unsigned flags = FDL_COALESCE_ANY_ID;

	if ((bridge_takes(tx) & tcp) == tcp)
		flags |= FDL_COALESCE_TCP;
	if ((bridge_takes(tx) & udp) == udp)
		flags |= FDL_COALESCE_UDP;
	return flags;
}

/* A segment into one piece, where it may have no more. */
static int flatten(struct tx *tx, struct fdl_segmenter *s, struct msghdr *msg,
		   struct fdl_offload *off)
{
	struct tx_batch *out = tx->out;
	const unsigned room = tx->io->vnet_hdr_len;
	int r;

	r = fdl_segment_next(s, out->scratch + room,
			     sizeof(out->scratch) - room, off);
	if (r < 0)
		return r;
	out->merged = true;
	if (tx->io->max_pieces > 1 || !room) {
		msg->msg_iov[msg->msg_iovlen++] =
			(struct iovec){ out->scratch + room, (size_t)r };
		return 0;
	}
	fdl_vnet_hdr_encode(out->hdr[out->n], FDL_VNET_HDR_LEN, tx->io->order,
			    off);
	memcpy(out->scratch, out->hdr[out->n], room);
	msg->msg_iov[0] = (struct iovec){ out->scratch, room + (size_t)r };
	return 0;
}

/* Gather the next segment. Nothing is said of why one never can. */
static enum tx_fit emit(struct tx *tx, struct fdl_segmenter *s)
{
	struct tx_batch *out = tx->out;
	struct msghdr *msg = tx_begin(tx, NULL);
	struct fdl_offload off;
	unsigned used, max;
	int r;

	if (!msg || out->pieces + tx->io->max_pieces > TX_PIECES)
		return TX_FULL;
	used = (unsigned)msg->msg_iovlen;
	max = tx->io->max_pieces;
	r = max < 2 ? -EMSGSIZE :
		      fdl_segment_gather(s, out->head[out->n],
					 msg->msg_iov + used, (int)(max - used),
					 &off);
	if (r > 0) {
		msg->msg_iovlen += (size_t)r;
	} else {
		if (out->merged)
			return TX_FULL;
		if (flatten(tx, s, msg, &off))
			return TX_NEVER;
	}
	if (used && off.csum == FDL_CSUM_PARTIAL)
		fdl_vnet_hdr_encode(out->hdr[out->n], FDL_VNET_HDR_LEN,
				    tx->io->order, &off);
	tx_end(tx, 1, false);
	return TX_FITS;
}

static unsigned cut_flags(const struct tx *tx)
{
	return bridge_takes(tx) & FDL_OFFLOAD_CSUM ? FDL_SEGMENT_PARTIAL : 0;
}

enum tx_fit bridge_add(struct tx *tx, const struct frame *f,
		       const struct verdict **why)
{
	struct fdl_segmenter s;
	enum tx_fit fit;
	struct work w;

	*why = &contradiction;
	if (!judge(tx, f, &w))
		return TX_NEVER;
	if (!(w.needs & ~bridge_takes(tx)) &&
	    (!w.off.gso || w.off.csum == FDL_CSUM_PARTIAL))
		return tx_gather(tx, f, &w.off, why);
	if (w.off.gso)
		return TX_UNCUT;
	if (fdl_segment_start(&s, f->iov, f->cnt, w.link_len, &w.off, 0))
		return TX_NEVER;
	*why = &too_long;
	fit = emit(tx, &s);
	if (fit == TX_FITS)
		tx->out->weight[tx->out->n - 1] = f->weight;
	return fit;
}

/* Pass over segments that went: they are cut again, as the cutter cannot go
 * back. */
static void pass_over(struct tx *tx, unsigned n)
{
	while (n-- > 0)
		fdl_segment_next(&tx->cut, tx->out->scratch,
				 sizeof(tx->out->scratch), NULL);
}

/* Send segments until there are none, or *why. Returns how many are gone. */
static unsigned drive(struct tx *tx, const struct verdict **why)
{
	struct fdl_segmenter was;
	unsigned gone, total = 0;

	while (fdl_segment_len(&tx->cut) && !*why) {
		was = tx->cut;
		while (fdl_segment_len(&tx->cut) &&
		       emit(tx, &tx->cut) == TX_FITS)
			;
		tx_push(tx, &gone, why);
		total += gone;
		if (*why) {
			tx->cut = was;
			pass_over(tx, gone);
		}
	}
	if (tx->counted)
		count(tx->counters, TX_SEGMENTS, total);
	return total;
}

/* The payload not yet sent moves to where it can stay. */
static void keep_rest(struct tx *tx)
{
	const struct iovec *iov = tx->cut.at.iov;
	size_t skip = tx->cut.at.skip, n, len = 0;

	for (; len < tx->cut.left; iov++, skip = 0) {
		n = iov->iov_len - skip;
		if (n > tx->cut.left - len)
			n = tx->cut.left - len;
		memmove(tx->out->rest + len, (uint8_t *)iov->iov_base + skip,
			n);
		len += n;
	}
	tx->rest_bytes = (struct iovec){ tx->out->rest, len };
	tx->cut.at = (struct fdl_cursor){ .iov = &tx->rest_bytes, .cnt = 1 };
	tx->cutting = true;
}

static unsigned count_rest(struct tx *tx)
{
	unsigned n = 0;

	while (fdl_segment_next(&tx->cut, tx->out->scratch,
				sizeof(tx->out->scratch), NULL) > 0)
		n++;
	return n;
}

void bridge_lose(struct tx *tx, const struct verdict *why)
{
	unsigned n = tx->cutting ? count_rest(tx) : 0;

	if (!n)
		return;
	tx_drop(tx, why, n);
	if (tx->counted)
		count(tx->counters, TX_SEGMENTS, n);
	tx->cutting = false;
}

static bool cut(struct tx *tx, const struct frame *f, struct work *w,
		const struct verdict **why)
{

	if (!judge(tx, f, w) ||
	    fdl_segment_start(&tx->cut, f->iov, f->cnt, w->link_len, &w->off,
			      cut_flags(tx))) {
		tx_drop(tx, &contradiction, f->weight);
		return true;
	}
	/* What was merged from packets becomes them again. */
	tx->counted = f->weight == 1;
	if (!drive(tx, why))
		return false;
	if (tx->counted)
		count(tx->counters, TX_GSO_CUT, 1);
	if (*why)
		keep_rest(tx);
	if (*why && (*why)->action == END)
		bridge_lose(tx, *why);
	return true;
}

bool bridge_cut(struct tx *tx, const struct frame *f,
		const struct verdict **why)
{
	struct work w;

	return cut(tx, f, &w, why);
}

static void revoke(struct tx *tx, const struct work *w)
{
	uint32_t bits = w->needs & (TSO | USO);

	bits &= ~atomic_fetch_or_explicit(&tx->shared->tx_revoked, bits,
					  memory_order_relaxed);
	if (!bits)
		return;
	count(tx->counters, TX_OFFLOAD_REVOKED, 1);
	log_say(&tx->shared->log, FDL_LOG_WARNING,
		"the kernel refuses super-packets "
		"(FDL_OFFLOAD bits %#x) whose segments it takes: from now on "
		"they are cut in software",
		bits);
}

bool bridge_cut_refused(struct tx *tx, const struct frame *f,
			const struct verdict **why)
{
	const uint64_t before = counted(tx->counters, TX_PACKETS);
	struct work w;
	bool gone;

	gone = cut(tx, f, &w, why);
	if (counted(tx->counters, TX_PACKETS) > before)
		revoke(tx, &w);
	return gone;
}

void bridge_finish(struct tx *tx, const struct verdict **why)
{

	drive(tx, why);
	if (!*why)
		tx->cutting = false;
	else if ((*why)->action == END)
		bridge_lose(tx, *why);
}
