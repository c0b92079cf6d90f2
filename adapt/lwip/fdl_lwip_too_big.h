/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_TOO_BIG_H
#define FDL_LWIP_TOO_BIG_H

#include "fdl_lwip.h"

/* What an ICMP message says: a packet was longer than mtu. The message quotes
 * the packet's first bytes. */
struct fdl_lwip_quote {
	const uint8_t *ip;
	unsigned len;
	unsigned version;
	uint32_t mtu;
};

/*
 * If a packet of ours can have caused the message, and the MTU is within
 * reason, note the MTU of the path, and have the connection send again what was
 * lost. The caller has checked the message's checksum, and that it came to the
 * source of the quoted packet.
 */
void fdl_lwip_too_big(struct fdl_lwip *link, const struct fdl_lwip_quote *q);

#endif
