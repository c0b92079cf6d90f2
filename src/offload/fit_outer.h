/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies in front of the IP packets that are merged: the link header, and in
 * a tunnel all of its headers. Bytes in front must be the same in all packets,
 * except lengths, ids and checksums of outer headers. head and pkt are as in
 * fit.h.
 */
#ifndef FDL_OFFLOAD_FIT_OUTER_H
#define FDL_OFFLOAD_FIT_OUTER_H

#include <stdbool.h>
#include <string.h>

#include <fdlink/offload.h>

#include "offload/outer.h"
#include "proto/eth.h"

/* As fit_same_front; also where there is no tunnel. */
bool fit_same_outer(const struct fdl_coalesce_packet *head,
		    const struct fdl_coalesce_packet *pkt);

/* Both have the same bytes in front, except those that may differ. */
static inline bool fit_same_front(const struct fdl_coalesce_packet *head,
				  const struct fdl_coalesce_packet *pkt)
{
	/* Of a constant length, a compiler compares without a call. */
	if (head->l3_ == ETH_HDR_LEN)
		return !memcmp(head->hdr_, pkt->hdr_, ETH_HDR_LEN);
	return fit_same_outer(head, pkt);
}

/* The lengths and IPv4 checksums in the outer headers of pkt, which lie where
 * those of head do, are right. */
bool fit_outer_is_right(const struct fdl_coalesce_packet *head,
			const struct fdl_coalesce_packet *pkt);

/* A checksum in an outer header covers the inner packet. */
bool fit_outer_has_sum(const struct fdl_coalesce_packet *pkt);

/* The checksum that is left to the other side is one in an outer header. */
bool fit_outer_is_left(const struct fdl_coalesce_packet *pkt);

/* The outer headers of a packet, which is parsed. */
static inline struct outers fit_outers(const struct fdl_coalesce_packet *pkt)
{
	return (struct outers){
		.is = pkt->outer_.is,
		.at = pkt->outer_.at,
		.n = pkt->outer_.n,
		.l4 = pkt->l4_,
		.left = pkt->off.csum == FDL_CSUM_PARTIAL ?
				pkt->off.csum_start :
				0,
	};
}

#endif
