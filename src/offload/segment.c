/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cutting. The headers are copied once and patched for each segment; a cursor
 * walks over the caller's pieces of payload once. A packet that is no
 * super-packet is cut into one segment: its "headers" then reach as far as its
 * checksum field, or are empty.
 */
#include <errno.h>
#include <string.h>

#include <fdlink/offload.h>

#include "offload/check.h"
#include "offload/checksum.h"
#include "offload/jumbo.h"
#include "offload/outer.h"
#include "offload/sctp.h"
#include "offload/segment.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/parse.h"
#include "proto/tcp.h"
#include "proto/tunnel.h"
#include "proto/udp.h"

static size_t pieces_len(const struct iovec *iov, int cnt)
{
	size_t len = 0;
	int i;

	for (i = 0; i < cnt; i++)
		len += iov[i].iov_len;
	return len;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Move the cursor n bytes on, and past pieces that have no more bytes. */
static void advance(struct fdl_segmenter *s, size_t n)
{
	s->at.skip += n;
	while (s->at.cnt > 0 && s->at.skip >= s->at.iov->iov_len) {
		s->at.skip -= s->at.iov->iov_len;
		s->at.iov++;
		s->at.cnt--;
	}
}

static void copy(struct fdl_segmenter *s, uint8_t *to, size_t len)
{
	size_t n;

	for (; len; len -= n, to += n) {
		n = min_size(len, s->at.iov->iov_len - s->at.skip);
		memcpy(to, (const uint8_t *)s->at.iov->iov_base + s->at.skip,
		       n);
		advance(s, n);
	}
}

static void start_super(struct fdl_segmenter *s, const struct parsed *p,
			const struct fdl_offload *off)
{
	s->hdr_len = off->hdr_len;
	s->l3 = (uint16_t)p->l3;
	s->l4 = (uint16_t)p->l4;
	s->version = p->version;
	s->gso = off->gso;
	s->size = off->gso_size;
	s->unit = off->gso_size;
	s->ecn = off->ecn;
	s->left = p->end - p->payload;
	s->csum_start = s->l4;
	s->csum_offset = (uint16_t)parsed_check_offset(p);
	s->csum = checksum_super(s->hdr, p, off);
	s->id = get_be16(s->hdr + s->l3 + IP4_ID);
	if (off->gso == FDL_GSO_UDP)
		return;
	s->seq = get_be32(s->hdr + s->l4 + TCP_SEQ);
	s->tcp_flags = s->hdr[s->l4 + TCP_FLAGS];
}

static void start_outer(struct fdl_segmenter *s, const struct tunnel *t)
{
	s->tunnel = (uint8_t)t->l4;
	s->outers = (uint8_t)t->n;
	memcpy(s->outer_is, t->is, sizeof(s->outer_is));
	memcpy(s->outer_at, t->at, sizeof(s->outer_at));
}

/* Begin to cut a packet that stays one: nothing changes except a partial
 * checksum. */
static enum fdl_refusal start_single(struct fdl_segmenter *s, size_t len,
				     const struct parsed *p,
				     const struct fdl_offload *off)
{
	size_t hdr_len = 0, end = len;

	if (off->csum == FDL_CSUM_PARTIAL) {
		hdr_len = (size_t)off->csum_start + off->csum_offset + 2;
		end = checksum_partial_end(s->hdr, len, p, off->csum_start);
	}
	if (hdr_len > sizeof(s->hdr) || hdr_len > end)
		return FDL_REFUSE_HEADERS;
	s->hdr_len = (uint16_t)hdr_len;
	s->left = (uint32_t)(len - hdr_len);
	s->size = s->left;
	s->summed = (uint32_t)(end - hdr_len);
	return FDL_REFUSE_NONE;
}

enum fdl_refusal fdl_segment_start(struct fdl_segmenter *s,
				   const struct iovec *iov, int cnt,
				   unsigned link_len,
				   const struct fdl_offload *off,
				   unsigned flags)
{
	const size_t len = pieces_len(iov, cnt);
	const size_t avail = min_size(len, sizeof(s->hdr));
	struct fdl_offload o = *off;
	unsigned stripped = 0;
	struct checked found;
	enum fdl_refusal why;

	memset(s, 0, offsetof(struct fdl_segmenter, hdr));
	s->done = true;
	s->at.iov = iov;
	s->at.cnt = cnt;
	advance(s, 0);
	copy(s, s->hdr, avail);
	why = offload_check(s->hdr, avail, len, link_len, &o, &found);
	if (why)
		return why;
	if (o.csum == FDL_CSUM_PARTIAL && sctp_is_undone(&found.p, &o))
		return FDL_REFUSE_TRANSPORT;
	s->csum_start = o.csum_start;
	s->csum_offset = o.csum_offset;
	s->undone = o.csum;
	if (o.csum == FDL_CSUM_PARTIAL || o.gso) {
		s->complete = !(flags & FDL_SEGMENT_PARTIAL);
		s->undone = s->complete ? FDL_CSUM_VALID : FDL_CSUM_PARTIAL;
	}
	if (tunnel_of(&o))
		start_outer(s, &found.t);
	if (o.gso) {
		stripped = jumbo_strip(s->hdr, avail, &found.p, &o);
		start_super(s, &found.p, &o);
	} else {
		why = start_single(s, len, &found.p, &o);
	}
	s->done = why || !len;
	s->at.iov = iov;
	s->at.cnt = cnt;
	s->at.skip = 0;
	advance(s, s->hdr_len + stripped);
	return why;
}

size_t fdl_segment_len(const struct fdl_segmenter *s)
{
	if (s->done)
		return 0;
	return s->hdr_len + min_size(s->left, s->size);
}

void segment_in_runs(struct fdl_segmenter *s, unsigned gso_size, unsigned n)
{
	s->unit = (uint16_t)gso_size;
	s->size = gso_size * n;
}

/* How many segments n bytes of payload are. */
static unsigned run(const struct fdl_segmenter *s, size_t n)
{
	return s->unit ? (unsigned)((n + s->unit - 1) / s->unit) : 1;
}

unsigned segment_run(const struct fdl_segmenter *s)
{
	return s->done ? 0 : run(s, min_size(s->left, s->size));
}

static void patch_ip(const struct fdl_segmenter *s, uint8_t *hdr, size_t len)
{
	uint8_t *ip = hdr + s->l3;

	if (s->version == 4) {
		put_be16(ip + IP4_TOTAL_LEN, (unsigned)(len - s->l3));
		put_be16(ip + IP4_ID, s->id);
		checksum_ip4(ip);
	} else {
		put_be16(ip + IP6_PAYLOAD_LEN,
			 (unsigned)(len - s->l3 - IP6_LEN));
	}
}

static void patch_tcp(const struct fdl_segmenter *s, uint8_t *tcp, bool last)
{
	uint8_t flags = s->tcp_flags;

	if (!last)
		flags &= (uint8_t) ~(TCP_FLAG_FIN | TCP_FLAG_PSH);
	tcp[TCP_FLAGS] = flags;
	put_be32(tcp + TCP_SEQ, s->seq);
}

static void write_outer(const struct fdl_segmenter *s, uint8_t *hdr,
			unsigned len, uint16_t inner, bool several)
{
	const struct outers o = {
		.is = s->outer_is,
		.at = s->outer_at,
		.n = s->outers,
		.l4 = s->l4,
	};
	const unsigned gone = s->id - get_be16(s->hdr + s->l3 + IP4_ID);

	outer_write(&o, hdr, len, inner, gone, several);
}

/* Write the headers of the next segment, which has n bytes of payload. */
static void write_headers(const struct fdl_segmenter *s, uint8_t *hdr, size_t n)
{
	const unsigned len = (unsigned)(s->hdr_len + n);
	uint16_t sum;

	memcpy(hdr, s->hdr, s->hdr_len);
	if (!s->gso)
		return;
	patch_ip(s, hdr, len);
	if (s->gso == FDL_GSO_UDP)
		put_be16(hdr + s->l4 + UDP_TOTAL_LEN, len - s->l4);
	else
		patch_tcp(s, hdr + s->l4, n == s->left);
	sum = checksum_add(s->csum, len - s->l4);
	memcpy(hdr + s->l4 + s->csum_offset, &sum, sizeof(sum));
	if (s->outers)
		write_outer(s, hdr, len, sum, run(s, n) > 1);
}

/* Complete the checksum of a segment; payload is the sum of the bytes that
 * follow the headers. */
static void complete(const struct fdl_segmenter *s, uint8_t *hdr,
		     uint16_t payload)
{
	const unsigned len = s->hdr_len - s->csum_start;
	uint16_t sum;

	if (len & 1)
		payload = (uint16_t)(payload << 8 | payload >> 8);
	sum = fdl_checksum_sum(hdr + s->csum_start, len, payload);
	checksum_store(hdr + s->csum_start + s->csum_offset, sum,
		       !s->gso || s->gso == FDL_GSO_UDP);
}

/* Returns how many of the next n bytes of payload the checksum covers. */
static size_t covered(const struct fdl_segmenter *s, size_t n)
{
	return s->gso ? n : s->summed;
}

/* Note that n bytes of payload were cut. */
static void step(struct fdl_segmenter *s, size_t n, struct fdl_offload *off)
{
	s->left -= (uint32_t)n;
	s->done = !s->left;
	s->seq += (uint32_t)n;
	s->id = (uint16_t)(s->id + run(s, n));
	/* Without ecn it is a bit of AccECN's counter, and each segment's. */
	if (s->ecn)
		s->tcp_flags &= (uint8_t)~TCP_FLAG_CWR;
	if (!off)
		return;
	*off = (struct fdl_offload){ .csum = s->undone };
	if (s->undone != FDL_CSUM_PARTIAL)
		return;
	off->csum_start = s->csum_start;
	off->csum_offset = s->csum_offset;
	if (run(s, n) == 1)
		return;
	off->gso = s->gso;
	off->gso_size = s->unit;
	off->ecn = s->ecn;
	off->hdr_len = s->hdr_len;
	off->ecn_tunnel_[1] = s->tunnel;
}

int fdl_segment_next(struct fdl_segmenter *s, uint8_t *buf, size_t size,
		     struct fdl_offload *off)
{
	const size_t len = fdl_segment_len(s);
	const size_t n = len - s->hdr_len;

	if (!len)
		return 0;
	if (len > size)
		return -EMSGSIZE;
	write_headers(s, buf, n);
	copy(s, buf + s->hdr_len, n);
	if (s->complete)
		complete(s, buf,
			 fdl_checksum_sum(buf + s->hdr_len, covered(s, n), 0));
	step(s, n, off);
	return (int)len;
}

/* Put the pieces of the next n bytes into iov. Returns how many, or -EMSGSIZE:
 * more than max. */
static int slice(struct fdl_segmenter *s, size_t n, struct iovec *iov, int max)
{
	int cnt;

	for (cnt = 0; n; cnt++) {
		if (cnt >= max)
			return -EMSGSIZE;
		iov[cnt].iov_base = (uint8_t *)s->at.iov->iov_base + s->at.skip;
		iov[cnt].iov_len = min_size(n, s->at.iov->iov_len - s->at.skip);
		n -= iov[cnt].iov_len;
		advance(s, iov[cnt].iov_len);
	}
	return cnt;
}

int fdl_segment_gather(struct fdl_segmenter *s, uint8_t hdr[FDL_HEADERS_MAX],
		       struct iovec *iov, int max, struct fdl_offload *off)
{
	const size_t len = fdl_segment_len(s);
	const size_t n = len - s->hdr_len;
	const int first = s->hdr_len ? 1 : 0;
	const struct fdl_cursor was = s->at;
	int cnt;

	if (!len)
		return 0;
	cnt = max < first ? -EMSGSIZE : slice(s, n, iov + first, max - first);
	if (cnt < 0) {
		s->at = was;
		return cnt;
	}
	if (first) {
		iov[0].iov_base = hdr;
		iov[0].iov_len = s->hdr_len;
	}
	write_headers(s, hdr, n);
	if (s->complete)
		complete(s, hdr,
			 fdl_checksum_iov(iov + first, cnt, 0, covered(s, n),
					  0));
	step(s, n, off);
	return first + cnt;
}
