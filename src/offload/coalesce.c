/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging. A batch is a list of items in the order of their first packets. An
 * item is a packet and the chain of those merged into it; its first packet
 * keeps the state of the item. The flow table only says which item of a flow
 * may still grow. An item may be taken out of the table at any time, to make
 * room or because a packet of its flow could not be merged: nothing is lost,
 * and the flow stays in order. fit.c has the rules of what is merged.
 *
 * Packets come in trains: a packet that looks like the item that grew last, in
 * all that parsing depends on, is not parsed.
 */
#include "offload/coalesce.h"

#include <string.h>

#include "offload/coalesced.h"
#include "offload/fit.h"
#include "offload/limits.h"
#include "proto/parse.h"
#include "proto/tcp.h"
#include "proto/tunnel.h"
#include "proto/udp.h"

enum {
	WAYS = 4,
	SETS = FDL_COALESCE_FLOWS / WAYS,
	MAX_PIECES = 1022,
	IN_UDP = FDL_COALESCE_UDP_TUNNEL | FDL_COALESCE_UDP_TUNNEL_SUM,
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

/* Returns the slot that holds an item of the packet's flow, which *same says;
 * or one that the flow may use. */
static struct fdl_coalesce_packet **find_slot(
	struct fdl_coalescer *c, const struct fdl_coalesce_packet *pkt,
	bool *same)
{
	struct fdl_coalesce_packet **set, **free_slot = NULL;
	unsigned i;

	set = &c->flow[pkt->hash_ % SETS * WAYS];
	for (i = 0; i < WAYS; i++) {
		if (!set[i]) {
			free_slot = free_slot ? free_slot : &set[i];
			continue;
		}
		*same = fit_same_flow(set[i], pkt);
		if (*same)
			return &set[i];
	}
	return free_slot ? free_slot : &set[pkt->hash_ / SETS % WAYS];
}

static void close_all(struct fdl_coalescer *c)
{
	if (c->open)
		memset(c->flow, 0, sizeof(c->flow));
	c->open = false;
	c->tunnels = false;
	c->datagrams = false;
}

/* What was merged inside of tunnels. */
static void close_tunnels(struct fdl_coalescer *c)
{
	unsigned i;

	for (i = 0; c->tunnels && i < FDL_COALESCE_FLOWS; i++)
		if (c->flow[i] && c->flow[i]->outer_.n)
			c->flow[i] = NULL;
	c->tunnels = false;
}

/* The same of a tunnel's datagrams that are merged as such. */
static void close_datagrams(struct fdl_coalescer *c)
{
	const struct fdl_coalesce_packet *head;
	unsigned i;

	for (i = 0; c->datagrams && i < FDL_COALESCE_FLOWS; i++) {
		head = c->flow[i];
		if (head && !head->outer_.n && head->proto_ == UDP_PROTO &&
		    tunnel_has_port(head->hdr_ + head->l4_))
			c->flow[i] = NULL;
	}
	c->datagrams = false;
}

static void describe(struct fdl_coalesce_packet *pkt, const struct parsed *p,
		     const struct tunnel *t)
{
	const unsigned n = t->n;

	pkt->version_ = p->version;
	pkt->proto_ = p->proto;
	pkt->l3_ = (uint16_t)p->l3;
	pkt->l4_ = (uint16_t)p->l4;
	pkt->hdr_len_ = (uint16_t)p->payload;
	pkt->payload_ = pkt->len_ - p->payload;
	pkt->total_ = pkt->payload_;
	pkt->hash_ = flow_hash(pkt->hdr_, p->payload, pkt->link_len, p);
	if (!n)
		return;
	pkt->outer_.n = (uint8_t)n;
	pkt->outer_.l4 = (uint8_t)t->l4;
	memcpy(pkt->outer_.is, t->is, n);
	memcpy(pkt->outer_.at, t->at, n);
	fit_doubt(pkt);
}

/* Merge pkt into the item at slot, which may end the item. Returns whether it
 * did. */
static bool join(const struct fdl_coalescer *c,
		 struct fdl_coalesce_packet **slot,
		 struct fdl_coalesce_packet *pkt)
{
	struct fdl_coalesce_packet *head = *slot;

	if (!fit_in(c, head, pkt))
		return false;
	chain(head, pkt);
	if (fit_is_last(pkt) || pkt->payload_ < head->payload_ ||
	    (pkt->proto_ == UDP_PROTO && head->count_ == MAX_UDP_MERGED))
		*slot = NULL;
	return true;
}

/* Merge pkt into the item at slot; if there is none, or it is full, begin an
 * item with pkt. */
static void place(struct fdl_coalescer *c, struct fdl_coalesce_packet **slot,
		  struct fdl_coalesce_packet *pkt)
{
	c->recent = (unsigned)(slot - c->flow);
	if (*slot && join(c, slot, pkt))
		return;
	append(c, pkt);
	*slot = fit_as_first(pkt) ? pkt : NULL;
	c->open = true;
}

static void add_to_flow(struct fdl_coalescer *c,
			struct fdl_coalesce_packet *pkt, const struct parsed *p)
{
	struct fdl_coalesce_packet **slot;
	bool mergeable, same = false;

	mergeable = fit_alone(c, pkt, p);
	slot = find_slot(c, pkt, &same);
	if (!mergeable || (!same && !fit_as_first(pkt))) {
		if (same)
			*slot = NULL;
		append(c, pkt);
		return;
	}
	if (!same || !fit_same_layout(*slot, pkt))
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
	pkt->fixed_ids_ = 0;
	memset(&pkt->outer_, 0, sizeof(pkt->outer_));
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
	if (!head->outer_.n)
		return;
	memcpy(&pkt->outer_, &head->outer_, sizeof(pkt->outer_));
	fit_doubt(pkt);
}

bool coalesce_alike(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt)
{
	struct fdl_coalesce_packet **slot = &c->flow[c->recent];

	reset(pkt);
	if (!*slot || !fit_looks_alike(*slot, pkt))
		return false;
	describe_alike(pkt, *slot);
	place(c, slot, pkt);
	return true;
}

/* What of a packet is to be merged. */
enum subject {
	ITSELF,
	DATAGRAM,		/* itself, although another one is inside */
	INSIDE,			/* what may be inside */
	NOTHING,		/* neither */
};

/*
 * Most packets have nothing inside, and no call is made for them.
 *
 * For FDL_COALESCE_UDP_TUNNEL_SUM, datagrams whose packets are complete are
 * merged as all other datagrams: that is what they would become, and costs
 * less.
 */
static inline enum subject subject_of(const struct fdl_coalescer *c,
				      const struct fdl_coalesce_packet *pkt,
				      const struct parsed *p)
{
	if (p->next != UDP_PROTO)
		return c->flags & FDL_COALESCE_IP_TUNNEL ? INSIDE : ITSELF;
	if (!(c->flags & (IN_UDP | COALESCE_TUNNELS_APART)) ||
	    !tunnel_has_port(pkt->hdr_ + p->l4))
		return ITSELF;
	if (!(c->flags & IN_UDP))
		return NOTHING;
	if (c->flags & FDL_COALESCE_UDP_TUNNEL)
		return INSIDE;
	return pkt->off.csum == FDL_CSUM_PARTIAL &&
			       pkt->off.csum_start != p->l4 ?
		       INSIDE :
		       DATAGRAM;
}

/* Find the packet that is to be merged: in a tunnel, the one inside. */
static enum fdl_refusal parse(struct fdl_coalescer *c,
			      const struct fdl_coalesce_packet *pkt,
			      struct parsed *p, struct tunnel *t)
{
	const size_t at_hand = pkt->iov[0].iov_len;
	enum fdl_refusal why;

	why = parse_frame(pkt->hdr_, at_hand, pkt->len_, pkt->link_len, p);
	t->n = 0;
	if ((why && why != FDL_REFUSE_TRANSPORT) || p->proto == TCP_PROTO)
		return why;
	switch (subject_of(c, pkt, p)) {
	case ITSELF:
		return why;
	case NOTHING:
		return FDL_REFUSE_TUNNEL;
	case DATAGRAM:
		close_tunnels(c);
		c->datagrams = true;
		return why;
	default:
		close_datagrams(c);
	}
	why = tunnel_enter(pkt->hdr_, at_hand, why, p, t);
	c->tunnels |= t->n > 0;
	return why;
}

void coalesce_other(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt)
{
	enum fdl_refusal why;
	struct parsed p;
	struct tunnel t;

	if (!pkt->cnt) {
		append(c, pkt);
		return;
	}
	why = parse(c, pkt, &p, &t);
	if (!why) {
		describe(pkt, &p, &t);
		add_to_flow(c, pkt, &p);
		return;
	}
	/* The packet may belong to any flow, and no later packet of that flow
	 * may overtake it. */
	if (why == FDL_REFUSE_TUNNEL)
		close_tunnels(c);
	else if (p.fragment || why == FDL_REFUSE_HEADERS)
		close_all(c);
	append(c, pkt);
}

void fdl_coalesce_add(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt)
{
	if (!coalesce_alike(c, pkt))
		coalesce_other(c, pkt);
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
	coalesced_describe(out, head);
	return true;
}
