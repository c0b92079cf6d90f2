/* SPDX-License-Identifier: Apache-2.0 */
/* Network addresses: bytes in network order, 4 for IPv4 and 16 for IPv6. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

enum { ADDRESS_TEXT = 46 };	/* with its NUL, at most */

/* Read the address in text. Returns how many bytes it has, or 0: text is no
 * address. */
unsigned address_parse(const char *text, uint8_t bytes[16]);

/* Why no host can have this address of len bytes, as the end of a sentence: "is
 * a multicast address". NULL: a host can have it. */
const char *address_refusal(const uint8_t *bytes, unsigned len);

/*
 * Why no host can have this address in a network of this prefix, in the same
 * words. NULL: a host can have it. Each address of a network of two addresses,
 * or of one, is a host's (RFC 3021, RFC 6164).
 */
const char *address_network_refusal(const uint8_t *bytes, unsigned len,
				    unsigned prefix);

bool address_same_network(const uint8_t *a, const uint8_t *b, unsigned prefix);

bool address_is_link_local6(const uint8_t bytes[16]);

/* The link-local address of a host with this link address (RFC 4291, appendix
 * A). */
void address_link_local6(uint8_t bytes[16], const uint8_t mac[6]);

#endif
