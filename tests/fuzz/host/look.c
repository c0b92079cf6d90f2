/* SPDX-License-Identifier: Apache-2.0 */
/* What the host sends is whole and right, whatever it was told. */
#include <string.h>
#include <sys/socket.h>

#include "../fuzz.h"
#include "bed.h"
#include "peer.h"

enum {
	MAX_FRAMES = 1 << 18,	/* in one look */
	NS = 135,
	NA = 136,
};

/* From the IP header on. */
struct seen {
	const uint8_t *ip;
	size_t len;
	unsigned hdr_len;
	uint8_t version;
	uint8_t proto;
	bool fragment;
	uint16_t gso_size;
};

static void answer_arp(struct peer *p, const uint8_t *arp, size_t len)
{
	uint8_t answer[28];

	MUST(len >= 28 && get_be16(arp) == 1 && get_be16(arp + 2) == TYPE_IP4);
	MUST(!memcmp(arp + 8, bed_host_mac, 6));
	if (get_be16(arp + 6) != 1 || p->mute)
		return;
	memcpy(answer, arp, 8);
	answer[7] = 2;
	memcpy(answer + 8, bed_peer_mac, 6);
	memcpy(answer + 14, arp + 24, 4);
	memcpy(answer + 18, arp + 8, 10);
	wire_send_raw(&p->wire, TYPE_ARP, answer, sizeof(answer));
}

static void answer_solicitation(struct peer *p, const struct seen *s)
{
	const uint8_t *icmp = s->ip + s->hdr_len;
	uint8_t answer[40 + 32] = { 0x60, [5] = 32, PROTO_ICMP6, 255 };
	uint8_t *na = answer + 40;
	uint16_t sum;

	if (s->len - s->hdr_len < 24 || p->mute)
		return;
	memcpy(answer + 8, icmp + 8, 16);
	memcpy(answer + 24, s->ip + 8, 16);
	na[0] = NA;
	na[4] = 0x60;
	memcpy(na + 8, icmp + 8, 16);
	na[24] = 2;
	na[25] = 1;
	memcpy(na + 26, bed_peer_mac, 6);
	sum = wire_pseudo(6, answer + 8, answer + 24, PROTO_ICMP6, 32);
	sum = (uint16_t)~fdl_checksum_sum(na, 32, sum);
	memcpy(na + 2, &sum, sizeof(sum));
	wire_send_raw(&p->wire, TYPE_IP6, answer, sizeof(answer));
}

static struct conn *find_conn(struct peer *p, const struct seen *s)
{
	const unsigned n = wire_address_len(s->version);
	const uint8_t *from = s->ip + (s->version == 4 ? 12 : 8);
	const uint8_t *tcp = s->ip + s->hdr_len;
	struct conn *c;

	for (c = p->conn; c < p->conn + N_CONNS; c++) {
		if (c->version == s->version && c->port == get_be16(tcp + 2) &&
		    c->service == get_be16(tcp) &&
		    !memcmp(from, wire_target(s->version, c->to), n) &&
		    !memcmp(from + n, wire_address(s->version, c->from), n))
			return c;
	}
	return NULL;
}

static void take_tcp(struct peer *p, const struct seen *s)
{
	const uint8_t *tcp = s->ip + s->hdr_len;
	const size_t len = s->len - s->hdr_len;
	struct conn *c;

	MUST(len >= 20 && tcp[12] >> 4 >= 5 && (tcp[12] >> 4) * 4U <= len);
	c = find_conn(p, s);
	if (c)
		conn_receive(p, c, tcp, len, s->gso_size);
}

/* An echo of ours comes back as it was, if it was right. */
static void take_udp(const struct seen *s)
{
	const uint8_t *udp = s->ip + s->hdr_len;
	const size_t len = s->len - s->hdr_len;

	MUST(len >= 8 && get_be16(udp + 4) == len);
	MUST(get_be16(udp) == ECHO && get_be16(udp + 2) != ECHO);
}

static void keep(struct peer *p, const struct seen *s)
{
	struct kept *k = &p->kept[p->n_kept++ % N_KEPT];

	k->len = s->len < MAX_KEPT ? s->len : MAX_KEPT;
	memcpy(k->bytes, s->ip, k->len);
}

static void check_sum(const struct seen *s)
{
	const size_t len = s->len - s->hdr_len;
	const uint8_t *l4 = s->ip + s->hdr_len;
	const unsigned n = wire_address_len(s->version);
	const uint8_t *from = s->ip + (s->version == 4 ? 12 : 8);
	uint16_t sum = 0;

	if (s->fragment)
		return;
	if (s->proto == PROTO_UDP && s->version == 4 && !get_be16(l4 + 6))
		return;
	if (s->proto != PROTO_ICMP)
		sum = wire_pseudo(s->version, from, from + n, s->proto, len);
	MUST(fdl_checksum_sum(l4, len, sum) == 0xffff);
}

static void see_ip4(struct seen *s, const uint8_t *ip, size_t len)
{
	MUST(len >= 20 && ip[0] >> 4 == 4);
	s->hdr_len = (ip[0] & 15) * 4U;
	s->len = get_be16(ip + 2);
	MUST(s->hdr_len >= 20 && s->len >= s->hdr_len && s->len <= len);
	MUST(fdl_checksum_sum(ip, s->hdr_len, 0) == 0xffff);
	s->proto = ip[9];
	s->fragment = get_be16(ip + 6) & 0x3fff;
	if (get_be16(ip + 6) & 0x2000)
		MUST((s->len - s->hdr_len) % 8 == 0);
}

static void see_ip6(struct seen *s, const uint8_t *ip, size_t len)
{
	MUST(len >= 40 && ip[0] >> 4 == 6);
	s->hdr_len = 40;
	s->len = get_be16(ip + 4) + 40U;
	MUST(s->len <= len);
	s->proto = ip[6];
	if (!s->proto) {		/* MLD's router alert */
		MUST(s->len >= 48);
		s->proto = ip[40];
		s->hdr_len = 48;
	}
	if (s->proto != 44)
		return;
	MUST(s->len > 48);
	s->proto = ip[40];
	s->hdr_len = 48;
	s->fragment = true;
	if (ip[43] & 1)
		MUST((s->len - 48) % 8 == 0);
}

static void take_ip(struct peer *p, struct seen *s, const uint8_t *ip,
		    size_t len)
{
	s->ip = ip;
	s->version = ip[0] >> 4;
	if (s->version == 4)
		see_ip4(s, ip, len);
	else
		see_ip6(s, ip, len);
	/* A datagram that waits for a neighbour is as long as it was. */
	if (!s->gso_size)
		MUST(s->len <= (s->proto == PROTO_TCP ? p->mtu : p->max_mtu));
	check_sum(s);
	keep(p, s);
	if (s->fragment)
		return;
	if (s->proto == PROTO_TCP)
		take_tcp(p, s);
	else if (s->proto == PROTO_UDP)
		take_udp(s);
	else if (s->proto == PROTO_ICMP6 && s->ip[s->hdr_len] == NS)
		answer_solicitation(p, s);
	else
		MUST(s->proto == PROTO_ICMP || s->proto == PROTO_ICMP6);
}

/* What the header of a frame says holds water; what it leaves is done. */
static void take_vnet(struct seen *s, const uint8_t *hdr, uint8_t *frame,
		      size_t len, unsigned link_len)
{
	struct fdl_offload off;

	MUST(!fdl_vnet_hdr_decode(hdr, FDL_VNET_HDR_LEN, FDL_ORDER_NATIVE,
				  &off));
	MUST(!fdl_offload_check(frame, len, len, link_len, &off));
	s->gso_size = off.gso ? off.gso_size : 0;
	MUST(!fdl_checksum_complete(frame, len, link_len, &off));
}

static void take_frame(struct peer *p, uint8_t *frame, size_t len)
{
	struct seen s = { 0 };
	uint16_t type = TYPE_IP4;
	const uint8_t *hdr = frame;
	unsigned link_len = 0;

	if (p->wire.vnet) {
		MUST(len > FDL_VNET_HDR_LEN);
		frame += FDL_VNET_HDR_LEN;
		len -= FDL_VNET_HDR_LEN;
	}
	if (p->wire.ethernet) {
		MUST(len > 14 && !memcmp(frame + 6, bed_host_mac, 6));
		type = get_be16(frame + 12);
		link_len = type == 0x8100 ? 18 : 14;
		MUST(len > link_len);
		type = get_be16(frame + link_len - 2);
	}
	if (p->wire.vnet)
		take_vnet(&s, hdr, frame, len, link_len);
	if (type == TYPE_ARP) {
		answer_arp(p, frame + link_len, len - link_len);
		return;
	}
	MUST(type == TYPE_IP4 || type == TYPE_IP6);
	if (p->wire.ethernet)
		MUST(frame[link_len] >> 4 == (type == TYPE_IP4 ? 4 : 6));
	take_ip(p, &s, frame + link_len, len - link_len);
}

void peer_look(struct peer *p)
{
	static uint8_t frame[MAX_FRAME];
	unsigned i;
	ssize_t len;

	if (p->deaf)
		return;
	for (i = 0;; i++) {
		len = recv(p->wire.fd, frame, sizeof(frame), MSG_DONTWAIT);
		if (len < 0)
			return;
		MUST(i < MAX_FRAMES);
		p->frames++;
		take_frame(p, frame, (size_t)len);
	}
}
