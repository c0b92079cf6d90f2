/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip.h"
#include "fdl_lwip_link.h"

#include <errno.h>
#include <string.h>

#include <fdlink/offload.h>

#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/pbuf.h>
#include <lwip/prot/ip.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/tcp.h>
#include <lwip/sys.h>
#include <lwip/tcpip.h>

enum {
	RX_BATCH = 64,
	TX_PIECES = 64,
	DEFAULT_POOL = 256,	/* as fdl_options.pool has it */
	MAX_FRAME = 0xffff,
	TCP_CHKSUM = 16,	/* where it is in the header */
};

void fdl_lwip_leave_sums(struct netif *netif, bool leave)
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

/* Behind all that waits in lwIP's mailbox: that is the batch. What is received
 * flushes what it sent itself. */
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

struct fdl_lwip *fdl_lwip_link(const struct netif *netif)
{
	return netif->linkoutput == link_output ? netif->state : NULL;
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
	const uint32_t max_mtu = MAX_FRAME - fdl_max_header_len(ep);

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
	fdl_lwip_leave_sums(netif, link->wire_sums);
	if (fdl_max_header_len(ep))
		return set_ethernet(netif, fdl_address(ep));
	set_ip(netif);
	return ERR_OK;
}
