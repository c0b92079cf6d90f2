/* SPDX-License-Identifier: Apache-2.0 */
/* Network addresses: bytes in network order, 4 for IPv4 and 16 for IPv6. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

enum { ADDRESS_TEXT = 46 };	/* with its NUL, at most */

/* Returns how many bytes the address in text has, or 0: it is none. */
unsigned address_parse(const char *text, uint8_t bytes[16]);

/*
 * Why no host can have this address of len bytes, as "is a multicast address";
 * NULL: one can.
 */
const char *address_refusal(const uint8_t *bytes, unsigned len);

/*
 * Why no host can have it in a network of this prefix, in the same words; NULL:
 * one can. A network of two addresses or one has hosts only (RFC 3021, 6164).
 */
const char *address_network_refusal(const uint8_t *bytes, unsigned len,
				    unsigned prefix);

bool address_same_network(const uint8_t *a, const uint8_t *b, unsigned prefix);

bool address_is_link_local6(const uint8_t bytes[16]);

/* What a host with this link address calls itself (RFC 4291, appendix A). */
void address_link_local6(uint8_t bytes[16], const uint8_t mac[6]);

#endif
