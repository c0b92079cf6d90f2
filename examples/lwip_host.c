/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP as a host that answers pings and echoes UDP datagrams to port 7.
 *
 *	ip tuntap add tap0 mode tap; ip addr add 192.0.2.1/24 dev tap0
 *	ip link set tap0 up; lwip_host tap:tap0 192.0.2.2 & ping 192.0.2.2
 */
#include <limits.h>
#include <stdio.h>

#include <lwip/init.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>

#include <fdl_lwip.h>
#include <fdlink/open.h>

static void say(void *ctx, int level, const char *msg)
{
	LWIP_UNUSED_ARG(ctx);
	LWIP_UNUSED_ARG(level);
	fprintf(stderr, "%s\n", msg);
}

static void echo(void *arg, struct udp_pcb *pcb, struct pbuf *p,
		 const ip_addr_t *addr, u16_t port)
{
	LWIP_UNUSED_ARG(arg);
	if (port != 7)
		udp_sendto(pcb, p, addr, port);
	pbuf_free(p);
}

static int serve(struct fdl_lwip *link)
{
	u32_t timeout;
	int rc;

	do {
		timeout = sys_timeouts_sleeptime();
		rc = fdl_poll(link->ep, timeout > INT_MAX ? -1 : (int)timeout);
		sys_check_timeouts();
	} while (rc >= 0 && (rc = fdl_lwip_poll(link)) >= 0);
	return rc;
}

int main(int argc, char **argv)
{
	struct fdl_options options = {
		.size = sizeof(options),
		.flags = FDL_DROP_OTHERHOST | FDL_LWIP_FLAGS,
		.address = { 0x02, 0, 0, 0, 0, 0x07 },
		.headroom = FDL_LWIP_HEADROOM,
		.log = say,
	};
	struct fdl_lwip link = { 0 };
	ip4_addr_t address, mask;
	struct udp_pcb *udp;
	struct netif netif;

	if (argc != 3 || !ip4addr_aton(argv[2], &address))
		return fprintf(stderr, "usage: lwip_host LOCATOR ADDRESS\n"), 2;
	if (fdl_open(&link.ep, argv[1], &options) < 0)
		return 1;
	IP4_ADDR(&mask, 255, 255, 255, 0);
	lwip_init();
	if (!netif_add(&netif, &address, &mask, NULL, &link, fdl_lwip_init,
		       netif_input))
		return 1;
	netif_set_default(&netif);
	netif_set_up(&netif);
	udp = udp_new();
	if (!udp || udp_bind(udp, IP_ANY_TYPE, 7) != ERR_OK)
		return 1;
	udp_recv(udp, echo, NULL);
	fprintf(stderr, "%s has ended: %d\n", argv[1], serve(&link));
	fdl_endpoint_free(link.ep);
	return 1;
}
