/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tunnels around TCP or UDP: where each header lies whose length, id or checksum
 * is another one in each segment. All else between the outer IP header and the
 * inner transport header is the same in all segments, and of no interest.
 */
#ifndef FDL_PROTO_TUNNEL_H
#define FDL_PROTO_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fdlink/offload.h>

#include "proto/parse.h"

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

/* Whether a tunnel may be what follows an IP header, by its protocol. */
bool tunnel_is_carrier(unsigned next);

/*
 * As parse_frame, of the packet whose transport header begins at l4, which may lie
 * in tunnels: *p is what parse_frame finds in the packet inside. No port number is
 * asked what a datagram of UDP carries: it is a tunnel if some header that begins
 * so leads to the byte l4 exactly, by IP packets that end where the outer one does.
 *
 * Returns also FDL_REFUSE_TUNNEL: TCP or UDP cannot be found there, or what lies
 * around it cannot be cut.
 */
enum fdl_refusal tunnel_parse(const uint8_t *frame, size_t avail, size_t len,
			      unsigned link_len, uint32_t l4, struct parsed *p,
			      struct tunnel *t);

#endif
