/* SPDX-License-Identifier: Apache-2.0 */
/* What a program does besides TCP. */
#include <string.h>

#include "../fuzz.h"
#include "bed.h"
#include "peer.h"
#include "program.h"

enum { MAX_ND = 256 };

static uint8_t l4[MAX_PAYLOAD];

static struct packet packet(const struct step *s, uint8_t proto, size_t len)
{
	return (struct packet){
		.version = s->b[0] & 8 ? 6 : 4,
		.from = s->b[0] & 7,
		.to = s->b[0] >> 4 & 3,
		.proto = proto,
		.hops = 64,
		.partial = s->b[0] & 64,
		.l4 = l4,
		.len = len,
	};
}

/* b[0]: version and addresses, as in all here; b[1]: port; b[2], b[3]: length;
 * b[4] & 1: none of a checksum; b[5]: our port, b[6]: what is in it. */
size_t step_udp(struct peer *p, const struct step *s)
{
	static const uint16_t ports[] = { ECHO, ECHO, 53, 0, 1234, 546 };
	const size_t len = 8U + get_be16(s->b + 2) % (MAX_PAYLOAD - 8);
	const struct packet pkt = packet(s, PROTO_UDP, len);

	put_be16(l4, s->b[5] & 1 ? ECHO : 50000U + s->b[5]);
	put_be16(l4 + 2, ports[s->b[1] % 6]);
	put_be16(l4 + 4, (unsigned)len + (s->b[4] & 2 ? s->b[6] : 0));
	put_be16(l4 + 6, 0);
	memset(l4 + 8, s->b[6], len - 8);
	wire_send(&p->wire, &pkt);
	return 0;
}

/* b[1], b[2]: length; b[3]: type, 0: echo; b[4]: code. */
size_t step_ping(struct peer *p, const struct step *s)
{
	const bool six = s->b[0] & 8;
	const size_t len = 8U + get_be16(s->b + 1) % (MAX_PAYLOAD - 8);
	const struct packet pkt = packet(s, six ? PROTO_ICMP6 : PROTO_ICMP,
					 len);

	memset(l4, s->b[5], len);
	l4[0] = s->b[3] ? s->b[3] : six ? 128 : 8;
	l4[1] = s->b[4];
	put_be16(l4 + 2, 0);
	wire_send(&p->wire, &pkt);
	return 0;
}

/* About what the host sent: b[1] & 7: when; b[1] >> 3: which error; b[2], b[3]:
 * MTU; b[4]: how much of it, times 4, 0: 576 bytes; b[5], b[6]: where another,
 * and what. */
size_t step_icmp_error(struct peer *p, const struct step *s)
{
	static const uint8_t errors4[][2] = {
		{ 3, 4 },  { 3, 4 },  { 3, 3 }, { 3, 1 },
		{ 11, 0 }, { 12, 0 }, { 5, 1 }, { 4, 0 },
	};
	static const uint8_t errors6[][2] = {
		{ 2, 0 }, { 2, 0 }, { 1, 4 },	{ 1, 0 },
		{ 3, 0 }, { 4, 1 }, { 137, 0 }, { 255, 0 },
	};
	const struct kept *k =
		&p->kept[(p->n_kept - s->b[1] % N_KEPT - 1) % N_KEPT];
	const bool six = s->b[0] & 8;
	const uint8_t *error = (six ? errors6 : errors4)[s->b[1] >> 3 & 7];
	size_t n = s->b[4] ? s->b[4] * 4U : 576;
	struct packet pkt = packet(s, six ? PROTO_ICMP6 : PROTO_ICMP, 0);

	if (n > k->len)
		n = k->len;
	memset(l4, 0, 8);
	l4[0] = error[0];
	l4[1] = error[1];
	put_be16(l4 + 6, get_be16(s->b + 2));
	memcpy(l4 + 8, k->bytes, n);
	if (s->b[5] < n)
		l4[8 + s->b[5]] ^= s->b[6];
	pkt.len = 8 + n;
	wire_send(&p->wire, &pkt);
	return 0;
}

/* b[1]: operation; b[2], b[3]: protocol addresses, & 8: the host's; b[4]: the
 * sender's address. */
size_t step_arp(struct peer *p, const struct step *s)
{
	uint8_t arp[46] = { 0, 1, 8, 0, 6, 4, 0, s->b[1] & 3 };
	const struct lies lies = p->wire.lies;
	unsigned i;

	memcpy(arp + 8, bed_peer_mac, 6);
	arp[13] = (uint8_t)(arp[13] + s->b[4]);
	memcpy(arp + 14,
	       s->b[2] & 8 ? wire_target(4, 0) : wire_address(4, s->b[2]), 4);
	memcpy(arp + 18, bed_host_mac, 6);
	memcpy(arp + 24,
	       s->b[3] & 8 ? wire_target(4, 0) : wire_address(4, s->b[3]), 4);
	for (i = 0; i <= lies.storm; i++) {
		p->wire.lies = lies;
		p->wire.lies.tci |= s->b[5] & 1;
		arp[17] ^= (uint8_t)(i ^ (i ? i - 1 : 0));
		wire_send_raw(&p->wire, TYPE_ARP, arp,
			      s->b[5] & 2 ? sizeof(arp) : 28);
	}
	return 0;
}

/* Neighbour discovery's option number bit of those that b[4] names. */
static size_t put_nd_option(uint8_t *o, unsigned bit, const struct step *s)
{
	static const uint8_t types[] = { 1, 2, 3, 5, 25, 31, 1, 4 };
	static const uint8_t units[] = { 1, 1, 4, 1, 3, 3, 0, 2 };
	const size_t len = units[bit] * 8U;

	memset(o, 0, len ? len : 8);
	o[0] = types[bit];
	o[1] = units[bit];
	memcpy(o + 2, bed_peer_mac, 6);
	if (types[bit] == 5)
		put_be32(o + 4, get_be16(s->b + 5));
	if (types[bit] != 3)
		return len ? len : 8;
	o[2] = s->b[5];
	o[3] = 0xc0;
	put_be32(o + 4, s->b[6] * 10U);
	put_be32(o + 8, s->b[6] * 10U);
	memcpy(o + 16, wire_address(6, 0), 16);
	return len;
}

/* b[1]: type; b[2]: the target; b[3]: flags; b[4]: options; b[5], b[6]: what
 * those say. */
size_t step_nd(struct peer *p, const struct step *s)
{
	static const uint8_t types[] = {
		135, 136, 134, 137, 133, 130, 136, 135
	};
	static const uint8_t sizes[] = { 24, 24, 16, 40, 8, 24, 24, 24 };
	const unsigned kind = s->b[1] & 7;
	struct packet pkt = packet(s, PROTO_ICMP6, sizes[kind]);
	unsigned bit;

	memset(l4, 0, MAX_ND);
	l4[0] = types[kind];
	l4[4] = s->b[3];
	if (types[kind] == 134)
		put_be16(l4 + 6, s->b[6] * 10U);
	else
		memcpy(l4 + 8,
		       s->b[2] & 8 ? wire_target(6, s->b[2]) :
				     wire_address(6, s->b[2]),
		       16);
	if (types[kind] == 137)
		memcpy(l4 + 24, wire_address(6, s->b[2] >> 4), 16);
	for (bit = 0; bit < 8; bit++) {
		if (s->b[4] >> bit & 1)
			pkt.len += put_nd_option(l4 + pkt.len, bit, s);
	}
	pkt.version = 6;
	pkt.hops = 255;
	wire_send(&p->wire, &pkt);
	return 0;
}

/* b[1] & 3: all of a frame, or of ARP's, IPv4's or IPv6's payload, is what
 * comes next in the program, b[2] * 8 bytes of it; b[1] & 4: of a right IP
 * packet that has protocol b[3]. */
size_t step_raw(struct peer *p, const struct step *s)
{
	static const uint16_t types[] = { 0, TYPE_ARP, TYPE_IP4, TYPE_IP6 };
	const size_t want = s->b[2] * (size_t)RECORD;
	const size_t n = want < s->more_len ? want : s->more_len;
	const struct packet pkt = packet(s, s->b[3], n);

	if (!n)
		return 0;
	if (!(s->b[1] & 4)) {
		wire_send_raw(&p->wire, types[s->b[1] & 3], s->more, n);
		return n;
	}
	memcpy(l4, s->more, n);
	wire_send(&p->wire, &pkt);
	return n;
}

/* About the next packet. b[0]: in which way; others: see there. */
size_t step_lie(struct peer *p, const struct step *s)
{
	struct lies *l = &p->wire.lies;
	const uint8_t *b = s->b;

	switch (b[0] % 11) {
	case 0:
		l->tags = b[1] % 3;
		l->tci = get_be16(b + 2);
		break;
	case 1:
		l->ext = b[1] % 17 * 8;
		l->ext_kind = b[2];
		l->ext_len = b[3];
		l->ext_fill = b[4];
		break;
	case 2:
		l->hops = b[1];
		break;
	case 3:
		l->bad_sum = true;
		break;
	case 4:
		l->cut = get_be16(b + 1);
		break;
	case 5:
		l->grow = get_be16(b + 1) % 2048;
		break;
	case 6:
		l->l4_at = get_be16(b + 1);
		l->l4_xor = b[3];
		break;
	case 7:
		l->late_at = get_be16(b + 1);
		l->late_xor = b[3];
		break;
	case 8:
		l->vnet_at = b[1];
		l->vnet_xor = b[2];
		break;
	case 10:
		l->storm = b[1];
		break;
	default:
		l->fragment = (uint16_t)((b[1] + 1U) * 8);
		l->overlap = (uint16_t)(b[2] * 8U);
		l->skip = (uint8_t)(b[3] - 1);
		l->backwards = b[4] & 1;
		break;
	}
	return 0;
}

/* b[0]: the peer is deaf, mute; b[1]: which connection is acknowledged by hand;
 * b[2], b[3]: what of it is lost, a bit each; b[4], b[5]: its window. b[0] &
 * 16: what it has reported out of order it forgets. */
size_t step_set(struct peer *p, const struct step *s)
{
	struct conn *c = &p->conn[s->b[1] % N_CONNS];

	p->deaf = s->b[0] & 1;
	p->mute = s->b[0] & 2;
	c->by_hand = s->b[0] & 4;
	c->silent = get_be16(s->b + 2);
	if (s->b[0] & 8)
		c->window = get_be16(s->b + 4);
	if (s->b[0] & 16)
		c->n_beyond = 0;
	return 0;
}

/* b[0], b[1]: of the link, from the next turn on, no more than it was opened
 * with. */
size_t step_mtu(struct peer *p, const struct step *s)
{
	const uint32_t least = p->max_mtu < 1280 ? 68 : 1280;

	p->next_mtu = least + get_be16(s->b) % (p->max_mtu - least + 1);
	if (p->mtu < p->next_mtu)
		p->mtu = p->next_mtu;
	bed_set_mtu(p->next_mtu);
	return 0;
}
