/* SPDX-License-Identifier: Apache-2.0 */
/* The netif's life: made of an endpoint, and polled. */
#include "fdl_lwip.h"
#include "fdl_lwip_follow.h"
#include "fdl_lwip_input.h"
#include "fdl_lwip_link.h"
#include "fdl_lwip_loan.h"
#include "fdl_lwip_neighbor.h"
#include "fdl_lwip_options.h"
#include "fdl_lwip_output.h"

#include <errno.h>
#include <string.h>

#include <lwip/prot/ethernet.h>

#include <fdlink/open.h>

enum {
	RX_BATCH = 64,
	DEFAULT_POOL = 256,	/* as fdl_options.pool has it */
};

static int receive(struct fdl_lwip *link, struct fdl_queue *q)
{
	struct fdl_packet *v[RX_BATCH];
	int n = fdl_recv(q, v, RX_BATCH);

	if (n > 0)
		fdl_lwip_input(link, v, n);
	return n == -ENOBUFS ? 0 : n;
}

int fdl_lwip_poll(struct fdl_lwip *link)
{
	const unsigned queues = fdl_queues(link->ep);
	bool alive = false;
	int total = 0;
	int last = 0;
	unsigned i;
	int n;

	for (i = 0; i < queues; i++) {
		n = receive(link, fdl_get_queue(link->ep, i));
		if (n < 0) {
			last = n;
			continue;
		}
		alive = true;
		total += n;
	}
	if (alive)
		fdl_lwip_follow(link);
#if NO_SYS
	fdl_lwip_flush(link);
#endif
	return alive ? total : last;
}

#if LWIP_IPV4
static err_t output_ip4(struct netif *netif, struct pbuf *p,
			const ip4_addr_t *addr)
{
	LWIP_UNUSED_ARG(addr);
	return fdl_lwip_output(netif, p);
}
#endif

#if LWIP_IPV6
static err_t output_ip6(struct netif *netif, struct pbuf *p,
			const ip6_addr_t *addr)
{
	LWIP_UNUSED_ARG(addr);
	return fdl_lwip_output(netif, p);
}
#endif

static void set_ip(struct netif *netif)
{
#if LWIP_IPV4
	netif->output = output_ip4;
#endif
#if LWIP_IPV6
	netif->output_ip6 = output_ip6;
#endif
}

static bool is_known(const uint8_t *address)
{
	static const uint8_t unknown[ETH_HWADDR_LEN];

	return memcmp(address, unknown, ETH_HWADDR_LEN);
}

/*
 * Returns the address that the user gave. Without one, an AF_PACKET socket has
 * the address of its device, because that is what it receives frames for. A TAP
 * is different: its device's address is the kernel's, at the other end.
 */
static const uint8_t *find_address(struct fdl_lwip *link, uint8_t *room)
{
	const uint8_t *given = fdl_address(link->ep);
	struct fdl_info info;

	fdl_get_info(link->ep, &info, sizeof(info));
	if (is_known(given) || info.kind != FDL_KIND_PACKET)
		return given;
	link->own_address = 1;
	return memcpy(room, info.address, ETH_HWADDR_LEN);
}

static err_t set_ethernet(struct netif *netif, const uint8_t *address)
{
	if (!is_known(address))
		return ERR_ARG;
	memcpy(netif->hwaddr, address, ETH_HWADDR_LEN);
	netif->hwaddr_len = ETH_HWADDR_LEN;
	netif->flags |= NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHERNET;
#if LWIP_IPV4 && LWIP_ARP
	netif->flags |= NETIF_FLAG_ETHARP;
	netif->output = fdl_lwip_output_arp;
#endif
#if LWIP_IGMP
	netif->flags |= NETIF_FLAG_IGMP;
#endif
#if LWIP_IPV6
	netif->output_ip6 = fdl_lwip_output_nd;
#endif
#if LWIP_IPV6 && LWIP_IPV6_MLD
	netif->flags |= NETIF_FLAG_MLD6;
#endif
	return ERR_OK;
}

/* The endpoint does not tell which headroom it was given, but its packets show
 * it. */
static bool has_headroom(struct fdl_endpoint *ep)
{
	struct fdl_packet *pkt;
	bool enough;

	if (fdl_alloc(fdl_get_queue(ep, 0), &pkt, 1) != 1)
		return false;
	enough = pkt->room >= FDL_LWIP_HEADROOM;
	fdl_release(&pkt, 1);
	return enough;
}

err_t fdl_lwip_init(struct netif *netif)
{
	struct fdl_lwip *link = netif->state;
	struct fdl_endpoint *ep = link->ep;
	uint8_t address[ETH_HWADDR_LEN];

	if (!has_headroom(ep))
		return ERR_BUF;
	fdl_lwip_loan_init();
	link->netif = netif;
	if (!link->pool)
		link->pool = DEFAULT_POOL;
	netif->name[0] = 'f';
	netif->name[1] = 'd';
	fdl_lwip_follow_start(link);
	netif->flags |= NETIF_FLAG_LINK_UP;
	netif->linkoutput = fdl_lwip_output;
	link->wire_sums = fdl_capabilities(ep) & FDL_CAP_RX_CSUM;
	link->tso = link->tso && link->wire_sums;
#if LWIP_CHECKSUM_CTRL_PER_NETIF
	if (link->wire_sums)
		netif->chksum_flags &= (u16_t)~NETIF_CHECKSUM_GEN_TCP;
#endif
	if (fdl_max_header_len(ep))
		return set_ethernet(netif, find_address(link, address));
	set_ip(netif);
	return ERR_OK;
}
