/* SPDX-License-Identifier: Apache-2.0 */
#include "rx/cut.h"

#include "offload/segment.h"
#include "packet/pool.h"
#include "proto/tunnel.h"

enum {
	/* Bytes of payload: fewer are not worth a header of their own. */
	MIN_SEGMENT = 8,
};

/* The stack takes super-packets of this kind whole; none with a whole
 * checksum. */
static bool is_taken(const struct rx *rx, const struct fdl_offload *off)
{
	const uint32_t takes = off->gso == FDL_GSO_UDP ? FDL_RX_USO :
							 FDL_RX_GSO;

	if (tunnel_of(off) && !(rx->shared->opts.flags & FDL_RX_TUNNEL))
		return false;
	return rx->shared->opts.flags & takes && off->csum == FDL_CSUM_PARTIAL;
}

/* BIG TCP: the stack takes none, or none that is so long. */
static bool is_too_long(const struct rx *rx, const struct fdl_packet *pkt)
{
	return pkt->len > (uint32_t)UINT16_MAX + pkt->link_len &&
	       pkt->len > rx->shared->opts.gso_max_size;
}

bool cut_is_due(const struct rx *rx, const struct fdl_packet *pkt)
{
	return pkt->off.gso &&
	       (!is_taken(rx, &pkt->off) || is_too_long(rx, pkt));
}

/* The wire may have a larger MTU than the link: make segments of TCP fit. The
 * size of a datagram is the sender's choice, and stays. */
static void fit_to_mtu(const struct rx *rx, struct fdl_offload *off,
		       unsigned link_len)
{
	const uint32_t max = rx->shared->opts.mtu + link_len;
	const uint32_t hdr_len = off->hdr_len;

	if (off->gso == FDL_GSO_UDP || max < hdr_len + MIN_SEGMENT)
		return;
	if (off->gso_size > max - hdr_len)
		off->gso_size = (uint16_t)(max - hdr_len);
}

void cut_end(struct rx *rx)
{
	fdl_release(&rx->super, 1);
	rx->super = NULL;
}

/* It is only too long: its pieces are super-packets again, as long as can
 * be. */
static void cut_long(struct rx *rx, const struct fdl_packet *pkt)
{
	const unsigned link_len = pkt->link_len, size = pkt->off.gso_size;
	const unsigned most = (UINT16_MAX + link_len - pkt->off.hdr_len) / size;

	if (most && is_taken(rx, &pkt->off))
		segment_in_runs(&rx->segmenter, size, most);
}

void cut_begin(struct rx *rx, struct fdl_packet *pkt)
{
	const bool partial = rx->shared->opts.flags & FDL_RX_CSUM;

	fit_to_mtu(rx, &pkt->off, pkt->link_len);
	rx->super = pkt;
	rx->super_bytes = (struct iovec){ pkt->data, pkt->len };
	if (!fdl_segment_start(&rx->segmenter, &rx->super_bytes, 1,
			       pkt->link_len, &pkt->off,
			       partial ? FDL_SEGMENT_PARTIAL : 0)) {
		count(rx->counters, RX_GSO_CUT, 1);
		cut_long(rx, pkt);
		return;
	}
	count(rx->counters, RX_DROP_VNET_HDR, 1);
	cut_end(rx);
}

bool cut_is_left(const struct rx *rx)
{
	return fdl_segment_len(&rx->segmenter);
}

static void describe_segment(struct fdl_packet *pkt,
			     const struct fdl_packet *super, int len)
{
	pkt->len = (uint32_t)len;
	pkt->tail -= (uint32_t)len;
	pkt->protocol = super->protocol;
	pkt->link_len = super->link_len;
	pkt->type = super->type;
	pkt->hash = super->hash;
	pkt->tstamp_ns = super->tstamp_ns;
}

void cut_next(struct rx *rx, struct fdl_packet *pkt)
{
	int len;

	pool_reset(rx->io->pool, pkt);
	len = fdl_segment_next(&rx->segmenter, pkt->data, pkt->tail, &pkt->off);
	describe_segment(pkt, rx->super, len);
}
