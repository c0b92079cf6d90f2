/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of merging are those of the kernel's GRO (tcp_gro_receive,
 * udp_gro_receive_segment, inet_gro_flush), or stricter where cutting again
 * would not give back what was merged.
 */
#include "offload/fit.h"

#include "offload/checksum.h"
#include "offload/fit_outer.h"
#include "offload/limits.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/tunnel.h"
#include "proto/udp.h"

enum {
	/* Of fixed_ids_. */
	INNER_ID = 1 << 0,
	OUTER_ID = 1 << 1,

	/* CWR is not merged: it may be a signal of the first segment (RFC 3168)
	 * or a bit of a counter (AccECN), and the packet does not say which. */
	TCP_NEVER = TCP_FLAG_URG | TCP_FLAG_RST | TCP_FLAG_SYN | TCP_FLAG_CWR,
};

static bool differ(const uint8_t *a, const uint8_t *b, size_t at, size_t len)
{
	return memcmp(a + at, b + at, len) != 0;
}

static bool is_whole_udp(const uint8_t *udp, const struct parsed *p)
{
	return udp_total_len(udp) == p->end - p->l4 &&
	       get_be16(udp + UDP_CHECK);
}

static bool is_plain_ip4(const uint8_t *ip)
{
	return ip4_hdr_len(ip) == IP4_MIN_LEN && !(ip4_frag(ip) & IP4_NOT_DF) &&
	       ip4_check_is_right(ip);
}

/* What a sender leaves to its device is the checksum of the packet that is
 * merged; or if that one is complete, the one outside. */
static bool is_usual_csum(const struct fdl_coalesce_packet *pkt,
			  const struct parsed *p)
{
	const struct fdl_offload *off = &pkt->off;

	if (off->csum != FDL_CSUM_PARTIAL)
		return true;
	if (off->csum_start != p->l4)
		return fit_outer_is_left(pkt);
	return off->csum_offset == parsed_check_offset(p);
}

static bool is_plain_outside(const struct fdl_coalesce_packet *pkt)
{
	return pkt->outer_.is[0] != TUNNEL_IP4 ||
	       is_plain_ip4(pkt->hdr_ + pkt->outer_.at[0]);
}

static bool lacks_sum_outside(const struct fdl_coalescer *c,
			      const struct fdl_coalesce_packet *pkt)
{
	return !(c->flags & FDL_COALESCE_UDP_TUNNEL) &&
	       pkt->outer_.is[1] == TUNNEL_UDP && !fit_outer_has_sum(pkt);
}

bool fit_alone(const struct fdl_coalescer *c,
	       const struct fdl_coalesce_packet *pkt, const struct parsed *p)
{
	const bool tcp = p->proto == TCP_PROTO;
	const uint8_t *bytes = pkt->hdr_;

	if (!(c->flags & (tcp ? FDL_COALESCE_TCP : FDL_COALESCE_UDP)))
		return false;
	if (pkt->off.gso || p->routed || p->payload > FDL_HEADERS_MAX)
		return false;
	if (p->end != pkt->len_ || p->payload == p->end)
		return false;
	if (p->version == 4 && !is_plain_ip4(bytes + p->l3))
		return false;
	if (pkt->outer_.n &&
	    (!is_plain_outside(pkt) || lacks_sum_outside(c, pkt)))
		return false;
	if (!is_usual_csum(pkt, p))
		return false;
	if (tcp)
		return !(bytes[p->l4 + TCP_FLAGS] & TCP_NEVER);
	return is_whole_udp(bytes + p->l4, p);
}

void fit_doubt(struct fdl_coalesce_packet *pkt)
{
	if (fit_outer_has_sum(pkt))
		pkt->trusted_ = false;
}

static bool is_right_outside(const struct fdl_coalesce_packet *pkt,
			     uint16_t inner)
{
	const struct outers o = fit_outers(pkt);

	return outer_sums_right(&o, pkt->hdr_, pkt->len_, inner);
}

/* The checksum of the packet that is merged is left to the other side. */
static bool is_left(const struct fdl_coalesce_packet *pkt)
{
	return pkt->off.csum == FDL_CSUM_PARTIAL &&
	       pkt->off.csum_start == pkt->l4_;
}

/* Not inline, because most packets are trusted. */
__attribute__((noinline)) static bool verify(struct fdl_coalesce_packet *pkt)
{
	const struct parsed p = { .l3 = pkt->l3_,
				  .version = pkt->version_,
				  .proto = pkt->proto_ };
	const uint32_t len = pkt->len_ - pkt->l4_;
	uint16_t sum;

	sum = checksum_add(checksum_pseudo(pkt->hdr_, &p), len);
	if (pkt->outer_.n && !is_right_outside(pkt, sum))
		return false;
	pkt->trusted_ = is_left(pkt) ||
			fdl_checksum_iov(pkt->iov, pkt->cnt, pkt->l4_, len,
					 sum) == 0xffff;
	return pkt->trusted_;
}

/* Verify the checksums, unless that was done before or the other side vouches
 * for them. */
static bool is_right(struct fdl_coalesce_packet *pkt)
{
	return pkt->trusted_ || verify(pkt);
}

bool fit_same_flow(const struct fdl_coalesce_packet *a,
		   const struct fdl_coalesce_packet *b)
{
	const bool v4 = a->version_ == 4;

	if (a->hash_ != b->hash_ || a->version_ != b->version_ ||
	    a->proto_ != b->proto_)
		return false;
	if (differ(fit_l3(a), fit_l3(b), v4 ? IP4_SRC : IP6_SRC,
		   2 * (v4 ? IP4_ADDR_LEN : IP6_ADDR_LEN)))
		return false;
	return !differ(fit_l4(a), fit_l4(b), 0, 4);
}

/* Whether the id of an IPv4 header, at ip, continues those of the item, which
 * began at first. The second packet of an item decides whether its ids count up
 * or stand still. which: INNER_ID or OUTER_ID. */
static inline bool id_fits(const struct fdl_coalescer *c,
			   struct fdl_coalesce_packet *head,
			   const uint8_t *first, const uint8_t *ip,
			   uint8_t which)
{
	const unsigned delta =
		(get_be16(ip + IP4_ID) - get_be16(first + IP4_ID)) & 0xffffu;
	const bool df = ip4_frag(ip) & IP4_DF;

	if (df && c->flags & FDL_COALESCE_ANY_ID)
		return true;
	if (head->count_ == 1) {
		head->fixed_ids_ &= (uint8_t)~which;
		head->fixed_ids_ |= df && !delta ? which : 0;
	}
	return delta == (head->fixed_ids_ & which ? 0 : head->count_);
}

/* All else in the outer headers is the same in both. */
static bool outer_id_fits(const struct fdl_coalescer *c,
			  struct fdl_coalesce_packet *head,
			  const struct fdl_coalesce_packet *pkt)
{
	const unsigned at = head->outer_.at[0];

	return head->outer_.is[0] != TUNNEL_IP4 ||
	       id_fits(c, head, head->hdr_ + at, pkt->hdr_ + at, OUTER_ID);
}

static bool ip_fits(const struct fdl_coalescer *c,
		    struct fdl_coalesce_packet *head,
		    const struct fdl_coalesce_packet *pkt)
{
	const uint8_t *a = fit_l3(head), *b = fit_l3(pkt);

	if (head->version_ == 4)
		return a[IP4_TOS] == b[IP4_TOS] && a[IP4_TTL] == b[IP4_TTL] &&
		       ip4_frag(a) == ip4_frag(b) &&
		       id_fits(c, head, a, b, INNER_ID);
	return !differ(a, b, 0, IP6_PAYLOAD_LEN) &&
	       !differ(a, b, IP6_NEXT, 2) &&
	       !differ(a, b, IP6_LEN, (size_t)(pkt->l4_ - pkt->l3_ - IP6_LEN));
}

/* Compare all of the TCP header except ports, sequence number, checksum, and
 * the flags that end an item. */
static bool tcp_fits(const struct fdl_coalesce_packet *head,
		     const struct fdl_coalesce_packet *pkt)
{
	const uint8_t *a = fit_l4(head), *b = fit_l4(pkt);

	if (get_be32(b + TCP_SEQ) != get_be32(a + TCP_SEQ) + head->total_)
		return false;
	if ((a[TCP_FLAGS] ^ b[TCP_FLAGS]) & ~FIT_TCP_ENDS)
		return false;
	return !differ(a, b, TCP_ACK, TCP_FLAGS - TCP_ACK) &&
	       !differ(a, b, TCP_FLAGS + 1, TCP_CHECK - TCP_FLAGS - 1) &&
	       !differ(a, b, TCP_CHECK + 2,
		       (size_t)(pkt->hdr_len_ - pkt->l4_ - TCP_CHECK - 2));
}

static bool fits(const struct fdl_coalescer *c,
		 struct fdl_coalesce_packet *head,
		 const struct fdl_coalesce_packet *pkt)
{
	if (pkt->payload_ > head->payload_ ||
	    head->len_ + pkt->payload_ > c->max_len ||
	    head->pieces_ + pkt->cnt > c->max_pieces)
		return false;
	if (pkt->proto_ == TCP_PROTO && !tcp_fits(head, pkt))
		return false;
	if (head->outer_.n && !outer_id_fits(c, head, pkt))
		return false;
	return ip_fits(c, head, pkt);
}

bool fit_in(const struct fdl_coalescer *c, struct fdl_coalesce_packet *head,
	    struct fdl_coalesce_packet *pkt)
{
	return fits(c, head, pkt) && is_right(head) && is_right(pkt);
}

bool fit_same_layout(const struct fdl_coalesce_packet *head,
		     const struct fdl_coalesce_packet *pkt)
{
	return pkt->l3_ == head->l3_ && pkt->l4_ == head->l4_ &&
	       pkt->hdr_len_ == head->hdr_len_ &&
	       !memcmp(&pkt->outer_, &head->outer_, sizeof(pkt->outer_)) &&
	       fit_same_front(head, pkt);
}

bool fit_as_first(const struct fdl_coalesce_packet *pkt)
{
	return pkt->proto_ == UDP_PROTO ||
	       (pkt->payload_ >= MIN_TCP_GSO_SIZE && !fit_is_last(pkt));
}

static bool same_work(const struct fdl_offload *a, const struct fdl_offload *b)
{
	return a->csum == b->csum && a->csum_start == b->csum_start &&
	       a->csum_offset == b->csum_offset && !b->gso;
}

/*
 * Compare the fields that parsing depends on. The length is not the same in
 * both packets: it must be that of each packet itself, which parsing has found
 * for head.
 */
static bool looks_alike_ip(const struct fdl_coalesce_packet *head,
			   const struct fdl_coalesce_packet *pkt)
{
	const uint8_t *a = fit_l3(head), *b = pkt->hdr_ + head->l3_;
	const size_t len = pkt->len_ - head->l3_;

	if (head->version_ == 4)
		return a[0] == b[0] && ip4_total_len(b) == len &&
		       ip4_frag(a) == ip4_frag(b) &&
		       a[IP4_PROTO] == b[IP4_PROTO] &&
		       !differ(a, b, IP4_SRC, 2 * IP4_ADDR_LEN) &&
		       ip4_check_is_right(b);
	return a[0] == b[0] && ip6_payload_len(b) == len - IP6_LEN &&
	       a[IP6_NEXT] == b[IP6_NEXT] &&
	       !differ(a, b, IP6_SRC, head->l4_ - head->l3_ - (size_t)IP6_SRC);
}

static bool looks_alike_l4(const struct fdl_coalesce_packet *head,
			   const struct fdl_coalesce_packet *pkt)
{
	const uint8_t *a = fit_l4(head), *b = pkt->hdr_ + head->l4_;

	if (differ(a, b, 0, 4))
		return false;
	if (head->proto_ == TCP_PROTO)
		return a[TCP_OFF] == b[TCP_OFF] && !(b[TCP_FLAGS] & TCP_NEVER);
	return udp_total_len(b) == pkt->len_ - head->l4_ &&
	       get_be16(b + UDP_CHECK);
}

bool fit_looks_alike(const struct fdl_coalesce_packet *head,
		     const struct fdl_coalesce_packet *pkt)
{
	return pkt->cnt && pkt->iov[0].iov_len >= head->hdr_len_ &&
	       pkt->len_ > head->hdr_len_ && pkt->link_len == head->link_len &&
	       same_work(&head->off, &pkt->off) && fit_same_front(head, pkt) &&
	       looks_alike_ip(head, pkt) && looks_alike_l4(head, pkt) &&
	       (!head->outer_.n || fit_outer_is_right(head, pkt));
}
