/* SPDX-License-Identifier: Apache-2.0 */
#include "rx/judge.h"

#include <string.h>

#include "kind/kind.h"
#include "offload/check.h"
#include "offload/checksum.h"
#include "offload/sctp.h"
#include "proto/eth.h"
#include "rx/curtailed.h"
#include "rx/framing.h"
#include "rx/split.h"
#include "rx/untold.h"

/* Every frame passes these functions: inline them, however many callers they
 * have. */
#define EACH_FRAME static inline __attribute__((always_inline))
/* Few frames need these: keep them out of the way of the others. */
#define FEW_FRAMES static __attribute__((noinline))

/* A copy of what is the same for all frames of a call. The compiler cannot know
 * that writing to a packet leaves these fields of rx alone, and would read them
 * anew for each frame. */
struct rules {
	unsigned flags;			/* FDL_ETHERNET ... */
	unsigned vnet_hdr_at;		/* as in struct io */
	const uint8_t *address;		/* the endpoint's own, or NULL */
	bool hints;			/* the first frames are looked at */
	bool filters;			/* what a filter cuts is not told */
	bool bare;			/* no header tells of partial checksums,
					 * which others may switch on */
};

static struct rules rules_of(const struct rx *rx)
{
	return (struct rules){
		.flags = rx->shared->opts.flags,
		.vnet_hdr_at = rx->io->vnet_hdr_at,
		.address = rx->shared->has_address ? rx->shared->opts.address :
						     NULL,
		.hints = rx->hint.left,
		.filters = rx->io->kind->has_filter,
		.bare = rx->io->kind->follow && !rx->io->vnet_hdr_len,
	};
}

/* The endpoint's own address decides, if it is known; else the fd does. */
EACH_FRAME uint8_t packet_type(const struct rules *rules,
			       const struct io_frame *frame)
{
	static const uint8_t broadcast[ETH_ADDR_LEN] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	};
	const uint8_t *dst = frame->pkt->data;

	if (frame->type == FDL_OUTGOING)
		return FDL_OUTGOING;
	if (dst[0] & 1)
		return memcmp(dst, broadcast, ETH_ADDR_LEN) ? FDL_MULTICAST :
							      FDL_BROADCAST;
	if (!rules->address)
		return frame->type;
	return memcmp(dst, rules->address, ETH_ADDR_LEN) ? FDL_OTHERHOST :
							   FDL_TO_HOST;
}

EACH_FRAME enum counter judge_ethernet(const struct rules *rules,
				       struct io_frame *frame)
{
	struct fdl_packet *pkt = frame->pkt;
	struct eth_view eth;

	if (!eth_parse(pkt->data, pkt->len, &eth))
		return RX_DROP_RUNT;
	pkt->link_len = eth.hdr_len;
	pkt->protocol = eth.protocol;
	pkt->type = packet_type(rules, frame);
	if (pkt->type == FDL_OTHERHOST && rules->flags & FDL_DROP_OTHERHOST)
		return RX_DROP_OTHERHOST;
	return RX_PACKETS;
}

static enum counter judge_ip(const struct io_frame *frame)
{
	struct fdl_packet *pkt = frame->pkt;

	if (frame->type == FDL_OUTGOING)
		pkt->type = FDL_OUTGOING;
	switch (pkt->data[0] >> 4) {
	case 4:
		pkt->protocol = ETH_TYPE_IP4;
		return RX_PACKETS;
	case 6:
		pkt->protocol = ETH_TYPE_IP6;
		return RX_PACKETS;
	default:
		return RX_DROP_NOT_IP;
	}
}

/* Put the VLAN tag back that the kernel took out of the frame. The virtio-net
 * header does not count it. */
static void insert_tag(const struct io_frame *frame)
{
	struct fdl_packet *pkt = frame->pkt;
	const uint8_t *from = pkt->data;
	uint8_t *to = fdl_packet_push(pkt, ETH_VLAN_LEN);

	memmove(to, from, 2 * ETH_ADDR_LEN);
	to[12] = (uint8_t)(frame->vlan_tpid >> 8);
	to[13] = (uint8_t)frame->vlan_tpid;
	to[14] = (uint8_t)(frame->vlan_tci >> 8);
	to[15] = (uint8_t)frame->vlan_tci;
}

EACH_FRAME enum counter judge_protocol(const struct rules *rules,
				       struct io_frame *frame)
{
	if (rules->flags & FDL_ETHERNET)
		return judge_ethernet(rules, frame);
	return judge_ip(frame);
}

/* Whether the virtio-net header, which stands before data, leaves anything to
 * do. Its flags and its type say so, and most packets leave nothing. */
static bool has_offload(const struct rules *rules, const struct fdl_packet *pkt)
{
	const uint8_t *hdr = pkt->data - rules->vnet_hdr_at;

	return rules->vnet_hdr_at && (hdr[0] | hdr[1]);
}

static enum counter refuse(struct rx *rx, enum fdl_refusal why)
{
	if (why != FDL_REFUSE_TUNNEL)
		return RX_DROP_VNET_HDR;
	shared_tell_tunnel(rx->shared);
	return RX_DROP_TUNNEL;
}

/* Check the work that the header leaves against the packet, and do what the
 * stack does not take. */
FEW_FRAMES enum counter judge_offload(struct rx *rx, struct fdl_packet *pkt)
{
	struct checked found;
	enum fdl_refusal why;

	if (pkt->off.csum != FDL_CSUM_PARTIAL && !pkt->off.gso)
		return RX_PACKETS;
	why = offload_check(pkt->data, pkt->len, pkt->len, pkt->link_len,
			    &pkt->off, &found);
	if (why)
		return refuse(rx, why);
	if (pkt->off.gso) {
		count(rx->counters, RX_GSO, 1);
		checksum_whole(pkt->data, &found.p, &pkt->off);
		return RX_PACKETS;
	}
	if (rx->shared->opts.flags & FDL_RX_CSUM &&
	    !sctp_is_undone(&found.p, &pkt->off))
		return RX_PACKETS;
	if (!checksum_complete(pkt->data, pkt->len, &found.p, &pkt->off))
		return RX_DROP_VNET_HDR;
	return RX_PACKETS;
}

/* A frame that is longer than POOL_DATA_SIZE, or whose end is missing. It is
 * dropped, except if it is a whole super-packet of BIG TCP. */
FEW_FRAMES enum counter judge_long(struct rx *rx, const struct rules *rules,
				   struct io_frame *frame)
{
	struct fdl_packet *pkt = frame->pkt;
	enum counter verdict;

	pkt->len += frame->rest;
	frame->rest = 0;
	if (frame->odd & IO_CUT || frame->wire_len != pkt->len ||
	    !has_offload(rules, pkt))
		return RX_DROP_TRUNCATED;
	if (fdl_vnet_hdr_decode(pkt->data - rules->vnet_hdr_at,
				rules->vnet_hdr_at, rx->io->order, &pkt->off))
		return RX_DROP_VNET_HDR;
	if (!pkt->off.gso)
		return RX_DROP_TRUNCATED;
	if (frame->vlan_tpid)
		insert_tag(frame);
	verdict = judge_protocol(rules, frame);
	if (verdict == RX_PACKETS)
		verdict = judge_offload(rx, pkt);
	if (verdict == RX_PACKETS && !pkt->off.gso)
		return RX_DROP_TRUNCATED;
	return verdict;
}

/* Returns under which counter a message without bytes of a packet is dropped:
 * it may not even have all of its header. */
FEW_FRAMES enum counter judge_empty(const struct rx *rx,
				    const struct io_frame *frame)
{
	if (frame->wire_len && frame->wire_len < rx->io->vnet_hdr_len)
		return RX_DROP_VNET_HDR;
	return RX_DROP_EMPTY;
}

/* A frame that is odd, or did not come from the wire. Returns the counter under
 * which it is dropped; RX_PACKETS: go on with it. */
FEW_FRAMES enum counter judge_odd(const struct rules *rules,
				  const struct io_frame *frame)
{
	if (frame->type == FDL_OUTGOING && !(rules->flags & FDL_RX_OUTGOING))
		return RX_DROP_OUTGOING;
	if (frame->type == IO_TYPE_GHOST)
		return RX_DROP_MALFORMED;
	if (frame->odd & IO_STRAY)
		return RX_DROP_OTHERHOST;
	if (frame->odd & IO_MISFRAMED)
		return RX_DROP_VNET_HDR;
	return RX_PACKETS;
}

/* A device without a virtio-net header. What is longer than the MTU and has a
 * partial checksum is more than one packet, and nothing says how many. */
FEW_FRAMES enum counter judge_untold(struct rx *rx, struct fdl_packet *pkt,
				     struct fdl_offload *off)
{
	framing_bare(rx);
	if (pkt->len > rx->shared->opts.mtu + pkt->link_len)
		return RX_DROP_VNET_HDR;
	fdl_checksum_complete(pkt->data, pkt->len, pkt->link_len, off);
	return RX_PACKETS;
}

/* Returns RX_PACKETS, or the counter under which the frame is dropped. */
EACH_FRAME enum counter judge_frame(struct rx *rx, const struct rules *rules,
				    struct io_frame *frame)
{
	struct fdl_packet *pkt = frame->pkt;
	struct fdl_offload off;
	enum counter verdict;
	bool offload;

	if (frame->odd || frame->type >= FDL_OUTGOING) {
		verdict = judge_odd(rules, frame);
		if (verdict != RX_PACKETS)
			return verdict;
	}
	if (pkt->len == 0)
		return judge_empty(rx, frame);
	if (frame->wire_len > pkt->len || frame->odd & IO_CUT)
		return judge_long(rx, rules, frame);
	if (rules->hints && rx->hint.left)
		hint_look(&rx->hint, rx->io, rules->flags & FDL_ETHERNET, frame,
			  &rx->shared->log);
	offload = has_offload(rules, pkt);
	if (offload &&
	    fdl_vnet_hdr_decode(pkt->data - rules->vnet_hdr_at,
				rules->vnet_hdr_at, rx->io->order, &pkt->off))
		return RX_DROP_VNET_HDR;
	if (frame->vlan_tpid && pkt->len >= ETH_HDR_LEN)
		insert_tag(frame);
	verdict = judge_protocol(rules, frame);
	if (verdict != RX_PACKETS)
		return verdict;
	if (rules->filters && curtailed_looks_so(pkt) && curtailed_is_so(rx))
		return RX_DROP_TRUNCATED;
	if (offload)
		return judge_offload(rx, pkt);
	if (rules->bare && untold_is_partial(pkt, &off))
		return judge_untold(rx, pkt, &off);
	return RX_PACKETS;
}

/* Whether it is the message that a peer sends before its first frame, and each
 * time that it comes back. */
static bool is_hello(const struct rx *rx, const struct io_frame *frame,
		     const char *hello)
{
	const size_t len = strlen(hello);

	return frame->wire_len == len &&
	       !memcmp(frame->pkt->data - rx->io->vnet_hdr_at, hello, len);
}

static void note_ghost(struct rx *rx)
{
	uint64_t n = atomic_load_explicit(&rx->ghosts, memory_order_relaxed);

	atomic_store_explicit(&rx->ghosts, n + 1, memory_order_relaxed);
	shared_tell_unread(rx->shared);
}

FEW_FRAMES void drop(struct rx *rx, struct io_frame *frame,
		     enum counter verdict)
{
	count(rx->counters, verdict, 1);
	if (verdict == RX_DROP_VNET_HDR)
		rx->doubt = true;
	if (frame->type == IO_TYPE_GHOST)
		note_ghost(rx);
	frame->rest = 0;
	fdl_release(&frame->pkt, 1);
}

/* Returns whether the frame is to be delivered; else it is counted and
 * released. */
EACH_FRAME bool judge(struct rx *rx, const struct rules *rules,
		      struct io_frame *frame)
{
	enum counter verdict = judge_frame(rx, rules, frame);

	if (verdict == RX_PACKETS)
		return true;
	drop(rx, frame, verdict);
	return false;
}

bool judge_one(struct rx *rx, struct io_frame *frame)
{
	const struct rules rules = rules_of(rx);

	return judge(rx, &rules, frame);
}

/* A message that did not fit into its slot is not split: its end is missing. */
static bool is_bundle(const struct io_frame *frame)
{
	return frame->odd & IO_SEVERAL && frame->wire_len <= frame->pkt->len;
}

int judge_frames(struct rx *rx, struct fdl_packet *v[], int n)
{
	const char *hello = rx->io->kind->hello;
	const struct rules rules = rules_of(rx);
	const int left = rx->filled - rx->next;
	const int end = rx->next + (n < left ? n : left);
	int i = rx->next, k = 0;

	while (i < end) {
		struct io_frame *frame = &rx->frame[i++];

		if (hello && is_hello(rx, frame, hello)) {
			fdl_release(&frame->pkt, 1);
			continue;
		}
		/* Most frames are not odd, and one test tells. */
		if (frame->odd && is_bundle(frame)) {
			split_begin(rx, frame);
			break;
		}
		if (!judge(rx, &rules, frame))
			continue;
		v[k++] = frame->pkt;
		if (frame->pkt->off.gso)
			break;
	}
	rx->next = i;
	return k;
}
