/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which packets fit together in a super-packet. head is the first packet of
 * what was merged so far, and pkt the next of its batch.
 */
#ifndef FDL_OFFLOAD_FIT_H
#define FDL_OFFLOAD_FIT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <fdlink/offload.h>

#include "proto/parse.h"
#include "proto/tcp.h"

enum {
	/* Flags of TCP that only the last segment of a super-packet may
	 * have. */
	FIT_TCP_ENDS = TCP_FLAG_PSH | TCP_FLAG_FIN,
};

/* A packet's IP and transport headers, once it is parsed. */
static inline const uint8_t *fit_l3(const struct fdl_coalesce_packet *pkt)
{
	return pkt->hdr_ + pkt->l3_;
}

static inline const uint8_t *fit_l4(const struct fdl_coalesce_packet *pkt)
{
	return pkt->hdr_ + pkt->l4_;
}

/* Nothing may follow this packet. */
static inline bool fit_is_last(const struct fdl_coalesce_packet *pkt)
{
	return pkt->proto_ == TCP_PROTO &&
	       fit_l4(pkt)[TCP_FLAGS] & FIT_TCP_ENDS;
}

/* The packet, parsed to *p, could by itself be part of a super-packet. */
bool fit_alone(const struct fdl_coalescer *c,
	       const struct fdl_coalesce_packet *pkt, const struct parsed *p);

/* The other side vouches for one checksum at most (virtio 1.2, 5.1.6.4.2), so
 * for none of a packet with several: outside, and inside. */
void fit_doubt(struct fdl_coalesce_packet *pkt);

/* The packet may be the first of a super-packet; it passes fit_alone. */
bool fit_as_first(const struct fdl_coalesce_packet *pkt);

/* Both have the same addresses, protocol and ports. */
bool fit_same_flow(const struct fdl_coalesce_packet *a,
		   const struct fdl_coalesce_packet *b);

/* Both, of one flow, have headers of the same lengths, and the same in front of
 * their IP packets. */
bool fit_same_layout(const struct fdl_coalesce_packet *head,
		     const struct fdl_coalesce_packet *pkt);

/* pkt, of the flow and the layout of head, continues it; and the checksums of
 * both are right, which is verified now if it was not before. */
bool fit_in(const struct fdl_coalescer *c, struct fdl_coalesce_packet *head,
	    struct fdl_coalesce_packet *pkt);

/* Parsing pkt, which is not parsed, would find what it found in head: a packet
 * that passes fit_alone, of the same flow and layout. */
bool fit_looks_alike(const struct fdl_coalesce_packet *head,
		     const struct fdl_coalesce_packet *pkt);

#endif
