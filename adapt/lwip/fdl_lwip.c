/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip.h"
#include "fdl_lwip_tso.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <fdlink/offload.h>

#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/icmp6.h>
#include <lwip/pbuf.h>
#include <lwip/prot/ip.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/tcp.h>
#include <lwip/stats.h>
#include <lwip/sys.h>
#include <lwip/tcpip.h>

#if !LWIP_SUPPORT_CUSTOM_PBUF
#error "fdl_lwip needs LWIP_SUPPORT_CUSTOM_PBUF 1"
#endif
#if ETH_PAD_SIZE
#error "fdl_lwip needs ETH_PAD_SIZE 0"
#endif

enum {
	RX_BATCH = 64,
	TX_PIECES = 64,
	DEFAULT_POOL = 256,	/* as fdl_options.pool has it */
	MAX_PBUF = 0xffff,
	TCP_CHKSUM = 16,	/* where it is in the header */
	/* What lwIP may put in front of a received packet beyond what it was
	 * received with, before that would run into the pbuf itself. */
	SPARE_ROOM = 64,
};

/* Lies at the start of a received packet's room. */
struct rx_pbuf {
	struct pbuf_custom custom;
	struct fdl_packet *pkt;
	struct fdl_lwip *link;
};

static_assert(sizeof(struct rx_pbuf) + MEM_ALIGNMENT + SPARE_ROOM <=
		      FDL_LWIP_HEADROOM,
	      "raise FDL_LWIP_HEADROOM");

static void free_rx_pbuf(struct pbuf *p)
{
	struct rx_pbuf *rx = (struct rx_pbuf *)(void *)p;
	struct fdl_packet *pkt = rx->pkt;
	struct fdl_lwip *link = rx->link;

	SYS_ARCH_DEC(link->held, 1);
	fdl_release(&pkt, 1);
}

/* Whether lwIP leaves TCP's checksums to the wire. */
static void leave_sums(struct netif *netif, bool leave)
{
#if LWIP_CHECKSUM_CTRL_PER_NETIF
	if (leave)
		netif->chksum_flags &= (u16_t)~NETIF_CHECKSUM_GEN_TCP;
	else
		netif->chksum_flags |= NETIF_CHECKSUM_GEN_TCP;
#else
	LWIP_UNUSED_ARG(netif);
	LWIP_UNUSED_ARG(leave);
#endif
}

/*
 * As type PBUF_RAM, so that lwIP may put headers back in place: a forwarded
 * packet needs that, and an echo is then answered without a copy.
 */
static struct pbuf *wrap(struct fdl_lwip *link, struct fdl_packet *pkt)
{
	struct rx_pbuf *rx = LWIP_MEM_ALIGN(pkt->data - pkt->room);

	rx->custom.custom_free_function = free_rx_pbuf;
	rx->pkt = pkt;
	rx->link = link;
	SYS_ARCH_INC(link->held, 1);
	return pbuf_alloced_custom(PBUF_RAW, (u16_t)pkt->len, PBUF_RAM,
				   &rx->custom, pkt->data, MAX_PBUF);
}

static struct pbuf *copy(struct fdl_packet *pkt)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)pkt->len, PBUF_RAM);

	if (p)
		memcpy(p->payload, pkt->data, pkt->len);
	fdl_release(&pkt, 1);
	return p;
}

static struct pbuf *to_pbuf(struct fdl_lwip *link, struct fdl_packet *pkt)
{
	uint32_t held;

	if (pkt->len > MAX_PBUF) {
		fdl_release(&pkt, 1);
		return NULL;
	}
	SYS_ARCH_GET(link->held, held);
	if (held < link->pool / 2 && pkt->room >= FDL_LWIP_HEADROOM)
		return wrap(link, pkt);
	return copy(pkt);
}

#if LWIP_CHECKSUM_CTRL_PER_NETIF
/* On lwIP's thread. */
static err_t input_here(struct pbuf *p, struct netif *netif)
{
#if NO_SYS
	return netif->input(p, netif);
#else
	return netif_input(p, netif);
#endif
}

static err_t input_vouched(struct pbuf *p, struct netif *netif)
{
	const u16_t checks = NETIF_CHECKSUM_CHECK_TCP |
			     NETIF_CHECKSUM_CHECK_UDP;
	const u16_t on = netif->chksum_flags & checks;
	err_t err;

	netif->chksum_flags = (u16_t)(netif->chksum_flags & ~checks);
	err = input_here(p, netif);
	netif->chksum_flags |= on;
	return err;
}

#if LWIP_IPV6
/*
 * A segment that lwIP cuts into fragments, for the path is narrower than the
 * connection took it for, the wire does not complete: once that may come, lwIP
 * leaves nothing undone.
 */
static err_t input_too_big(struct pbuf *p, struct netif *netif)
{
	const struct fdl_lwip *link = netif->state;

	if (!link->tso)
		leave_sums(netif, false);
	return input_here(p, netif);
}

#if LWIP_ND6_ALLOW_RA_UPDATES
static err_t input_router(struct pbuf *p, struct netif *netif)
{
	const struct fdl_lwip *link = netif->state;
	const err_t err = input_here(p, netif);

	if (!link->tso && netif->mtu6 < netif->mtu)
		leave_sums(netif, false);
	return err;
}
#endif

static uint8_t icmp6_type(const struct fdl_packet *pkt)
{
	const uint8_t *ip = pkt->data + pkt->link_len;

	if (pkt->protocol != ETHTYPE_IPV6 ||
	    pkt->len < pkt->link_len + IP6_HLEN + 4U ||
	    ip[6] != IP6_NEXTH_ICMP6)
		return 0;
	return ip[IP6_HLEN];
}
#endif

/* How lwIP is to take a packet; NULL: as any. */
static netif_input_fn find_input(const struct fdl_packet *pkt)
{
#if LWIP_IPV6
	const uint8_t type = icmp6_type(pkt);

	if (type == ICMP6_TYPE_PTB)
		return input_too_big;
#if LWIP_ND6_ALLOW_RA_UPDATES
	if (type == ICMP6_TYPE_RA)
		return input_router;
#endif
#endif
	/* What is wrong or cannot be told is left to lwIP to judge. */
	if (pkt->off.csum != FDL_CSUM_NONE ||
	    fdl_checksum_verify(pkt->data, pkt->len, pkt->link_len) == 1)
		return input_vouched;
	return NULL;
}
#else
static netif_input_fn find_input(const struct fdl_packet *pkt)
{
	LWIP_UNUSED_ARG(pkt);
	return NULL;
}
#endif

static err_t pass_on(struct pbuf *p, struct netif *netif, netif_input_fn fn)
{
	if (!fn)
		return netif->input(p, netif);
#if NO_SYS
	return fn(p, netif);
#else
	return tcpip_inpkt(p, netif, fn);
#endif
}

static void input(struct fdl_lwip *link, struct fdl_packet *pkt)
{
	netif_input_fn fn = link->wire_sums ? find_input(pkt) : NULL;
	struct netif *netif = link->netif;
	struct pbuf *p = to_pbuf(link, pkt);

	if (p && pass_on(p, netif, fn) == ERR_OK)
		return;
	if (p)
		pbuf_free(p);
	link->rx_dropped++;
	LINK_STATS_INC(link.drop);
}

static int receive(struct fdl_lwip *link, struct fdl_queue *q)
{
	struct fdl_packet *v[RX_BATCH];
	int n = fdl_recv(q, v, RX_BATCH);
	int i;

	for (i = 0; i < n; i++)
		input(link, v[i]);
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
#if NO_SYS
	fdl_flush(fdl_get_queue(link->ep, 0));
#endif
	return alive ? total : last;
}

#if !NO_SYS
static void flush_now(void *arg)
{
	struct fdl_lwip *link = arg;

	link->flushing = 0;
	fdl_flush(fdl_get_queue(link->ep, 0));
}

/* Behind all that waits in lwIP's mailbox: that is the batch. */
static void flush_later(struct fdl_lwip *link)
{
	if (link->flushing)
		return;
	link->flushing = 1;
	if (tcpip_try_callback(flush_now, link) != ERR_OK)
		flush_now(link);
}
#endif

static void sent(void *arg)
{
	pbuf_free(arg);
}

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/*
 * Where behind the IP header TCP's is; 0: nowhere, or in a fragment. Only what
 * lwIP sends has to be understood.
 */
static unsigned find_tcp(const uint8_t *ip, unsigned len)
{
	if (len >= IP_HLEN && ip[0] >> 4 == 4 && ip[9] == IP_PROTO_TCP &&
	    !(get16(ip + 6) & (IP_MF | IP_OFFMASK)))
		return (ip[0] & 15) * 4U;
	if (len >= IP6_HLEN && ip[0] >> 4 == 6 && ip[6] == IP_PROTO_TCP)
		return IP6_HLEN;
	return 0;
}

static unsigned link_len(const struct fdl_lwip *link, const struct pbuf *p)
{
	const uint8_t *frame = p->payload;

	if (!link->netif->hwaddr_len)
		return 0;
	return p->len > 14 && get16(frame + 12) == ETHTYPE_VLAN ? 18 : 14;
}

/* len is that of the TCP segment. */
static void put_pseudo_sum(const uint8_t *ip, uint8_t *tcp, unsigned len)
{
	const uint32_t n = (uint32_t)PP_HTONS(IP_PROTO_TCP) +
			   lwip_htons((u16_t)len);
	uint16_t sum = (uint16_t)((n & 0xffff) + (n >> 16));

	if (ip[0] >> 4 == 4)
		sum = fdl_checksum_sum(ip + 12, 8, sum);
	else
		sum = fdl_checksum_sum(ip + 8, 32, sum);
	memcpy(tcp + TCP_CHKSUM, &sum, sizeof(sum));
}

/*
 * A segment is cut at the MSS of the connection that is sending; one that had to
 * wait for its neighbour, whose connection is not known any more, at the MTU.
 */
static void describe_cuts(const struct fdl_lwip *link, const struct pbuf *p,
			  struct fdl_offload *off)
{
	const unsigned at = link_len(link, p);
	const uint8_t *frame = p->payload;
	const unsigned hdr_len = off->csum_start +
				 (frame[off->csum_start + 12] >> 4) * 4U;
	unsigned size = link->netif->mtu + at;

	if (link->mss)
		size = link->mss + off->csum_start + (unsigned)TCP_HLEN;
	if (p->tot_len <= size || size <= hdr_len)
		return;
	off->gso = frame[at] >> 4 == 4 ? FDL_GSO_TCPV4 : FDL_GSO_TCPV6;
	off->gso_size = (uint16_t)(size - hdr_len);
	off->hdr_len = (uint16_t)hdr_len;
}

/* Say what lwIP has left undone, by a checksum of 0, on a TCP segment. */
static void describe(const struct fdl_lwip *link, struct pbuf *p,
		     struct fdl_offload *off)
{
	const unsigned at = link_len(link, p);
	const unsigned len = p->len > at ? p->len - at : 0;
	uint8_t *ip = (uint8_t *)p->payload + at;
	const unsigned tcp = find_tcp(ip, len);

	if (!tcp || len < tcp + TCP_HLEN || get16(ip + tcp + TCP_CHKSUM))
		return;
	put_pseudo_sum(ip, ip + tcp, p->tot_len - at - tcp);
	off->csum = FDL_CSUM_PARTIAL;
	off->csum_start = (uint16_t)(at + tcp);
	off->csum_offset = TCP_CHKSUM;
	if (link->tso)
		describe_cuts(link, p, off);
}

/*
 * Returns how many pieces; 0: too many. The chain's owner may change what is in
 * a PBUF_REF once we have returned: then it is not steady. Everything else stays
 * as it is as long as we hold a reference.
 */
static int gather(const struct pbuf *p, struct iovec iov[TX_PIECES],
		  bool *steady)
{
	int cnt = 0;

	*steady = true;
	for (; p; p = p->next) {
		if (cnt == TX_PIECES)
			return 0;
		iov[cnt].iov_base = p->payload;
		iov[cnt++].iov_len = p->len;
		*steady = *steady && !PBUF_NEEDS_COPY(p);
	}
	return cnt;
}

static int send_ref(struct fdl_lwip *link, struct pbuf *p,
		    const struct iovec iov[], int cnt,
		    const struct fdl_offload *off)
{
	struct fdl_queue *q = fdl_get_queue(link->ep, 0);
	int rc;

	pbuf_ref(p);
	rc = fdl_write_ref(q, iov, cnt, off, sent, p);
	if (rc < 0)
		pbuf_free(p);
	return rc;
}

static int send_flat(struct fdl_lwip *link, struct pbuf *p,
		     const struct fdl_offload *off)
{
	struct pbuf *flat = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
	struct iovec iov;
	int rc;

	if (!flat)
		return -ENOBUFS;
	iov = (struct iovec){ flat->payload, flat->len };
	rc = send_ref(link, flat, &iov, 1, off);
	pbuf_free(flat);
	return rc;
}

static int send_pieces(struct fdl_lwip *link, struct pbuf *p,
		       const struct fdl_offload *off)
{
	struct iovec iov[TX_PIECES];
	bool steady;
	int cnt;

	cnt = gather(p, iov, &steady);
	if (!cnt)
		return send_flat(link, p, off);
	if (steady)
		return send_ref(link, p, iov, cnt, off);
	return fdl_write(fdl_get_queue(link->ep, 0), iov, cnt, off);
}

static err_t link_output(struct netif *netif, struct pbuf *p)
{
	struct fdl_lwip *link = netif->state;
	struct fdl_offload off = { 0 };
	int rc;

	if (link->wire_sums)
		describe(link, p, &off);
	rc = send_pieces(link, p, &off);
#if !NO_SYS
	flush_later(link);
#endif
	if (rc >= 0)
		return ERR_OK;
	return rc == -EAGAIN || rc == -ENOBUFS ? ERR_MEM : ERR_IF;
}

#if LWIP_IPV4
static err_t output_ip4(struct netif *netif, struct pbuf *p,
			const ip4_addr_t *addr)
{
	LWIP_UNUSED_ARG(addr);
	return link_output(netif, p);
}
#endif

#if LWIP_IPV6
static err_t output_ip6(struct netif *netif, struct pbuf *p,
			const ip6_addr_t *addr)
{
	LWIP_UNUSED_ARG(addr);
	return link_output(netif, p);
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

static err_t set_ethernet(struct netif *netif, const uint8_t *address)
{
	static const uint8_t unknown[NETIF_MAX_HWADDR_LEN];

	if (!memcmp(address, unknown, ETH_HWADDR_LEN))
		return ERR_ARG;
	memcpy(netif->hwaddr, address, ETH_HWADDR_LEN);
	netif->hwaddr_len = ETH_HWADDR_LEN;
	netif->flags |= NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHERNET;
#if LWIP_IPV4 && LWIP_ARP
	netif->flags |= NETIF_FLAG_ETHARP;
	netif->output = etharp_output;
#endif
#if LWIP_IGMP
	netif->flags |= NETIF_FLAG_IGMP;
#endif
#if LWIP_IPV6
	netif->output_ip6 = ethip6_output;
#endif
#if LWIP_IPV6 && LWIP_IPV6_MLD
	netif->flags |= NETIF_FLAG_MLD6;
#endif
	return ERR_OK;
}

struct fdl_lwip *fdl_lwip_tso_link(const struct netif *netif)
{
	struct fdl_lwip *link = netif->state;

	return netif->linkoutput == link_output && link->tso ? link : NULL;
}

/* Asks a packet: what the endpoint was given is not to be read off it. */
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
	const uint32_t mtu = fdl_mtu(ep);
	const uint32_t max_mtu = MAX_PBUF - fdl_max_header_len(ep);

	if (!has_headroom(ep))
		return ERR_BUF;
	link->netif = netif;
	if (!link->pool)
		link->pool = DEFAULT_POOL;
	netif->name[0] = 'f';
	netif->name[1] = 'd';
	netif->mtu = (u16_t)(mtu < max_mtu ? mtu : max_mtu);
	netif->flags |= NETIF_FLAG_LINK_UP;
	netif->linkoutput = link_output;
	link->wire_sums = fdl_capabilities(ep) & FDL_CAP_RX_CSUM;
	link->tso = link->tso && link->wire_sums;
	leave_sums(netif, link->wire_sums);
	if (fdl_max_header_len(ep))
		return set_ethernet(netif, fdl_address(ep));
	set_ip(netif);
	return ERR_OK;
}
