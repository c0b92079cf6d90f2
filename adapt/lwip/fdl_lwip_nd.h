/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour discovery: what lwIP takes on trust. */
#ifndef FDL_LWIP_ND_H
#define FDL_LWIP_ND_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether lwIP may see a message of neighbour discovery: len bytes from its
 * ICMPv6 header on, sent by an address as in an IPv6 header. Others are true.
 */
bool fdl_lwip_nd_is_right(const uint8_t *msg, unsigned len,
			  const uint8_t *from);

/* All that lwIP knows of paths is the link's MTU again. */
void fdl_lwip_nd_forget(void);

#endif
