/* SPDX-License-Identifier: Apache-2.0 */
/* What lwIP asks of the platform, besides sys_now(). */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t port_random(void);

#define LWIP_RAND() port_random()

/* In wider words than lwIP adds up. */
uint16_t port_sum(const void *bytes, int len);

#define LWIP_CHKSUM port_sum

/* Functions of lwIP's own are not inlined. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static inline uint16_t port_htons(uint16_t n)
{
	return __builtin_bswap16(n);
}

static inline uint32_t port_htonl(uint32_t n)
{
	return __builtin_bswap32(n);
}

#define lwip_htons port_htons
#define lwip_htonl port_htonl
#endif

#define LWIP_PLATFORM_DIAG(x) printf x
#define LWIP_PLATFORM_ASSERT(x)                                               \
	do {                                                                  \
		fprintf(stderr, "lwIP: %s (%s:%d)\n", x, __FILE__, __LINE__); \
		abort();                                                      \
	} while (0)

#endif
