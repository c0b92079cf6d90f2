/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_TOO_BIG_H
#define FDL_LWIP_TOO_BIG_H

#include "fdl_lwip.h"

/* What an ICMP message says: that a packet, of which it has the first bytes, is
 * longer than mtu. */
struct fdl_lwip_quote {
	const uint8_t *ip;
	unsigned len;
	unsigned version;
	uint32_t mtu;
};

/*
 * Believe it if a packet of ours can have caused it, and what it says is within
 * reason: the path is noted, and a connection sends again what was lost by it.
 * The message was right as such, and sent to the quoted packet's source.
 */
void fdl_lwip_too_big(struct fdl_lwip *link, const struct fdl_lwip_quote *q);

#endif
