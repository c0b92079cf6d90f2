/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP on an endpoint, for programs that are one end of a test. */
#ifndef TESTS_STACK_H
#define TESTS_STACK_H

#include <lwip/ip_addr.h>

#include "fdl_lwip.h"

/* Say on standard error what is wrong, and exit. */
_Noreturn void stack_die(const char *what);

/* Open the link's endpoint. how is on, tso or off, as "fdlink host" has them,
 * and behind a comma the mode of receiving; without one, the library chooses.
 * Exits, the endpoint's log having said why, if it cannot be. */
void stack_open(struct fdl_lwip *link, const char *locator, const char *how);

/* Add the netif and give it its one address, with a prefix of 24, or 64 for
 * IPv6. On lwIP's thread. */
void stack_start(struct netif *netif, struct fdl_lwip *link,
		 netif_input_fn input, const ip_addr_t *address);

#endif
