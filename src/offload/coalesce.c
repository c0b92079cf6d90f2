/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging. A batch is a list of items in the order of their first packets; an
 * item is a packet and the chain of those merged into it, whose state its first
 * packet keeps. The flow table only says which item of a flow may still grow:
 * taking one out of it, to make room or because a packet of that flow could not
 * be merged, loses nothing and keeps the flow in order. The rules are those of
 * the kernel's GRO (tcp_gro_receive, udp_gro_receive_segment, inet_gro_flush),
 * or stricter where cutting again would not give back what was merged.
 *
 * Packets come in trains: one that looks like the item that grew last, in all
 * that parsing depends on, is not parsed.
 */
#include "offload/coalesce.h"

#include <errno.h>
#include <string.h>

#include "offload/checksum.h"
#include "offload/limits.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/parse.h"
#include "proto/tcp.h"
#include "proto/udp.h"

enum {
	WAYS = 4,
	SETS = FDL_COALESCE_FLOWS / WAYS,
	MAX_PIECES = 1022,
	TCP_ENDS = TCP_FLAG_PSH | TCP_FLAG_FIN,
	/* CWR: whether it is a signal of the first segment (RFC 3168) or a bit
	 * of a counter (AccECN) cannot be seen. */
	TCP_NEVER = TCP_FLAG_URG | TCP_FLAG_RST | TCP_FLAG_SYN | TCP_FLAG_CWR,
};

void fdl_coalesce_init(struct fdl_coalescer *c, unsigned flags,
		       uint32_t max_len, int max_pieces)
{
	memset(c, 0, sizeof(*c));
	c->flags = flags;
	c->max_len = max_len && max_len < MAX_SUPER_LEN ? max_len :
							  MAX_SUPER_LEN;
	c->max_pieces = max_pieces ? max_pieces : MAX_PIECES;
}

static const uint8_t *l3(const struct fdl_coalesce_packet *pkt)
{
	return pkt->hdr_ + pkt->l3_;
}

static const uint8_t *l4(const struct fdl_coalesce_packet *pkt)
{
	return pkt->hdr_ + pkt->l4_;
}

static bool differ(const uint8_t *a, const uint8_t *b, size_t at, size_t len)
{
	return memcmp(a + at, b + at, len) != 0;
}

static bool ends_item(const struct fdl_coalesce_packet *pkt)
{
	return pkt->proto_ == TCP_PROTO && l4(pkt)[TCP_FLAGS] & TCP_ENDS;
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

static bool is_usual_csum(const struct fdl_offload *off, const struct parsed *p)
{
	return off->csum != FDL_CSUM_PARTIAL ||
	       (off->csum_start == p->l4 &&
		off->csum_offset == parsed_check_offset(p));
}

/* Whether the packet by itself could be part of a super-packet. */
static bool is_mergeable(const struct fdl_coalescer *c,
			 const struct fdl_coalesce_packet *pkt,
			 const struct parsed *p)
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
	if (!is_usual_csum(&pkt->off, p))
		return false;
	if (tcp)
		return !(bytes[p->l4 + TCP_FLAGS] & TCP_NEVER);
	return is_whole_udp(bytes + p->l4, p);
}

/* Verify the checksum unless that was done, or need not be. */
static bool is_right(struct fdl_coalesce_packet *pkt)
{
	const struct parsed p = { .l3 = pkt->l3_,
				  .version = pkt->version_,
				  .proto = pkt->proto_ };
	const uint32_t len = pkt->len_ - pkt->l4_;
	uint16_t sum;

	if (pkt->trusted_)
		return true;
	sum = checksum_add(checksum_pseudo(pkt->hdr_, &p), len);
	sum = fdl_checksum_iov(pkt->iov, pkt->cnt, pkt->l4_, len, sum);
	pkt->trusted_ = sum == 0xffff;
	return pkt->trusted_;
}

static bool same_flow(const struct fdl_coalesce_packet *a,
		      const struct fdl_coalesce_packet *b)
{
	const bool v4 = a->version_ == 4;

	if (a->hash_ != b->hash_ || a->version_ != b->version_ ||
	    a->proto_ != b->proto_)
		return false;
	if (differ(l3(a), l3(b), v4 ? IP4_SRC : IP6_SRC,
		   2 * (v4 ? IP4_ADDR_LEN : IP6_ADDR_LEN)))
		return false;
	return !differ(l4(a), l4(b), 0, 4);
}

/* What the ids of an IPv4 item allow; the second packet decides on its kind. */
static bool id_fits(const struct fdl_coalescer *c,
		    struct fdl_coalesce_packet *head, const uint8_t *ip)
{
	const unsigned delta =
		(get_be16(ip + IP4_ID) - get_be16(l3(head) + IP4_ID)) & 0xffffu;
	const bool df = ip4_frag(ip) & IP4_DF;

	if (df && c->flags & FDL_COALESCE_ANY_ID)
		return true;
	if (head->count_ == 1)
		head->fixed_id_ = df && !delta;
	return delta == (head->fixed_id_ ? 0 : head->count_);
}

static bool ip_fits(const struct fdl_coalescer *c,
		    struct fdl_coalesce_packet *head,
		    const struct fdl_coalesce_packet *pkt)
{
	const uint8_t *a = l3(head), *b = l3(pkt);

	if (head->version_ == 4)
		return a[IP4_TOS] == b[IP4_TOS] && a[IP4_TTL] == b[IP4_TTL] &&
		       ip4_frag(a) == ip4_frag(b) && id_fits(c, head, b);
	return !differ(a, b, 0, IP6_PAYLOAD_LEN) &&
	       !differ(a, b, IP6_NEXT, 2) &&
	       !differ(a, b, IP6_LEN, (size_t)(pkt->l4_ - pkt->l3_ - IP6_LEN));
}

/* All of it but ports, sequence number, checksum, and the flags that end. */
static bool tcp_fits(const struct fdl_coalesce_packet *head,
		     const struct fdl_coalesce_packet *pkt)
{
	const uint8_t *a = l4(head), *b = l4(pkt);

	if (get_be32(b + TCP_SEQ) != get_be32(a + TCP_SEQ) + head->total_)
		return false;
	if ((a[TCP_FLAGS] ^ b[TCP_FLAGS]) & ~TCP_ENDS)
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
	return ip_fits(c, head, pkt);
}

/* Two packets of one flow: is everything also in the same place? */
static bool same_layout(const struct fdl_coalesce_packet *head,
			const struct fdl_coalesce_packet *pkt)
{
	return pkt->l3_ == head->l3_ && pkt->l4_ == head->l4_ &&
	       pkt->hdr_len_ == head->hdr_len_ &&
	       !differ(head->hdr_, pkt->hdr_, 0, pkt->l3_);
}

static void append(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt)
{
	if (c->last)
		c->last->item_ = pkt;
	else
		c->first = pkt;
	c->last = pkt;
}

static void chain(struct fdl_coalesce_packet *head,
		  struct fdl_coalesce_packet *pkt)
{
	head->last_->next = pkt;
	head->last_ = pkt;
	head->count_++;
	head->pieces_ += pkt->cnt;
	head->total_ += pkt->payload_;
	head->len_ += pkt->payload_;
}

/* The slot of the packet's flow, or the one to use for it. */
static struct fdl_coalesce_packet **find_slot(
	struct fdl_coalescer *c, const struct fdl_coalesce_packet *pkt)
{
	struct fdl_coalesce_packet **set, **free_slot = NULL;
	unsigned i;

	set = &c->flow[pkt->hash_ % SETS * WAYS];
	for (i = 0; i < WAYS; i++) {
		if (!set[i])
			free_slot = free_slot ? free_slot : &set[i];
		else if (same_flow(set[i], pkt))
			return &set[i];
	}
	return free_slot ? free_slot : &set[pkt->hash_ / SETS % WAYS];
}

static void close_all(struct fdl_coalescer *c)
{
	if (c->open)
		memset(c->flow, 0, sizeof(c->flow));
	c->open = false;
}

static void describe(struct fdl_coalesce_packet *pkt, const struct parsed *p)
{
	pkt->version_ = p->version;
	pkt->proto_ = p->proto;
	pkt->l3_ = (uint16_t)p->l3;
	pkt->l4_ = (uint16_t)p->l4;
	pkt->hdr_len_ = (uint16_t)p->payload;
	pkt->payload_ = pkt->len_ - p->payload;
	pkt->total_ = pkt->payload_;
	pkt->hash_ = flow_hash(pkt->hdr_, p->payload, pkt->link_len, p);
}

/* Whether pkt went into the item at slot, which may thereby have ended. */
static bool join(const struct fdl_coalescer *c,
		 struct fdl_coalesce_packet **slot,
		 struct fdl_coalesce_packet *pkt)
{
	struct fdl_coalesce_packet *head = *slot;

	if (!fits(c, head, pkt) || !is_right(head) || !is_right(pkt))
		return false;
	chain(head, pkt);
	if (ends_item(pkt) || pkt->payload_ < head->payload_ ||
	    (pkt->proto_ == UDP_PROTO && head->count_ == MAX_UDP_MERGED))
		*slot = NULL;
	return true;
}

/* Whether an item may begin with the packet. */
static bool can_grow(const struct fdl_coalesce_packet *pkt)
{
	return pkt->proto_ == UDP_PROTO ||
	       (pkt->payload_ >= MIN_TCP_GSO_SIZE && !ends_item(pkt));
}

/* Into the item at slot or, where that is none or full, an item of its own. */
static void place(struct fdl_coalescer *c, struct fdl_coalesce_packet **slot,
		  struct fdl_coalesce_packet *pkt)
{
	c->recent = (unsigned)(slot - c->flow);
	if (*slot && join(c, slot, pkt))
		return;
	append(c, pkt);
	*slot = can_grow(pkt) ? pkt : NULL;
	c->open = true;
}

static void add_to_flow(struct fdl_coalescer *c,
			struct fdl_coalesce_packet *pkt, const struct parsed *p)
{
	const bool mergeable = is_mergeable(c, pkt, p);
	struct fdl_coalesce_packet **slot;
	bool same;

	describe(pkt, p);
	slot = find_slot(c, pkt);
	same = *slot && same_flow(*slot, pkt);
	if (!mergeable || (!same && !can_grow(pkt))) {
		if (same)
			*slot = NULL;
		append(c, pkt);
		return;
	}
	if (!same || !same_layout(*slot, pkt))
		*slot = NULL;
	place(c, slot, pkt);
}

static void reset(struct fdl_coalesce_packet *pkt)
{
	int i;

	pkt->next = NULL;
	pkt->item_ = NULL;
	pkt->last_ = pkt;
	pkt->hdr_ = pkt->cnt ? pkt->iov[0].iov_base : NULL;
	pkt->len_ = 0;
	for (i = 0; i < pkt->cnt; i++)
		pkt->len_ += (uint32_t)pkt->iov[i].iov_len;
	pkt->count_ = 1;
	pkt->pieces_ = pkt->cnt;
	pkt->trusted_ = pkt->off.csum != FDL_CSUM_NONE;
	pkt->fixed_id_ = false;
}

static bool same_work(const struct fdl_offload *a, const struct fdl_offload *b)
{
	return a->csum == b->csum && a->csum_start == b->csum_start &&
	       a->csum_offset == b->csum_offset && !b->gso;
}

/* That the length in the header is the packet's own was found in head, and is
 * another here. */
static bool looks_alike_ip(const struct fdl_coalesce_packet *head,
			   const struct fdl_coalesce_packet *pkt)
{
	const uint8_t *a = l3(head), *b = pkt->hdr_ + head->l3_;
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
	const uint8_t *a = l4(head), *b = pkt->hdr_ + head->l4_;

	if (differ(a, b, 0, 4))
		return false;
	if (head->proto_ == TCP_PROTO)
		return a[TCP_OFF] == b[TCP_OFF] && !(b[TCP_FLAGS] & TCP_NEVER);
	return udp_total_len(b) == pkt->len_ - head->l4_ &&
	       get_be16(b + UDP_CHECK);
}

/* Whether to parse and judge pkt would find what it found in head: a mergeable
 * packet of the same flow and layout. */
static bool looks_alike(const struct fdl_coalesce_packet *head,
			const struct fdl_coalesce_packet *pkt)
{
	return pkt->cnt && pkt->iov[0].iov_len >= head->hdr_len_ &&
	       pkt->len_ > head->hdr_len_ && pkt->link_len == head->link_len &&
	       same_work(&head->off, &pkt->off) &&
	       !differ(head->hdr_, pkt->hdr_, 0, head->l3_) &&
	       looks_alike_ip(head, pkt) && looks_alike_l4(head, pkt);
}

static void describe_alike(struct fdl_coalesce_packet *pkt,
			   const struct fdl_coalesce_packet *head)
{
	pkt->version_ = head->version_;
	pkt->proto_ = head->proto_;
	pkt->l3_ = head->l3_;
	pkt->l4_ = head->l4_;
	pkt->hdr_len_ = head->hdr_len_;
	pkt->payload_ = pkt->len_ - pkt->hdr_len_;
	pkt->total_ = pkt->payload_;
	pkt->hash_ = head->hash_;
}

bool coalesce_alike(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt)
{
	struct fdl_coalesce_packet **slot = &c->flow[c->recent];

	reset(pkt);
	if (!*slot || !looks_alike(*slot, pkt))
		return false;
	describe_alike(pkt, *slot);
	place(c, slot, pkt);
	return true;
}

void coalesce_other(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt)
{
	enum fdl_refusal why;
	struct parsed p;

	if (!pkt->cnt) {
		append(c, pkt);
		return;
	}
	why = parse_frame(pkt->hdr_, pkt->iov[0].iov_len, pkt->len_,
			  pkt->link_len, &p);
	if (!why) {
		add_to_flow(c, pkt, &p);
		return;
	}
	/* It may belong to any flow, and none may overtake it. */
	if (p.fragment || why == FDL_REFUSE_HEADERS)
		close_all(c);
	append(c, pkt);
}

void fdl_coalesce_add(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt)
{
	if (!coalesce_alike(c, pkt))
		coalesce_other(c, pkt);
}

static void merge_headers(struct fdl_coalesced *out,
			  const struct fdl_coalesce_packet *head)
{
	const struct parsed p = { .l3 = head->l3_,
				  .version = head->version_,
				  .proto = head->proto_ };
	const unsigned l4_len = head->len_ - head->l4_;
	uint8_t *ip = out->hdr + head->l3_, *tp = out->hdr + head->l4_;
	uint16_t sum;

	memcpy(out->hdr, head->hdr_, head->hdr_len_);
	if (head->version_ == 4) {
		put_be16(ip + IP4_TOTAL_LEN, head->len_ - head->l3_);
		checksum_ip4(ip);
	} else {
		put_be16(ip + IP6_PAYLOAD_LEN,
			 head->len_ - head->l3_ - IP6_LEN);
	}
	if (head->proto_ == TCP_PROTO)
		tp[TCP_FLAGS] |= l4(head->last_)[TCP_FLAGS] & TCP_ENDS;
	else
		put_be16(tp + UDP_TOTAL_LEN, l4_len);
	sum = checksum_add(checksum_pseudo(out->hdr, &p), l4_len);
	memcpy(tp + parsed_check_offset(&p), &sum, sizeof(sum));
}

static uint8_t gso_of(const struct fdl_coalesce_packet *head)
{
	if (head->proto_ == UDP_PROTO)
		return FDL_GSO_UDP;
	return head->version_ == 4 ? FDL_GSO_TCPV4 : FDL_GSO_TCPV6;
}

bool fdl_coalesce_next(struct fdl_coalescer *c, struct fdl_coalesced *out)
{
	struct fdl_coalesce_packet *head = c->first;

	if (!head)
		return false;
	close_all(c);
	c->first = head->item_;
	if (!c->first)
		c->last = NULL;
	out->packets = head;
	out->count = head->count_;
	out->hdr_len = 0;
	out->len = head->len_;
	out->off = head->off;
	if (head->count_ == 1)
		return true;
	merge_headers(out, head);
	out->hdr_len = head->hdr_len_;
	out->off = (struct fdl_offload){
		.csum = FDL_CSUM_PARTIAL,
		.gso = gso_of(head),
		.gso_size = (uint16_t)head->payload_,
		.hdr_len = head->hdr_len_,
		.csum_start = head->l4_,
		.csum_offset = head->proto_ == TCP_PROTO ? TCP_CHECK :
							   UDP_CHECK,
	};
	return true;
}

/* Piece i of a packet's contribution: all of it, or what follows its headers. */
static struct iovec piece(const struct fdl_coalesced *out,
			  const struct fdl_coalesce_packet *pkt, int i)
{
	struct iovec v = pkt->iov[i];

	if (i == 0) {
		v.iov_base = (uint8_t *)v.iov_base + out->hdr_len;
		v.iov_len -= out->hdr_len;
	}
	return v;
}

/* A stack cuts its segments off one buffer: put together again, they cost the
 * kernel less. */
static bool extends(const struct iovec *last, const struct iovec *v)
{
	return (uint8_t *)last->iov_base + last->iov_len == v->iov_base;
}

int fdl_coalesced_gather(const struct fdl_coalesced *out, struct iovec *iov,
			 int max)
{
	const struct fdl_coalesce_packet *pkt;
	int cnt = 0, i;

	if (out->hdr_len) {
		if (max < 1)
			return -EMSGSIZE;
		iov[cnt].iov_base = (void *)(uintptr_t)out->hdr;
		iov[cnt++].iov_len = out->hdr_len;
	}
	for (pkt = out->packets; pkt; pkt = pkt->next) {
		for (i = 0; i < pkt->cnt; i++) {
			struct iovec v = piece(out, pkt, i);

			if (cnt && v.iov_len && extends(&iov[cnt - 1], &v))
				iov[cnt - 1].iov_len += v.iov_len;
			else if (v.iov_len && cnt == max)
				return -EMSGSIZE;
			else if (v.iov_len)
				iov[cnt++] = v;
		}
	}
	return cnt;
}

int fdl_coalesced_copy(const struct fdl_coalesced *out, uint8_t *buf,
		       size_t size)
{
	const struct fdl_coalesce_packet *pkt;
	uint8_t *to = buf + out->hdr_len;
	int i;

	if (size < out->len)
		return -EMSGSIZE;
	for (pkt = out->packets; pkt; pkt = pkt->next) {
		for (i = 0; i < pkt->cnt; i++) {
			const struct iovec v = piece(out, pkt, i);

			/* memmove: the first may lie where it goes */
			memmove(to, v.iov_base, v.iov_len);
			to += v.iov_len;
		}
	}
	memcpy(buf, out->hdr, out->hdr_len);
	return (int)out->len;
}
