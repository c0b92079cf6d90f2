/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in network byte order, wherever they lie. */
#ifndef FDL_LWIP_BYTES_H
#define FDL_LWIP_BYTES_H

#include <stdint.h>

static inline uint16_t fdl_lwip_get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t fdl_lwip_get32(const uint8_t *bytes)
{
	return (uint32_t)fdl_lwip_get16(bytes) << 16 |
	       fdl_lwip_get16(bytes + 2);
}

static inline void fdl_lwip_put16(uint8_t *to, unsigned n)
{
	to[0] = (uint8_t)(n >> 8);
	to[1] = (uint8_t)n;
}

#endif
