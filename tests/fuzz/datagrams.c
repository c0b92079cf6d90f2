/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: how many datagrams at most, how many pieces at most, where the bytes
 * lie in pieces (in units of 64; 0: in one), a control byte, how long at most
 * (two bytes, big), how much longer the payload is than what comes (two bytes,
 * big, in units of two), then that of segment. What is longer has the lengths
 * to it in all headers: so that mutations reach super-packets of many segments.
 *
 * What goes as datagrams of super-packets is cut, by whoever is told what the
 * virtio header says, into what a complete cut makes. They are as many as the
 * limits let them be.
 */
#include "offload/datagrams.h"

#include "fuzz.h"
#include "offload/limits.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/parse.h"
#include "proto/tunnel.h"
#include "proto/udp.h"

enum {
	OPTIONS = 8,
	MAX_FRAME = 220000,
	MAX_PIECES = MAX_FRAME / 64 + 2,
	PIECE_UNIT = 64,

	/* of the control byte */
	PARTIAL = 0x01,		/* the wire completes checksums */
};

struct input {
	struct vnet_input in;
	struct datagrams d;
	struct iovec iov[MAX_PIECES];
	int cnt;
	unsigned flags;
};

static uint8_t hdr[MAX_UDP_SEGMENTS][FDL_HEADERS_MAX];
static struct iovec pieces[MAX_PIECES];

/* The length that the header of that kind has in it. One of IP is 0 if the
 * packet is longer than it can say. */
static void put_len(uint8_t *h, unsigned is, size_t len)
{
	const unsigned big = is < TUNNEL_UDP && len > UINT16_MAX;
	const unsigned n = big ? 0 : (unsigned)len;

	if (is == TUNNEL_IP4)
		put_be16(h + IP4_TOTAL_LEN, n);
	else if (is == TUNNEL_IP6)
		put_be16(h + IP6_PAYLOAD_LEN, n ? n - IP6_LEN : 0);
	else if (is == TUNNEL_UDP)
		put_be16(h + UDP_TOTAL_LEN, n);
}

static void put_lens(const struct vnet_input *in, const struct parsed *p,
		     const struct tunnel *t)
{
	uint8_t *f = in->frame;
	unsigned i;

	for (i = 0; i < t->n; i++)
		put_len(f + t->at[i], t->is[i], in->len - t->at[i]);
	put_len(f + p->l3, p->version == 4 ? TUNNEL_IP4 : TUNNEL_IP6,
		in->len - p->l3);
	if (p->proto == UDP_PROTO)
		put_len(f + p->l4, TUNNEL_UDP, in->len - p->l4);
}

/* Returns whether it passes the check as before. */
static bool lengthen(struct vnet_input *in, size_t more)
{
	struct parsed p;
	struct tunnel t;
	uint8_t *longer;
	size_t i;

	if (!tunnel_of(&in->off) || !more)
		return true;
	MUST(!tunnel_parse(in->frame, in->len, in->len, in->link_len,
			   in->off.csum_start, &p, &t));
	longer = malloc(p.end + more);
	MUST(longer);
	memcpy(longer, in->frame, p.end);
	for (i = 0; i < more; i++)
		longer[p.end + i] = (uint8_t)(i * 7 + i / 251);
	free(in->frame);
	in->frame = longer;
	in->len = p.end + more;
	put_lens(in, &p, &t);
	return !fdl_offload_check(longer, in->len, in->len, in->link_len,
				  &in->off);
}

static void lay_out(struct input *x, size_t unit)
{
	size_t at, n;

	for (at = 0; at < x->in.len; at += n) {
		n = x->in.len - at;
		if (unit && n > unit)
			n = unit;
		MUST(x->cnt < MAX_PIECES);
		x->iov[x->cnt++] = (struct iovec){ x->in.frame + at, n };
	}
}

/* The version of an outer IP header that UDP with a checksum follows, if there
 * is a tunnel. */
static unsigned version_of(const struct vnet_input *in)
{
	struct parsed p;

	parse_frame(in->frame, in->len, in->len, in->link_len, &p);
	if (!tunnel_of(&in->off) || p.next != UDP_PROTO ||
	    !get_be16(in->frame + p.l4 + UDP_CHECK))
		return 0;
	return p.version;
}

static uint8_t *join(const struct iovec *v, int cnt, size_t *len)
{
	uint8_t *bytes;
	size_t at = 0;
	int i;

	for (*len = 0, i = 0; i < cnt; i++)
		*len += v[i].iov_len;
	bytes = malloc(*len + 1);
	MUST(bytes);
	for (i = 0; i < cnt; at += v[i++].iov_len)
		memcpy(bytes + at, v[i].iov_base, v[i].iov_len);
	return bytes;
}

/* As a wire is told of it. */
static struct fdl_offload tell(const struct fdl_offload *off)
{
	struct fdl_offload told = { 0 };
	uint8_t vnet[FDL_VNET_HDR_LEN];

	fdl_vnet_hdr_encode(vnet, sizeof(vnet), FDL_ORDER_NATIVE, off);
	MUST(!fdl_vnet_hdr_decode(vnet, sizeof(vnet), FDL_ORDER_NATIVE, &told));
	MUST(!tunnel_of(off) && same_offload(off, &told));
	return told;
}

/* The frame is cut into the next n segments of want. */
static void cut_again(struct iovec frame, unsigned link_len,
		      const struct fdl_offload *off, struct fdl_segmenter *want,
		      unsigned n)
{
	static uint8_t a[MAX_FRAME], b[MAX_FRAME];
	struct fdl_offload told = tell(off);
	struct fdl_segmenter s;
	int len;

	MUST(!fdl_offload_check(frame.iov_base, frame.iov_len, frame.iov_len,
				link_len, &told));
	MUST(same_offload(off, &told));
	MUST(!fdl_segment_start(&s, &frame, 1, link_len, &told, 0));
	while (n-- > 0) {
		len = fdl_segment_next(want, a, sizeof(a), NULL);
		MUST(len > 0);
		MUST(fdl_segment_next(&s, b, sizeof(b), NULL) == len);
		MUST(!memcmp(a, b, (size_t)len));
	}
	MUST(!fdl_segment_len(&s));
}

/* s has no segment that could be one more of those n, which have len bytes. */
static void are_all(const struct datagrams *d, const struct fdl_segmenter *s,
		    int cnt, unsigned n, size_t len)
{
	const size_t around = s->outer_at[1] + UDP_LEN;
	struct fdl_segmenter next = *s;
	uint8_t spare[FDL_HEADERS_MAX];

	MUST(n == d->most || !fdl_segment_len(s) ||
	     len + fdl_segment_len(s) - around > d->longest ||
	     fdl_segment_gather(&next, spare, d->iov + cnt, d->max - cnt,
				NULL) < 0);
}

/* Not even one segment has its place in the pieces that there may be. */
static void is_refused(const struct datagrams *d, struct fdl_segmenter *s,
		       struct fdl_segmenter *want, int why)
{
	static uint8_t segment[MAX_FRAME];
	struct fdl_segmenter alone = *s;

	MUST(why < 0 && why == fdl_segment_gather(&alone, d->hdr[0], d->iov,
						  d->max, NULL));
	MUST(fdl_segment_next(s, segment, sizeof(segment), NULL) > 0);
	MUST(fdl_segment_next(want, segment, sizeof(segment), NULL) > 0);
}

static void send_all(const struct input *x, struct fdl_segmenter *s,
		     struct fdl_segmenter *want)
{
	const struct datagrams *d = &x->d;
	struct fdl_offload off;
	uint8_t *bytes;
	size_t len;
	unsigned n;
	int cnt;

	while (fdl_segment_len(s)) {
		cnt = datagrams_gather(s, d, &off, &n);
		if (cnt <= 0) {
			is_refused(d, s, want, cnt);
			continue;
		}
		MUST(cnt <= d->max && n && n <= d->most);
		bytes = join(d->iov, cnt, &len);
		MUST(n == 1 || len <= d->longest);
		cut_again((struct iovec){ bytes, len }, x->in.link_len, &off,
			  want, n);
		free(bytes);
		are_all(d, s, cnt, n, len);
	}
	MUST(!fdl_segment_len(want));
}

static void try(struct input *x)
{
	struct fdl_segmenter s, want;

	if (fdl_segment_start(&s, x->iov, x->cnt, x->in.link_len, &x->in.off,
			      x->flags))
		return;
	MUST(datagrams_version(&s) == version_of(&x->in));
	if (!datagrams_version(&s))
		return;
	MUST(!fdl_segment_start(&want, x->iov, x->cnt, x->in.link_len,
				&x->in.off, 0));
	datagrams_begin(&s);
	send_all(x, &s, &want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct input x;
	size_t more;

	if (size < OPTIONS + VNET_INPUT_MIN || size > 70000)
		return 0;
	x.cnt = 0;
	x.flags = data[3] & PARTIAL ? FDL_SEGMENT_PARTIAL : 0;
	x.d = (struct datagrams){
		.most = 1 + data[0] % MAX_UDP_SEGMENTS,
		.longest = get_be16(data + 4),
		.hdr = hdr,
		.iov = pieces,
		.max = 1 + data[1] * 4,
	};
	more = (size_t)get_be16(data + 6) * 2;
	if (!vnet_input(&x.in, data + OPTIONS, size - OPTIONS) &&
	    lengthen(&x.in, more)) {
		lay_out(&x, (size_t)data[2] * PIECE_UNIT);
		try(&x);
	}
	free(x.in.frame);
	return 0;
}
