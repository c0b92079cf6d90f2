/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's addresses in the form that they have in IP headers. */
#ifndef FDL_LWIP_ADDRESS_H
#define FDL_LWIP_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <lwip/ip_addr.h>

/* An address and the version it is of. */
struct fdl_lwip_address {
	const void *bytes;
	unsigned version;
};

static inline struct fdl_lwip_address fdl_lwip_address(const ip_addr_t *a)
{
#if LWIP_IPV6
	if (IP_IS_V6(a))
		return (struct fdl_lwip_address){ ip_2_ip6(a)->addr, 6 };
#endif
#if LWIP_IPV4
	return (struct fdl_lwip_address){ &ip_2_ip4(a)->addr, 4 };
#else
	return (struct fdl_lwip_address){ 0 };
#endif
}

static inline bool fdl_lwip_is(const ip_addr_t *a, unsigned version,
			       const uint8_t *bytes)
{
	const struct fdl_lwip_address own = fdl_lwip_address(a);

	return own.version == version &&
	       !memcmp(own.bytes, bytes, version == 6 ? 16 : 4);
}

#endif
