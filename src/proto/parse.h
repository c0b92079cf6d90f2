/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where headers of a frame are walked, and the hash of its
 * flow. */
#ifndef FDL_PROTO_PARSE_H
#define FDL_PROTO_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fdlink/offload.h>

/* Offsets count from the first byte of the frame. */
struct parsed {
	uint32_t l3;		/* the IP header */
	uint32_t l4;		/* what follows it and its extensions */
	uint32_t payload;	/* what follows the TCP or UDP header */
	uint32_t end;		/* of the IP packet; padding follows. Good with
				 * l4 where next is known */
	uint8_t version;	/* 4 or 6; 0: no valid IP header */
	uint8_t proto;		/* TCP_PROTO or UDP_PROTO, then l4 and payload
				 * are good; else 0 */
	uint8_t next;		/* the protocol at l4, 0: not known */
	bool fragment;
	bool routed;		/* an IPv6 routing header: the transport
				 * checksum is not over the destination shown */
};

/*
 * Parse a frame of len bytes, of which the first avail lie at frame. *p is
 * always written and tells how far it went: after a refusal version may be
 * good, and proto is 0.
 *
 * Returns FDL_REFUSE_NONE, or SHORT, HEADERS (a header goes past avail and not
 * past len), NOT_IP, IP, FRAGMENT or TRANSPORT.
 */
enum fdl_refusal parse_frame(const uint8_t *frame, size_t avail, size_t len,
			     unsigned link_len, struct parsed *p);

/* The same of an IP packet alone, which begins at l3 and ends at end or
 * before. */
enum fdl_refusal parse_packet(const uint8_t *frame, size_t avail, size_t end,
			      uint32_t l3, struct parsed *p);

/* Offset of the checksum in the header of p->proto. */
unsigned parsed_check_offset(const struct parsed *p);

/*
 * Returns the hash of the flow that a frame belongs to, from what parse_frame
 * wrote, whatever that returned. It comes from addresses, protocol and ports;
 * from addresses alone for fragments, of which not all have the ports; from the
 * link header if the frame is not IP. It is the same in both directions, and
 * never 0.
 */
uint32_t flow_hash(const uint8_t *frame, size_t avail, unsigned link_len,
		   const struct parsed *p);

#endif
