/* SPDX-License-Identifier: Apache-2.0 */
/* What a wire tells a sender whose packet is too long for the other end. */
#ifndef TOO_BIG_H
#define TOO_BIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fdl_packet;

enum {
	/* The longest answer: a link header and its tags, and the least MTU
	 * that every IPv6 link has. */
	TOO_BIG_ROOM = 256 + 1280,
};

/*
 * Whether the packet, or a segment of the super-packet that it is, is longer
 * than mtu, and may not be fragmented on its way: IPv6, or IPv4 that says so.
 * Its length is what its header says: bytes behind it are no part of it. A
 * packet whose header is damaged, or says more bytes than there are, is none
 * (RFC 1812, 5.2.2).
 */
bool too_big(const struct fdl_packet *pkt, uint32_t mtu);

/*
 * Write the answer to such a packet: ICMP "fragmentation needed" (RFC 1191), or
 * ICMPv6 "packet too big" (RFC 4443, 3.2), in the name of the station that the
 * packet is for. It is a frame if the packet is one, with the same VLAN tags.
 * Returns its length; 0: there is no answer, for one of these reasons:
 *
 * - The packet may not be answered (RFC 1122, 3.2.2; RFC 4443, 2.4): it is an
 *   ICMP error, a fragment other than the first, or to or from a group.
 * - The answer would change nothing (RFC 8201, 4: an MTU below 1280).
 */
size_t too_big_answer(const struct fdl_packet *pkt, uint32_t mtu,
		      uint8_t answer[TOO_BIG_ROOM]);

/* How many answers may be sent: a few at once, then a hundred a second
 * (RFC 4443, 2.4 (f)). All zero: none has been sent. */
struct too_big_budget {
	uint64_t refilled_ns;	/* CLOCK_MONOTONIC */
	unsigned left;
};

/* Returns whether one more may be sent. */
bool too_big_afford(struct too_big_budget *budget, uint64_t now_ns);

#endif
