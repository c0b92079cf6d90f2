/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tunnels around TCP or UDP. To cut a super-packet one needs the place of each
 * header whose length, id or checksum differs from segment to segment. All
 * other bytes between the outer IP header and the inner transport header are
 * the same in all segments.
 */
#ifndef FDL_PROTO_TUNNEL_H
#define FDL_PROTO_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fdlink/offload.h>

#include "proto/bytes.h"
#include "proto/parse.h"
#include "proto/udp.h"

enum {
	TUNNEL_DEPTH = 2,	/* tunnels, one inside the other */
};

enum tunnel_header {
	TUNNEL_IP4,
	TUNNEL_IP6,
	TUNNEL_UDP,
	TUNNEL_GRE,		/* one with a checksum */
};

struct tunnel {
	unsigned n;		/* headers, the outermost first; 0: there is no
				 * tunnel */
	uint8_t is[FDL_TUNNEL_HEADERS];		/* enum tunnel_header */
	uint8_t at[FDL_TUNNEL_HEADERS];		/* from the frame's start */
	uint32_t l4;		/* what follows the outer IP header */
	bool udp;		/* UDP does, and no other tunnel is inside */
};

/* As fdl_offload_tunnel. */
static inline unsigned tunnel_of(const struct fdl_offload *off)
{
	return off->ecn_tunnel_[1];
}

/* What may be inside of UDP. */
enum tunnel_reading {
	TUNNEL_READ_VXLAN,
	TUNNEL_READ_GENEVE,
	TUNNEL_READ_GUE,
	TUNNEL_READ_FOU,
	TUNNEL_READ_GRE,
	TUNNEL_READINGS,
};

/* What tunnel_enter takes a datagram to that port for; TUNNEL_READINGS: for no
 * tunnel. The numbers are IANA's, and the one that Linux used before. */
static inline enum tunnel_reading tunnel_reading(unsigned port)
{
	switch (port) {
	case 4789:
	case 4790:		/* VXLAN-GPE */
	case 8472:
		return TUNNEL_READ_VXLAN;
	case 6081:
		return TUNNEL_READ_GENEVE;
	case 6080:
		return TUNNEL_READ_GUE;
	default:
		return TUNNEL_READINGS;
	}
}

/* Whether a datagram, whose header lies at udp, is to such a port. */
static inline bool tunnel_has_port(const uint8_t *udp)
{
	return tunnel_reading(get_be16(udp + UDP_DST)) != TUNNEL_READINGS;
}

/* Whether a tunnel may follow an IP header whose next protocol is that. */
bool tunnel_is_carrier(unsigned next);

/*
 * As parse_frame, for a packet that may lie in tunnels and whose transport
 * header begins at l4. *p is what parse_frame finds in the inner packet. Port
 * numbers do not decide what a UDP datagram carries. It is a tunnel if a header
 * of some tunnel leads exactly to the byte l4, through IP packets that all end
 * where the outer one does.
 *
 * Also returns FDL_REFUSE_TUNNEL: there is no TCP or UDP header at l4, or the
 * headers around it cannot be cut.
 */
enum fdl_refusal tunnel_parse(const uint8_t *frame, size_t avail, size_t len,
			      unsigned link_len, uint32_t l4, struct parsed *p,
			      struct tunnel *t);

/*
 * Go from a packet that may carry others, as parse_frame left it in *p and
 * returned why (NONE or TRANSPORT), to the packet inside. As the kernel's GRO
 * does, go into one tunnel, not into GENEVE's control packets, nor into GRE
 * with a checksum inside of UDP; and the port decides what a datagram carries.
 * (A program that reads datagrams from a socket would get merged ones as one,
 * if they only looked like a tunnel.)
 *
 * Returns what parse_frame returns, for the packet inside; or
 * FDL_REFUSE_TUNNEL: it is a tunnel that cannot be gone into; or why: it is no
 * tunnel, and *p is as before. The packet inside may end before the outer one
 * does.
 */
enum fdl_refusal tunnel_enter(const uint8_t *frame, size_t avail,
			      enum fdl_refusal why, struct parsed *p,
			      struct tunnel *t);

#endif
