/* SPDX-License-Identifier: Apache-2.0 */
/* Checks on neighbour discovery that lwIP does not make. */
#ifndef FDL_LWIP_ND_H
#define FDL_LWIP_ND_H

#include <stdbool.h>
#include <stdint.h>

struct netif;

/*
 * Returns whether lwIP may see an ICMPv6 message. It is false only for a
 * message of neighbour discovery that is wrong. msg, len: from the ICMPv6
 * header on; from: the sender's address, as in an IPv6 header.
 */
bool fdl_lwip_nd_is_right(const uint8_t *msg, unsigned len,
			  const uint8_t *from);

/* Tell all neighbours the netif's link address, which is new to them: an
 * advertisement for each IPv6 address (RFC 4861, section 7.2.6). */
void fdl_lwip_nd_announce(struct netif *netif);

/* Have lwIP forget the MTU of all paths: it takes the link's then. */
void fdl_lwip_nd_forget(void);

#endif
