/* SPDX-License-Identifier: Apache-2.0 */
#include "offload/check.h"

#include "offload/jumbo.h"
#include "offload/limits.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/sctp.h"
#include "proto/tcp.h"
#include "proto/udp.h"

/* The IP version and the protocol that each kind of super-packet must have.
 * Version 0: either. */
static const struct {
	uint8_t version;
	uint8_t proto;
} kinds[] = {
	[FDL_GSO_TCPV4] = { 4, TCP_PROTO },
	[FDL_GSO_TCPV6] = { 6, TCP_PROTO },
	[FDL_GSO_UDP] = { 0, UDP_PROTO },
};

static const char *const refusal_names[] = {
	[FDL_REFUSE_NONE] = "none",
	[FDL_REFUSE_SHORT] = "short",
	[FDL_REFUSE_HEADERS] = "headers",
	[FDL_REFUSE_NOT_IP] = "not-ip",
	[FDL_REFUSE_IP] = "ip",
	[FDL_REFUSE_FRAGMENT] = "fragment",
	[FDL_REFUSE_TRANSPORT] = "transport",
	[FDL_REFUSE_GSO_TYPE] = "gso-type",
	[FDL_REFUSE_GSO_SIZE] = "gso-size",
	[FDL_REFUSE_GSO_CSUM] = "gso-csum",
	[FDL_REFUSE_CSUM_START] = "csum-start",
	[FDL_REFUSE_CSUM_OFFSET] = "csum-offset",
	[FDL_REFUSE_TUNNEL] = "tunnel",
};

const char *fdl_refusal_name(enum fdl_refusal why)
{
	if ((unsigned)why > FDL_REFUSE_TUNNEL)
		return NULL;
	return refusal_names[why];
}

/* The sum may start deeper than the transport header, for a tunnel hides
 * another one behind it. It may not start in a header that routers change. */
static enum fdl_refusal check_csum(const struct fdl_offload *off, size_t len,
				   unsigned link_len, const struct parsed *p)
{
	size_t first = link_len;

	if (p->version) {
		first = p->l3 + (p->version == 4 ? IP4_MIN_LEN : IP6_LEN);
		len = p->end;
	}
	if (off->csum_start < first || off->csum_start >= len)
		return FDL_REFUSE_CSUM_START;
	if (p->proto && off->csum_start < p->l4)
		return FDL_REFUSE_CSUM_START;
	if ((size_t)off->csum_start + off->csum_offset + 2 > len)
		return FDL_REFUSE_CSUM_OFFSET;
	if (p->proto && off->csum_start == p->l4 &&
	    off->csum_offset != parsed_check_offset(p))
		return FDL_REFUSE_CSUM_OFFSET;
	if (p->next == SCTP_PROTO && off->csum_start == p->l4 &&
	    p->end - p->l4 < SCTP_MIN_LEN)
		return FDL_REFUSE_CSUM_OFFSET;
	return FDL_REFUSE_NONE;
}

static enum fdl_refusal check_size(const struct fdl_offload *off,
				   uint32_t payload)
{
	const uint32_t most = off->gso == FDL_GSO_UDP ? MAX_UDP_SEGMENTS :
							MAX_TCP_SEGMENTS;

	if (off->gso_size == 0 || off->gso_size == GSO_BY_FRAGS)
		return FDL_REFUSE_GSO_SIZE;
	if (payload > off->gso_size * most)
		return FDL_REFUSE_GSO_SIZE;
	return FDL_REFUSE_NONE;
}

static enum fdl_refusal check_gso(const struct fdl_offload *off,
				  const uint8_t *frame, const struct parsed *p)
{
	const bool partial = off->csum == FDL_CSUM_PARTIAL;

	if (off->gso > FDL_GSO_UDP || kinds[off->gso].proto != p->proto)
		return FDL_REFUSE_GSO_TYPE;
	if (kinds[off->gso].version && kinds[off->gso].version != p->version)
		return FDL_REFUSE_GSO_TYPE;
	if (p->proto == UDP_PROTO) {
		if (off->csum == FDL_CSUM_NONE)
			return FDL_REFUSE_GSO_CSUM;
		if (udp_total_len(frame + p->l4) != p->end - p->l4)
			return FDL_REFUSE_TRANSPORT;
	}
	if (!partial && p->routed)
		return FDL_REFUSE_GSO_CSUM;
	if (partial && off->csum_start != p->l4)
		return FDL_REFUSE_CSUM_START;
	if (p->payload > FDL_HEADERS_MAX)
		return FDL_REFUSE_HEADERS;
	if (!jumbo_is_right(frame, p))
		return FDL_REFUSE_IP;
	return check_size(off, p->end - p->payload);
}

/* A segment would be longer than its outermost IP header can say. Only BIG TCP
 * is longer than that itself. */
static bool is_segment_too_long(const uint8_t *frame, unsigned link_len,
				const struct fdl_offload *off,
				const struct parsed *p)
{
	const unsigned fixed = frame[link_len] >> 4 == 6 ? IP6_LEN : 0;

	return p->end - p->payload > off->gso_size &&
	       p->payload - link_len - fixed + off->gso_size > UINT16_MAX;
}

/* Where a super-packet lies in a tunnel, its header speaks of the packet inside
 * (virtio_net_hdr_from_skb of include/linux/virtio_net.h). */
static enum fdl_refusal parse(const uint8_t *frame, size_t avail, size_t len,
			      unsigned link_len, const struct fdl_offload *off,
			      struct checked *found)
{
	found->t.n = 0;
	if (off->gso && off->csum == FDL_CSUM_PARTIAL)
		return tunnel_parse(frame, avail, len, link_len,
				    off->csum_start, &found->p, &found->t);
	return parse_frame(frame, avail, len, link_len, &found->p);
}

/* What is left to do, once the check has passed. */
static void describe(struct fdl_offload *off, const struct checked *found)
{
	const struct parsed *p = &found->p;
	const struct tunnel *t = &found->t;

	if (off->csum != FDL_CSUM_PARTIAL)
		off->csum_start = off->csum_offset = 0;
	if (off->gso && (t->n || p->end - p->payload > off->gso_size)) {
		off->hdr_len = (uint16_t)p->payload;
		off->ecn_tunnel_[1] = t->n ? (uint8_t)t->l4 : 0;
		return;
	}
	off->gso = FDL_GSO_NONE;
	off->gso_size = 0;
	off->hdr_len = 0;
	off->ecn = 0;
	off->ecn_tunnel_[1] = 0;
}

enum fdl_refusal offload_check(const uint8_t *frame, size_t avail, size_t len,
			       unsigned link_len, struct fdl_offload *off,
			       struct checked *found)
{
	const struct parsed *p = &found->p;
	enum fdl_refusal parse_why, why;

	if (off->csum != FDL_CSUM_PARTIAL && !off->gso) {
		*off = (struct fdl_offload){ .csum = off->csum };
		return FDL_REFUSE_NONE;
	}
	parse_why = parse(frame, avail, len, link_len, off, found);
	if (parse_why == FDL_REFUSE_TUNNEL)
		return parse_why;
	if (off->csum == FDL_CSUM_PARTIAL) {
		why = check_csum(off, len, link_len, p);
		if (why)
			return why;
	}
	if (off->gso) {
		why = parse_why ? parse_why : check_gso(off, frame, p);
		if (why)
			return why;
		if (is_segment_too_long(frame, link_len, off, p))
			return FDL_REFUSE_GSO_SIZE;
		if (found->t.n && jumbo_is_outside(frame, link_len, p))
			return FDL_REFUSE_TUNNEL;
	}
	describe(off, found);
	return FDL_REFUSE_NONE;
}

enum fdl_refusal fdl_offload_check(const uint8_t *frame, size_t avail,
				   size_t len, unsigned link_len,
				   struct fdl_offload *off)
{
	struct checked found;

	return offload_check(frame, avail, len, link_len, off, &found);
}
