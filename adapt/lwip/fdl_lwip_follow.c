/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device's MTU and link address may change while connections run. If the
 * netif's MTU became less than a segment that TCP keeps, lwIP would send that
 * segment in fragments, and its IPv6 fragmentation changes the pbufs that TCP
 * still needs. So the segments are split first, and the netif's MTU follows.
 * Segments that are too long meanwhile are cut on their way out, as all are
 * with segmentation offload.
 */
#include "fdl_lwip_follow.h"
#include "fdl_lwip_link.h"
#include "fdl_lwip_nd.h"
#include "fdl_lwip_output.h"

#include <string.h>

#include <fdlink/open.h>

#include <lwip/etharp.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/sys.h>
#include <lwip/tcpip.h>

enum {
	MAX_FRAME = 0xffff,
};

static uint16_t most(const struct fdl_lwip *link)
{
	return (uint16_t)(MAX_FRAME - fdl_max_header_len(link->ep));
}

#if LWIP_IPV6 && LWIP_ND6_ALLOW_RA_UPDATES
static uint16_t get_mtu6(const struct netif *netif)
{
	return netif->mtu6;
}

static void set_mtu6(struct netif *netif, uint16_t mtu6)
{
	netif->mtu6 = mtu6;
}
#else
static uint16_t get_mtu6(const struct netif *netif)
{
	return netif->mtu;
}

static void set_mtu6(struct netif *netif, uint16_t mtu6)
{
	LWIP_UNUSED_ARG(netif);
	LWIP_UNUSED_ARG(mtu6);
}
#endif

#if LWIP_TCP
/* Split the segments of a queue that are longer than mss. Returns whether all
 * fit now. */
static bool split_all(struct tcp_pcb *pcb, struct tcp_seg *first, u16_t mss)
{
	struct tcp_seg *const unsent = pcb->unsent;
	struct tcp_seg *seg;
	bool fits = true;
	u16_t max;

	for (seg = first; seg && fits; seg = seg->next) {
		max = (u16_t)(mss - LWIP_TCP_OPT_LENGTH(seg->flags));
		if (seg->len <= max)
			continue;
		/* A frame that waits refers to it: it must not change. */
		if (seg->p->ref != 1 ||
		    pcb->snd_queuelen >= TCP_SNDQUEUELEN_OVERFLOW / 2)
			return false;
		pcb->unsent = seg;
		fits = tcp_split_unsent_seg(pcb, max) == ERR_OK &&
		       seg->len <= max;
		pcb->unsent = unsent;
	}
	return fits;
}

/* The next write must not add to a segment that was begun with the old MSS. */
static void end_oversize(struct tcp_pcb *pcb)
{
#if TCP_OVERSIZE_DBGCHECK
	struct tcp_seg *seg;

	for (seg = pcb->unsent; seg; seg = seg->next)
		seg->oversize_left = 0;
#endif
#if TCP_OVERSIZE
	pcb->unsent_oversize = 0;
#else
	LWIP_UNUSED_ARG(pcb);
#endif
}

static bool shorten(struct tcp_pcb *pcb, u16_t mss)
{
#if TCP_OVERSIZE
	const u16_t oversize = pcb->unsent_oversize;
#endif

	if (pcb->mss <= mss)
		return true;
	if (!split_all(pcb, pcb->unacked, mss))
		return false;
#if TCP_OVERSIZE
	pcb->unsent_oversize = oversize;
#endif
	if (!split_all(pcb, pcb->unsent, mss))
		return false;
	end_oversize(pcb);
	pcb->mss = mss;
	return true;
}

static u16_t mss_of(const struct tcp_pcb *pcb, u16_t mtu, u16_t mtu6)
{
	if (IP_IS_V6(&pcb->remote_ip))
		return (u16_t)(mtu6 - IP6_HLEN - TCP_HLEN);
	return (u16_t)(mtu - IP_HLEN - TCP_HLEN);
}

/* Returns whether the segments of all the link's connections fit now. */
static bool shorten_all(struct fdl_lwip *link, u16_t mtu, u16_t mtu6)
{
	struct tcp_pcb *pcb;
	bool all = true;

	fdl_lwip_flush(link);
	for (pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
		if (fdl_lwip_link_of(pcb) == link)
			all = shorten(pcb, mss_of(pcb, mtu, mtu6)) && all;
	}
	return all;
}
#else
static bool shorten_all(struct fdl_lwip *link, u16_t mtu, u16_t mtu6)
{
	LWIP_UNUSED_ARG(link);
	LWIP_UNUSED_ARG(mtu);
	LWIP_UNUSED_ARG(mtu6);
	return true;
}
#endif

/* Returns false: some segments are still too long, try again later. */
static bool set_mtu(struct fdl_lwip *link)
{
	struct netif *netif = link->netif;
	const u16_t mtu = link->mtu;
	u16_t mtu6 = mtu;

	if (link->router_mtu && link->router_mtu < mtu)
		mtu6 = link->router_mtu;
	if (mtu == netif->mtu && mtu6 == get_mtu6(netif))
		return true;
	if (!link->tso && (mtu < netif->mtu || mtu6 < get_mtu6(netif)) &&
	    !shorten_all(link, mtu, mtu6))
		return false;
	netif->mtu = mtu;
	set_mtu6(netif, mtu6);
#if LWIP_IPV6
	fdl_lwip_nd_forget();
#endif
	return true;
}

void fdl_lwip_follow_router(struct fdl_lwip *link, uint16_t mtu6)
{
	struct netif *netif = link->netif;
	const uint16_t said = get_mtu6(netif);

	if (said == mtu6)
		return;
	link->router_mtu = said;
	set_mtu6(netif, mtu6);
	if (!set_mtu(link))
		SYS_ARCH_SET(link->lagging, 1);
}

/* The user's own, or none, stays. */
static void set_address(struct fdl_lwip *link, const uint8_t *address)
{
	static const uint8_t unknown[ETH_HWADDR_LEN];
	struct netif *netif = link->netif;

	if (!link->own_address || !memcmp(address, unknown, sizeof(unknown)) ||
	    !memcmp(address, netif->hwaddr, ETH_HWADDR_LEN))
		return;
	memcpy(netif->hwaddr, address, ETH_HWADDR_LEN);
#if LWIP_IPV4 && LWIP_ARP
	if (!ip4_addr_isany(netif_ip4_addr(netif)))
		etharp_gratuitous(netif);
#endif
#if LWIP_IPV6
	fdl_lwip_nd_announce(netif);
#endif
}

/*
 * lwIP says by ARP who has its IPv4 address when the netif is set up, and says
 * nothing of IPv6. Neighbours that remember whoever had the address before, a
 * host with another link address, would send there for half a minute.
 */
static void announce_once(struct fdl_lwip *link)
{
	if (link->announced || !link->netif->hwaddr_len)
		return;
	link->announced = netif_is_up(link->netif);
	if (!link->announced)
		SYS_ARCH_SET(link->lagging, 1);
#if LWIP_IPV6
	else
		fdl_lwip_nd_announce(link->netif);
#endif
}

/* On lwIP's thread. */
static void look(void *arg)
{
	struct fdl_lwip *link = arg;
	struct fdl_link now;

	SYS_ARCH_SET(link->lagging, 0);
	announce_once(link);
	if (fdl_link_state(link->ep, &now, sizeof(now)) < 0)
		return;
	link->mtu = (uint16_t)LWIP_MIN(now.mtu, link->max_mtu);
	if (!set_mtu(link))
		SYS_ARCH_SET(link->lagging, 1);
	set_address(link, now.address);
}

void fdl_lwip_follow(struct fdl_lwip *link)
{
	const uint64_t changes = fdl_link_changes(link->ep);
	uint8_t lagging;

	SYS_ARCH_GET(link->lagging, lagging);
	if (changes == link->changes && !lagging)
		return;
	link->changes = changes;
#if NO_SYS
	look(link);
#else
	if (tcpip_callback(look, link) != ERR_OK)
		SYS_ARCH_SET(link->lagging, 1);
#endif
}

/* Look at the first poll as well: the device may have changed since the
 * endpoint was opened, and neighbours are to be told. */
void fdl_lwip_follow_start(struct fdl_lwip *link)
{
	const uint16_t mtu = (uint16_t)LWIP_MIN(fdl_mtu(link->ep), most(link));
	struct fdl_info info;

	fdl_get_info(link->ep, &info, sizeof(info));
	link->changes = fdl_link_changes(link->ep);
	link->mtu = mtu;
	/* The user may have asked for less than the device's MTU: that stays
	 * the limit. */
	link->max_mtu = info.mtu == fdl_mtu(link->ep) ? most(link) : mtu;
	link->netif->mtu = mtu;
	link->lagging = 1;
	link->announced = 0;
}
