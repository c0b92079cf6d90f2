/* SPDX-License-Identifier: Apache-2.0 */
/* What lwIP asks of the platform, besides sys_now(). */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t port_random(void);

#define LWIP_RAND() port_random()
#define LWIP_PLATFORM_DIAG(x) printf x
#define LWIP_PLATFORM_ASSERT(x)                                               \
	do {                                                                  \
		fprintf(stderr, "lwIP: %s (%s:%d)\n", x, __FILE__, __LINE__); \
		abort();                                                      \
	} while (0)

#endif
