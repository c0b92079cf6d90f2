/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VXLAN (RFC 7348) and its generic protocol extension, GENEVE (RFC 8926), GRE
 * (RFC 2784, 2890), IP in IP, and foo- and generic-over-UDP. Each meaning of a
 * header is tried in turn. A try that does not end exactly where the inner
 * transport header begins is given up, so a datagram that is no tunnel does not
 * pass by chance. Where nobody knows where that header begins, the port tells.
 */
#include "proto/tunnel.h"

#include "proto/bytes.h"
#include "proto/eth.h"
#include "proto/udp.h"

enum {
	ANY_IP = 0,		/* the version in its first byte */
	TYPE_ETH = 0x6558,	/* a frame of Ethernet */

	PROTO_IP4 = 4,
	PROTO_IP6 = 41,
	PROTO_GRE = 47,
	PROTO_ESP = 50,
	PROTO_AH = 51,
	PROTO_MPLS = 137,

	GRE_LEN = 4,
	GRE_FIELD_LEN = 4,
	GRE_CSUM = 0x8000,
	GRE_KEY = 0x2000,

	VXLAN_LEN = 8,
	VXLAN_HAS_ID = 0x08,
	VXLAN_HAS_NEXT = 0x04,
	VXLAN_REMOTE_CSUM = 0x20,	/* in the second byte */
	VXLAN_NEXT = 3,
	VXLAN_NEXT_IP4 = 1,
	VXLAN_NEXT_IP6 = 2,
	VXLAN_NEXT_ETH = 3,

	GENEVE_LEN = 8,
	GENEVE_TYPE = 2,
	GENEVE_CONTROL = 0x80,	/* in the second byte */

	GUE_LEN = 4,
	GUE_NEXT = 1,
	GUE_PRIVATE = 1,	/* in the flags; it may be a checksum's */
};

struct walk {
	const uint8_t *bytes;
	size_t avail;
	uint32_t end;		/* of the outer IP packet */
	uint32_t l4;		/* what is looked for */
	unsigned max_depth;	/* tunnels, one inside the other */
	bool merge;		/* only what may be merged */
	unsigned depth;		/* IP headers passed */
	unsigned n_readings;	/* UDP headers among what was passed, */
	unsigned reading[TUNNEL_DEPTH];	/* and how each is read */
	struct parsed *p;	/* of the last IP header */
	struct tunnel *t;
};

/* The next IP header. */
struct inner {
	uint32_t at;
	unsigned version;	/* that it must have, or ANY_IP */
};

bool tunnel_is_carrier(unsigned next)
{
	switch (next) {
	case UDP_PROTO:
	case PROTO_IP4:
	case PROTO_IP6:
	case PROTO_GRE:
	case PROTO_ESP:
	case PROTO_AH:
	case PROTO_MPLS:
		return true;
	default:
		return false;
	}
}

static bool has(const struct walk *w, uint32_t at, uint32_t n)
{
	return at + n <= w->avail && at + n <= w->end;
}

/* Note a header, on the way to what is inside it. */
static bool note(struct walk *w, enum tunnel_header is, uint32_t at)
{
	struct tunnel *t = w->t;

	if (t->n == FDL_TUNNEL_HEADERS || at > UINT8_MAX)
		return false;
	t->is[t->n] = (uint8_t)is;
	t->at[t->n++] = (uint8_t)at;
	return true;
}

static bool find_ip(struct inner *in, uint32_t at, unsigned version)
{
	*in = (struct inner){ at, version };
	return true;
}

static bool find_in_eth(const struct walk *w, uint32_t at, struct inner *in)
{
	struct eth_view eth;

	if (!has(w, at, ETH_HDR_LEN) ||
	    !eth_parse(w->bytes + at, w->avail - at, &eth))
		return false;
	if (eth.protocol == ETH_TYPE_IP4)
		return find_ip(in, at + eth.hdr_len, 4);
	return eth.protocol == ETH_TYPE_IP6 && find_ip(in, at + eth.hdr_len, 6);
}

static bool find_by_type(const struct walk *w, uint32_t at, unsigned type,
			 struct inner *in)
{
	switch (type) {
	case ETH_TYPE_IP4:
		return find_ip(in, at, 4);
	case ETH_TYPE_IP6:
		return find_ip(in, at, 6);
	case TYPE_ETH:
		return find_in_eth(w, at, in);
	default:
		return false;
	}
}

/* The kernel merges no GRE with a checksum inside of UDP. And what is reserved
 * behind the checksum would be 0 once the packet is cut again. */
static bool merges_gre_sum(const struct walk *w, uint32_t at)
{
	return !w->n_readings && !get_be16(w->bytes + at + 6);
}

/* GRE with a sequence number cannot be cut: its segments would need the numbers
 * of packets to come. */
static bool find_in_gre(struct walk *w, uint32_t at, struct inner *in)
{
	uint32_t len = GRE_LEN;
	unsigned flags;

	if (!has(w, at, GRE_LEN))
		return false;
	flags = get_be16(w->bytes + at);
	if (flags & ~(unsigned)(GRE_CSUM | GRE_KEY))
		return false;
	if (flags & GRE_CSUM) {
		len += GRE_FIELD_LEN;
		if (!has(w, at, len) || (w->merge && !merges_gre_sum(w, at)) ||
		    !note(w, TUNNEL_GRE, at))
			return false;
	}
	if (flags & GRE_KEY)
		len += GRE_FIELD_LEN;
	return find_by_type(w, at + len, get_be16(w->bytes + at + 2), in);
}

static bool find_by_proto(struct walk *w, uint32_t at, unsigned proto,
			  struct inner *in)
{
	switch (proto) {
	case PROTO_IP4:
		return find_ip(in, at, 4);
	case PROTO_IP6:
		return find_ip(in, at, 6);
	case PROTO_GRE:
		return find_in_gre(w, at, in);
	default:
		return false;
	}
}

/* A header with remote checksum offload cannot be cut: it describes the
 * checksum of the whole packet, which the receiver completes. */
static bool find_in_vxlan(struct walk *w, uint32_t at, struct inner *in)
{
	const uint8_t *h = w->bytes + at;

	if (!has(w, at, VXLAN_LEN) || !(h[0] & VXLAN_HAS_ID) ||
	    h[1] & VXLAN_REMOTE_CSUM)
		return false;
	if (!(h[0] & VXLAN_HAS_NEXT))
		return find_in_eth(w, at + VXLAN_LEN, in);
	switch (h[VXLAN_NEXT]) {
	case VXLAN_NEXT_IP4:
		return find_ip(in, at + VXLAN_LEN, 4);
	case VXLAN_NEXT_IP6:
		return find_ip(in, at + VXLAN_LEN, 6);
	case VXLAN_NEXT_ETH:
		return find_in_eth(w, at + VXLAN_LEN, in);
	default:
		return false;
	}
}

static bool find_in_geneve(struct walk *w, uint32_t at, struct inner *in)
{
	const uint8_t *h = w->bytes + at;

	if (!has(w, at, GENEVE_LEN) || h[0] >> 6 ||
	    (w->merge && h[1] & GENEVE_CONTROL))
		return false;
	return find_by_type(w, at + GENEVE_LEN + (h[0] & 0x3fu) * 4,
			    get_be16(h + GENEVE_TYPE), in);
}

/* Version 0; version 1 is the packet itself. */
static bool find_in_gue(struct walk *w, uint32_t at, struct inner *in)
{
	const uint8_t *h = w->bytes + at;

	if (!has(w, at, GUE_LEN) || h[0] >> 5 || h[3] & GUE_PRIVATE)
		return false;
	return find_by_proto(w, at + GUE_LEN + (h[0] & 0x1fu) * 4, h[GUE_NEXT],
			     in);
}

static bool find_in_fou(struct walk *w, uint32_t at, struct inner *in)
{
	(void)w;
	return find_ip(in, at, ANY_IP);
}

static bool find_in_udp(struct walk *w, uint32_t at, struct inner *in)
{
	static bool (*const readings[TUNNEL_READINGS])(
		struct walk * w, uint32_t at, struct inner * in) = {
		[TUNNEL_READ_VXLAN] = find_in_vxlan,
		[TUNNEL_READ_GENEVE] = find_in_geneve,
		[TUNNEL_READ_GUE] = find_in_gue,
		[TUNNEL_READ_FOU] = find_in_fou,
		[TUNNEL_READ_GRE] = find_in_gre,
	};

	return readings[w->reading[w->n_readings++]](w, at, in);
}

/* A datagram fills its packet. The length field tells nothing if the datagram
 * is too long for it. */
static bool is_whole_udp(const struct walk *w, uint32_t at)
{
	const uint32_t len = w->end - at;

	return len > UINT16_MAX || udp_total_len(w->bytes + at) == len;
}

/* Pass what is between the IP header that was parsed last and the next one. */
static bool find_inner(struct walk *w, enum fdl_refusal why, struct inner *in)
{
	const struct parsed *p = w->p;
	const uint32_t l4 = p->l4;

	if (w->depth++ == w->max_depth ||
	    !note(w, p->version == 4 ? TUNNEL_IP4 : TUNNEL_IP6, p->l3))
		return false;
	if (p->next != UDP_PROTO)
		return find_by_proto(w, l4, p->next, in);
	/* The destination that its checksum is over is not the one shown. */
	if (why || (p->routed && get_be16(w->bytes + l4 + UDP_CHECK)))
		return false;
	return is_whole_udp(w, l4) && note(w, TUNNEL_UDP, l4) &&
	       find_in_udp(w, l4 + UDP_LEN, in);
}

static void go_outside(struct walk *w)
{
	w->depth = 0;
	w->n_readings = 0;
	w->t->n = 0;
}

/* Parse the packet inside the one that was parsed last. Returns false if there
 * is none. */
static bool go_inside(struct walk *w, enum fdl_refusal *why)
{
	struct inner in;

	if (!find_inner(w, *why, &in) || !has(w, in.at, 1) ||
	    (in.version && w->bytes[in.at] >> 4 != in.version))
		return false;
	*why = parse_packet(w->bytes, w->avail, w->end, in.at, w->p);
	return true;
}

/* From the outer IP header, which is parsed, to what is looked for. */
static bool walk(struct walk *w, enum fdl_refusal why)
{
	const struct parsed *p = w->p;

	go_outside(w);
	for (;;) {
		if (p->version == 0 || p->fragment || p->end != w->end)
			return false;
		if (p->l4 >= w->l4)
			return p->l4 == w->l4 && !why;
		if (!go_inside(w, &why))
			return false;
	}
}

/* Read the last UDP header that was passed in another way, or if there is none,
 * the one before it. Returns whether there is a way that was not tried. */
static bool read_otherwise(struct walk *w)
{
	while (w->n_readings > 0) {
		if (++w->reading[w->n_readings - 1] < TUNNEL_READINGS)
			return true;
		w->reading[--w->n_readings] = 0;
	}
	return false;
}

/* Returns whether one of the readings leads to what is looked for. */
static bool find(struct walk *w, enum fdl_refusal why)
{
	const struct parsed outer = *w->p;

	while (!walk(w, why)) {
		if (!read_otherwise(w))
			return false;
		*w->p = outer;
	}
	return true;
}

/* Not inlined: most super-packets are in no tunnel. */
__attribute__((noinline)) static enum fdl_refusal seek(
	const uint8_t *frame, size_t avail, uint32_t l4, enum fdl_refusal why,
	struct parsed *p, struct tunnel *t)
{
	struct walk w = {
		.bytes = frame,
		.avail = avail,
		.end = p->end,
		.l4 = l4,
		.max_depth = TUNNEL_DEPTH,
		.p = p,
		.t = t,
	};

	t->l4 = p->l4;
	if (!find(&w, why))
		return FDL_REFUSE_TUNNEL;
	t->udp = t->n == 2 && t->is[1] == TUNNEL_UDP;
	return FDL_REFUSE_NONE;
}

enum fdl_refusal tunnel_parse(const uint8_t *frame, size_t avail, size_t len,
			      unsigned link_len, uint32_t l4, struct parsed *p,
			      struct tunnel *t)
{
	enum fdl_refusal why = parse_frame(frame, avail, len, link_len, p);

	t->n = 0;
	if (p->version == 0 || p->fragment || l4 <= p->l4 ||
	    !tunnel_is_carrier(p->next))
		return why;
	return seek(frame, avail < len ? avail : len, l4, why, p, t);
}

enum fdl_refusal tunnel_enter(const uint8_t *frame, size_t avail,
			      enum fdl_refusal why, struct parsed *p,
			      struct tunnel *t)
{
	enum tunnel_reading reading = TUNNEL_READINGS;
	struct walk w = {
		.bytes = frame,
		.avail = avail,
		.end = p->end,
		.max_depth = 1,
		.merge = true,
		.p = p,
		.t = t,
	};

	t->n = 0;
	if (p->next == UDP_PROTO)
		reading = tunnel_reading(get_be16(frame + p->l4 + UDP_DST));
	if (p->next == UDP_PROTO ? reading == TUNNEL_READINGS :
				   !tunnel_is_carrier(p->next))
		return why;
	w.reading[0] = reading;
	t->l4 = p->l4;
	if (!go_inside(&w, &why) || !p->version)
		return FDL_REFUSE_TUNNEL;
	return why;
}
