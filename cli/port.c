/* SPDX-License-Identifier: Apache-2.0 */
/* What lwIP asks of its surroundings. */
#include "port.h"

#include <sys/random.h>
#include <time.h>

#include <fdlink/offload.h>

#include <lwip/sys.h>

u32_t sys_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u32_t)now.tv_sec * 1000 + (u32_t)(now.tv_nsec / 1000000);
}

/* getrandom(2) does not fail for so few bytes once the machine is up. */
uint32_t port_random(void)
{
	uint32_t random = 0;

	while (getrandom(&random, sizeof(random), 0) != sizeof(random))
		;
	return random;
}

uint16_t port_sum(const void *bytes, int len)
{
	return fdl_checksum_sum(bytes, (size_t)len, 0);
}

const ip6_addr_t *port_gateway6(struct netif *netif, const ip6_addr_t *dest)
{
	LWIP_UNUSED_ARG(dest);
	return netif_get_client_data(netif, PORT_GATEWAY6);
}
