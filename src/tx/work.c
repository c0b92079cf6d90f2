/* SPDX-License-Identifier: Apache-2.0 */
#include "tx/work.h"

#include <errno.h>
#include <string.h>

#include "kind/kind.h"
#include "offload/check.h"
#include "offload/limits.h"
#include "offload/sctp.h"
#include "proto/eth.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/parse.h"
#include "proto/tunnel.h"

enum {
	TSO = FDL_OFFLOAD_TSO4 | FDL_OFFLOAD_TSO6 | FDL_OFFLOAD_TSO_ECN,
	USO = FDL_OFFLOAD_USO4 | FDL_OFFLOAD_USO6,
};

const struct verdict work_contradicts = {
	.action = DROP,
	.counter = TX_DROP_OFFLOAD,
	.result = -EINVAL,
	.text = "a packet was dropped: what it leaves undone contradicts its "
		"headers",
};

/* A kernel that does not know one is found out in flight. */
uint32_t work_offloads(const struct tx *tx)
{
	const uint32_t all = FDL_OFFLOAD_CSUM | TSO | USO;

	if (tx->hdr_len >= FDL_VNET_HDR_TUNNEL_LEN)
		return all | WORK_TUNNELS;
	return tx->hdr_len ? all : 0;
}

uint32_t work_takes(const struct tx *tx)
{
	return atomic_load_explicit(&tx->offloads, memory_order_relaxed) &
	       ~atomic_load_explicit(&tx->shared->tx_revoked,
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

/* The same of what lies in a tunnel. */
static uint32_t needs_inside(const uint8_t *frame, size_t avail, size_t len,
			     struct work *w)
{
	struct vnet_tunnel *t = &w->tunnel;
	uint32_t bits;

	if (!vnet_tunnel_describe(frame, avail, len, w->link_len, &w->off, t))
		return WORK_TUNNEL;
	bits = FDL_OFFLOAD_TUNNEL | needs(&w->off, t->inner_version);
	if (t->flags)
		bits |= FDL_OFFLOAD_TUNNEL_CSUM;
	if (t->sum_is_whole)
		bits |= WORK_OUTER_SUM;
	return bits;
}

/* The first bytes of a frame, in one piece: where they lie if they do. */
static const uint8_t *first_bytes(const struct frame *f,
				  uint8_t buf[FDL_HEADERS_MAX], size_t *avail,
				  size_t *len)
{
	size_t n, got = 0;
	int i;

	if (f->cnt == 1) {
		*avail = *len = f->iov->iov_len;
		return f->iov->iov_base;
	}
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
	return buf;
}

/* Only of what was merged the headers matter, and that begins with all of them
 * in one piece. */
static void recall(const struct frame *f, struct work *w)
{
	const uint8_t *bytes = f->iov->iov_base;

	w->off = *f->off;
	w->big = false;
	w->link_len = f->link_len;
	if (tunnel_of(&w->off))
		w->needs = needs_inside(bytes, f->iov->iov_len, frame_len(f),
					w);
	else
		w->needs = needs(&w->off,
				 w->off.gso ? bytes[w->link_len] >> 4 : 0);
}

/* Do bytes lie behind the IP packet? */
static bool has_trailer(const uint8_t *frame, size_t avail, size_t len,
			unsigned link_len)
{
	const uint8_t *ip = frame + link_len;
	struct parsed p;

	if (avail < IP4_MIN_LEN || link_len > avail - IP4_MIN_LEN)
		return false;
	/* Nearly always. */
	if (ip[0] >> 4 == 4 && ip4_total_len(ip) == len - link_len)
		return false;
	if (ip[0] >> 4 == 6 && ip6_payload_len(ip) + IP6_LEN == len - link_len)
		return false;
	parse_frame(frame, avail, len, link_len, &p);
	return p.version && p.end < len;
}

/* As fdl_offload_check. That no wire takes so many segments of UDP contradicts
 * nothing: they can be cut. And nobody can complete the checksum of SCTP. */
static bool check(const struct tx *tx, const uint8_t *frame, size_t avail,
		  size_t len, struct work *w)
{
	struct fdl_offload off = w->off;
	struct checked found;
	enum fdl_refusal why;

	w->needs = 0;
	why = offload_check(frame, avail, len, w->link_len, &w->off, &found);
	if (!why)
		return w->off.csum != FDL_CSUM_PARTIAL ||
		       !sctp_is_undone(&found.p, &w->off);
	if (why == FDL_REFUSE_TUNNEL)
		shared_tell_tunnel(tx->shared);
	if (off.gso != FDL_GSO_UDP || off.gso_size == 0 ||
	    off.gso_size > UINT16_MAX / WORK_RUN)
		return false;
	off.gso_size *= WORK_RUN;
	if (fdl_offload_check(frame, avail, len, w->link_len, &off) || !off.gso)
		return false;
	w->off = off;
	w->off.gso_size /= WORK_RUN;
	w->needs = WORK_TOO_MANY;
	return true;
}

/*
 * Whether BIG TCP goes whole. A device gets what is shorter than its
 * gso_max_size (gso_features_check in net/core/dev.c); the kernel would cut a
 * longer one into segments. IPv6 would be lost: on the way out Linux 6.18 takes
 * the hop-by-hop header off what a socket sent (ipv6_gso_segment), and on the
 * way in it wants one.
 */
static bool takes_big(const struct tx *tx, const uint8_t *frame, size_t len,
		      const struct work *w)
{
	return tx->io->kind->big && !tx->big_refused &&
	       frame[w->link_len] >> 4 == 4 && !tunnel_of(&w->off) &&
	       len < atomic_load_explicit(&tx->shared->gso_max4,
					  memory_order_relaxed);
}

/* Whether the datagrams of a super-packet are for a tunnel. */
static bool is_into_tunnel(const uint8_t *frame, const struct fdl_offload *off)
{
	return off->gso == FDL_GSO_UDP && !tunnel_of(off) &&
	       off->csum == FDL_CSUM_PARTIAL &&
	       tunnel_has_port(frame + off->csum_start);
}

/* The bits of what no wire takes over. */
static uint32_t needs_us(const struct tx *tx, const uint8_t *frame,
			 size_t avail, size_t len, const struct work *w)
{
	uint32_t bits = 0;

	if (w->big && !takes_big(tx, frame, len, w))
		bits |= WORK_BIG;
	/* The wire would sum it, and send it as payload. */
	if (has_trailer(frame, avail, len, w->link_len))
		bits |= WORK_TRAILER;
	if (w->off.gso && w->off.gso != FDL_GSO_UDP &&
	    w->off.gso_size < MIN_TCP_GSO_SIZE)
		bits |= WORK_TOO_SMALL;
	if (tx->shared->tunnels_apart && is_into_tunnel(frame, &w->off))
		bits |= WORK_LOST_INSIDE;
	return bits;
}

bool work_judge(const struct tx *tx, const struct frame *f, struct work *w)
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
	if (!check(tx, frame, avail, len, w))
		return false;
	if (tunnel_of(&w->off))
		w->needs |= needs_inside(frame, avail, len, w);
	else
		w->needs |= needs(&w->off, avail > w->link_len ?
						   frame[w->link_len] >> 4 :
						   0);
	w->big = w->off.gso && len > (size_t)UINT16_MAX + w->link_len;
	if (w->needs)
		w->needs |= needs_us(tx, frame, avail, len, w);
	return true;
}

enum tx_fit work_to_defer(struct tx *tx, const struct frame *f,
			  struct fdl_offload *off, uint8_t *link_len,
			  const struct verdict **why)
{
	struct work w;

	*why = &work_contradicts;
	if (!work_judge(tx, f, &w))
		return TX_NEVER;
	if (w.needs & (WORK_TRAILER | WORK_LOST_INSIDE) ||
	    !work_fits_mtu(tx, frame_len(f), w.link_len))
		return TX_UNCUT;
	*off = w.off;
	*link_len = (uint8_t)w.link_len;
	return TX_FITS;
}

bool work_passes(struct tx *tx, const struct frame *f, struct fdl_offload *off)
{
	struct work w;

	if (f->off->gso || !work_judge(tx, f, &w) || w.needs & ~work_takes(tx))
		return false;
	*off = w.off;
	return true;
}

unsigned work_merges(const struct tx *tx)
{
	unsigned flags = shared_merges(tx->shared, work_takes(tx));

	if (!work_knows_datagrams(tx))
		flags &= ~(unsigned)FDL_COALESCE_UDP_TUNNEL_SUM;
	return flags | FDL_COALESCE_ANY_ID;
}
