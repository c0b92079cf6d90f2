/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that lwIP sends, on their way to the endpoint. */
#include "fdl_lwip_output.h"
#include "fdl_lwip.h"
#include "fdl_lwip_address.h"
#include "fdl_lwip_bytes.h"
#include "fdl_lwip_frag.h"
#include "fdl_lwip_path.h"

#include <errno.h>
#include <string.h>

#include <fdlink/offload.h>

#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/ip.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/tcp.h>
#include <lwip/tcpip.h>

enum {
	TX_PIECES = 64,
	TCP_CHKSUM = 16,	/* where it is in the header */
	IP_IDENT = 4,
	IP_FLAGS = 6,
	IP_CHKSUM = 10,
	MIN_MTU6 = 1280,	/* every IPv6 path takes that */
};

void fdl_lwip_flush(struct fdl_lwip *link)
{
	link->lent = 0;
	fdl_flush(fdl_get_queue(link->ep, 0));
}

#if !NO_SYS
static void flush_now(void *arg)
{
	struct fdl_lwip *link = arg;

	link->flushing = 0;
	fdl_lwip_flush(link);
}

/* The flush goes to the end of lwIP's mailbox: what waits there belongs to the
 * same batch. Received packets have a flush of their own behind them. */
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

/*
 * Returns how far behind the start of the IP header the TCP header is. 0: there
 * is none, or the packet is a fragment. lwIP's own packets have no extension
 * header before TCP.
 */
static unsigned find_tcp(const uint8_t *ip, unsigned len)
{
	if (len >= IP_HLEN && ip[0] >> 4 == 4 && ip[9] == IP_PROTO_TCP &&
	    !(fdl_lwip_get16(ip + 6) & (IP_MF | IP_OFFMASK)))
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
	if (p->len > 14 && fdl_lwip_get16(frame + 12) == ETHTYPE_VLAN)
		return 18;
	return 14;
}

/* len: of the TCP segment. */
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

/* Returns the MTU of the path to a packet's destination. */
static unsigned find_mtu(struct fdl_lwip *link, const uint8_t *ip)
{
	const unsigned version = ip[0] >> 4;
	const unsigned mtu = fdl_lwip_path_mtu(link, version,
					       ip + (version == 6 ? 24 : 16));

	return mtu && mtu < link->mtu ? mtu : link->mtu;
}

#if LWIP_TCP
/* Returns the connection that a segment of ours belongs to, or NULL. */
static const struct tcp_pcb *find_connection(const uint8_t *ip, unsigned tcp)
{
	const unsigned version = ip[0] >> 4, len = version == 6 ? 16 : 4;
	const uint8_t *from = ip + (version == 6 ? 8 : 12);
	const struct tcp_pcb *pcb;

	for (pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
		if (pcb->local_port == fdl_lwip_get16(ip + tcp) &&
		    pcb->remote_port == fdl_lwip_get16(ip + tcp + 2) &&
		    fdl_lwip_is(&pcb->local_ip, version, from) &&
		    fdl_lwip_is(&pcb->remote_ip, version, from + len))
			break;
	}
	return pcb;
}

/* Returns the MSS of the connection that sends a segment, 0: it is none of
 * segmentation offload's. A segment that waited for its neighbour's address is
 * sent by nobody, and may have more than one MSS. */
static unsigned find_mss(const struct fdl_lwip *link, const uint8_t *ip,
			 unsigned tcp)
{
	const struct tcp_pcb *pcb;

	if (link->mss || !link->tso || !link->netif->hwaddr_len)
		return link->mss;
	pcb = find_connection(ip, tcp);
	return pcb ? pcb->mss : 0;
}
#else
static unsigned find_mss(const struct fdl_lwip *link, const uint8_t *ip,
			 unsigned tcp)
{
	LWIP_UNUSED_ARG(link);
	LWIP_UNUSED_ARG(ip);
	LWIP_UNUSED_ARG(tcp);
	return 0;
}
#endif

/*
 * A segment is cut at the MSS of the connection that sends it. If that
 * is not known, or was more when the segment was made, it is cut at the path's
 * MTU. at: where the TCP header is.
 */
static void describe_cuts(struct fdl_lwip *link, const struct pbuf *p,
			  const uint8_t *ip, unsigned at,
			  struct fdl_offload *off)
{
	const uint8_t *frame = p->payload;
	const unsigned hdr_len = at + (frame[at + 12] >> 4) * 4U;
	const unsigned link_hdr_len = (unsigned)(ip - frame);
	unsigned size = p->tot_len, mss;

	if (size <= hdr_len)
		return;
	mss = find_mss(link, ip, at - link_hdr_len);
	if (mss)
		size = mss + at + (unsigned)TCP_HLEN;
	if (!link->mss && (link->narrow || size > link->mtu + link_hdr_len))
		size = LWIP_MIN(size, find_mtu(link, ip) + link_hdr_len);
	if (p->tot_len <= size || size <= hdr_len)
		return;
	off->gso = ip[0] >> 4 == 4 ? FDL_GSO_TCPV4 : FDL_GSO_TCPV6;
	off->gso_size = (uint16_t)(size - hdr_len);
	off->hdr_len = (uint16_t)hdr_len;
}

#if LWIP_IPV4
/* Change 16 bits of an IPv4 header, and its checksum with them (RFC 1624). */
static void put_ip4(uint8_t *ip, unsigned at, unsigned value)
{
	uint32_t sum = 0xffffU - fdl_lwip_get16(ip + IP_CHKSUM);

	sum += 0xffffU - fdl_lwip_get16(ip + at) + value;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	fdl_lwip_put16(ip + IP_CHKSUM, 0xffffU - sum);
	fdl_lwip_put16(ip + at, value);
}

static unsigned count_segments(const struct pbuf *p,
			       const struct fdl_offload *off)
{
	if (!off->gso)
		return 1;
	return (p->tot_len - (unsigned)off->hdr_len + off->gso_size - 1U) /
	       off->gso_size;
}

/*
 * A segment of ours forbids routers to cut it (RFC 1191). On a path where they
 * are to, each packet has a number of its own, by which fragments are told
 * apart: lwIP counts a super-packet as one. What lwIP forwards stays as it is.
 */
static void finish_ip4(struct fdl_lwip *link, const struct pbuf *p, uint8_t *ip,
		       const struct fdl_offload *off)
{
	if (memcmp(ip + 12, netif_ip4_addr(link->netif), 4) != 0)
		return;
	if (!fdl_lwip_path_cuts(link, ip + 16)) {
		put_ip4(ip, IP_FLAGS, IP_DF);
		return;
	}
	put_ip4(ip, IP_IDENT, link->ident4);
	link->ident4 = (uint16_t)(link->ident4 + count_segments(p, off));
}
#endif

/* Say which work on a TCP segment is left to the wire: the checksum, which is 0
 * if lwIP has left it, and the cutting. */
static void describe(struct fdl_lwip *link, const struct pbuf *p, uint8_t *ip,
		     unsigned tcp, struct fdl_offload *off)
{
	const unsigned at = (unsigned)(ip - (uint8_t *)p->payload) + tcp;

	if (link->wire_sums && !fdl_lwip_get16(ip + tcp + TCP_CHKSUM)) {
		put_pseudo_sum(ip, ip + tcp, p->tot_len - at);
		off->csum = FDL_CSUM_PARTIAL;
		off->csum_start = (uint16_t)at;
		off->csum_offset = TCP_CHKSUM;
	}
	describe_cuts(link, p, ip, at, off);
#if LWIP_IPV4
	if (ip[0] >> 4 == 4)
		finish_ip4(link, p, ip, off);
#endif
}

/* How long the bytes of a pbuf chain stay unchanged. */
enum hold {
	REFERRED,	/* as long as we hold a reference */
	LENT,		/* until their application learns that they are sent */
	PASSING,	/* until we return: then the owner may change them */
};

static enum hold hold_of(const struct pbuf *p)
{
	if (PBUF_NEEDS_COPY(p))
		return PASSING;
	return fdl_lwip_is_foreign(p) ? LENT : REFERRED;
}

/* Returns how many pieces; 0: too many. */
static int gather(const struct pbuf *p, struct iovec iov[TX_PIECES],
		  enum hold *hold)
{
	enum hold one;
	int cnt = 0;

	*hold = REFERRED;
	for (; p; p = p->next) {
		if (cnt == TX_PIECES)
			return 0;
		iov[cnt].iov_base = p->payload;
		iov[cnt++].iov_len = p->len;
		one = hold_of(p);
		if (one > *hold)
			*hold = one;
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

#if FDL_LWIP_LOANS
/* Returns the bit of the connection that lends a frame's bytes. tcp: the
 * frame's header. */
static uint64_t find_loan(const uint8_t *tcp)
{
	return UINT64_C(1) << fdl_lwip_loan(fdl_lwip_get16(tcp),
					    fdl_lwip_get16(tcp + 2));
}

static int send_lent(struct fdl_lwip *link, struct pbuf *p, const uint8_t *tcp,
		     const struct iovec iov[], int cnt,
		     const struct fdl_offload *off)
{
	const uint64_t loan = tcp ? find_loan(tcp) : 0;
	const unsigned ref = p->ref;
	int rc;

	if (!loan || loan & link->unlent)
		return fdl_write(fdl_get_queue(link->ep, 0), iov, cnt, off);
	rc = send_ref(link, p, iov, cnt, off);
	if (p->ref > ref)
		link->lent |= loan;
	return rc;
}
#else
static int send_lent(struct fdl_lwip *link, struct pbuf *p, const uint8_t *tcp,
		     const struct iovec iov[], int cnt,
		     const struct fdl_offload *off)
{
	LWIP_UNUSED_ARG(p);
	LWIP_UNUSED_ARG(tcp);
	return fdl_write(fdl_get_queue(link->ep, 0), iov, cnt, off);
}
#endif

/* tcp: the frame's TCP header. NULL: it does not show one. */
static int send_pieces(struct fdl_lwip *link, struct pbuf *p,
		       const uint8_t *tcp, const struct fdl_offload *off)
{
	struct iovec iov[TX_PIECES];
	enum hold hold;
	int cnt;

	cnt = gather(p, iov, &hold);
	if (!cnt)
		return send_flat(link, p, off);
	if (hold == REFERRED)
		return send_ref(link, p, iov, cnt, off);
	if (hold == LENT)
		return send_lent(link, p, tcp, iov, cnt, off);
	return fdl_write(fdl_get_queue(link->ep, 0), iov, cnt, off);
}

static int send_fragments(struct fdl_lwip *link, struct fdl_lwip_frag *f)
{
	const struct fdl_offload off = { 0 };
	struct pbuf *q;
	int rc = 0;

	while (rc >= 0 && f->left) {
		q = fdl_lwip_frag_next(f);
		if (!q)
			return -ENOBUFS;
		rc = send_pieces(link, q, NULL, &off);
		pbuf_free(q);
	}
	return rc;
}

/* Send an IPv6 packet that some paths are too narrow for, and that is not
 * TCP. */
static int send_long(struct fdl_lwip *link, struct pbuf *p, const uint8_t *ip)
{
	const unsigned at = (unsigned)(ip - (uint8_t *)p->payload);
	const unsigned mtu = find_mtu(link, ip);
	const struct fdl_offload off = { 0 };
	struct fdl_lwip_frag f;

	fdl_lwip_path_use(link, 6, ip + 24);
	if (p->tot_len <= mtu + at ||
	    !fdl_lwip_frag_start(&f, p, at, mtu, ++link->ident))
		return send_pieces(link, p, NULL, &off);
	return send_fragments(link, &f);
}

static int send_packet(struct fdl_lwip *link, struct pbuf *p)
{
	const unsigned at = link_len(link, p);
	const unsigned len = p->len > at ? p->len - at : 0;
	uint8_t *ip = (uint8_t *)p->payload + at;
	const unsigned tcp = find_tcp(ip, len);
	struct fdl_offload off = { 0 };

	if (tcp && len >= tcp + TCP_HLEN) {
		describe(link, p, ip, tcp, &off);
		return send_pieces(link, p, ip + tcp, &off);
	}
	if (p->tot_len > at + MIN_MTU6 && len >= IP6_HLEN && ip[0] >> 4 == 6)
		return send_long(link, p, ip);
	return send_pieces(link, p, NULL, &off);
}

err_t fdl_lwip_output(struct netif *netif, struct pbuf *p)
{
	struct fdl_lwip *link = netif->state;
	int rc;

	link->passed = p;
	rc = send_packet(link, p);
#if !NO_SYS
	flush_later(link);
#endif
	if (rc >= 0)
		return ERR_OK;
	return rc == -EAGAIN || rc == -ENOBUFS ? ERR_MEM : ERR_IF;
}
