/* SPDX-License-Identifier: Apache-2.0 */
#include "stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fdlink/open.h>

static void say(void *ctx, int level, const char *msg)
{
	LWIP_UNUSED_ARG(ctx);
	LWIP_UNUSED_ARG(level);
	fprintf(stderr, "lwIP's end: %s\n", msg);
}

_Noreturn void stack_die(const char *what)
{
	say(NULL, 0, what);
	exit(EXIT_FAILURE);
}

static enum fdl_mode find_mode(const char *name)
{
	unsigned mode = FDL_MODE_AUTO + 1;

	while (fdl_mode_name(mode) && strcmp(fdl_mode_name(mode), name) != 0)
		mode++;
	if (!fdl_mode_name(mode))
		stack_die("no such mode");
	return mode;
}

void stack_open(struct fdl_lwip *link, const char *locator, const char *how)
{
	const char *mode = strchr(how, ',');
	struct fdl_options options = {
		.size = sizeof(options),
		.flags = FDL_ETHERNET | FDL_DROP_OTHERHOST,
		.address = { 0x02, 0, 0, 0, 0, 0xc1 },
		.headroom = FDL_LWIP_HEADROOM,
		.log = say,
	};

	if (mode)
		options.mode = find_mode(mode + 1);
	if (strncmp(how, "off", 3) != 0)
		options.flags |= FDL_LWIP_FLAGS;
	link->tso = !strncmp(how, "tso", 3);
	if (fdl_open(&link->ep, locator, &options) < 0)
		exit(EXIT_FAILURE);
}

static void set_address(struct netif *netif, const ip_addr_t *address)
{
	ip4_addr_t mask;

	if (IP_IS_V4(address)) {
		IP4_ADDR(&mask, 255, 255, 255, 0);
		netif_set_addr(netif, ip_2_ip4(address), &mask, NULL);
		return;
	}
	netif_create_ip6_linklocal_address(netif, 1);
	netif_ip6_addr_set(netif, 1, ip_2_ip6(address));
	netif_ip6_addr_set_state(netif, 1, IP6_ADDR_PREFERRED);
}

void stack_start(struct netif *netif, struct fdl_lwip *link,
		 netif_input_fn input, const ip_addr_t *address)
{
	if (!netif_add_noaddr(netif, link, fdl_lwip_init, input))
		stack_die("no memory");
	netif_set_default(netif);
	netif_set_up(netif);
	set_address(netif, address);
}
