/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <string.h>
#include <sys/socket.h>

#include <linux/virtio_net.h>

#include "../fuzz.h"
#include "bed.h"

enum {
	HEADROOM = 512,		/* all headers together */
	SPARE = 4096,		/* for what is put behind */
};

static const uint8_t
	addresses4[N_ADDRESSES][4] = {
		{ 10, 9, 0, 1 },  { 10, 9, 0, 77 },
		{ 192, 0, 2, 9 }, /* behind the gateway */
		{ 10, 9, 0, 2 },  /* the host's own */
		{ 0, 0, 0, 0 },	  { 10, 9, 0, 255 },
		{ 127, 0, 0, 1 }, { 224, 0, 0, 1 },
	};

static const uint8_t targets4[N_TARGETS][4] = {
	{ 10, 9, 0, 2 },
	{ 10, 9, 0, 255 },
	{ 224, 0, 0, 1 },
	{ 255, 255, 255, 255 },
};

static const uint8_t addresses6[N_ADDRESSES][16] = {
	{ 0xfd, 9, [15] = 1 },
	{ 0xfd, 9, [15] = 0x77 },
	{ 0x20, 1, 0xd, 0xb8, [15] = 9 },
	{ 0xfd, 9, [15] = 2 },
	{ 0 },
	{ 0xff, 2, [15] = 1 },
	{ 0xfe, 0x80, [8] = 0, 0, 0, 0xff, 0xfe, 0, 0, 1 },
	{ [15] = 1 },
};

static const uint8_t targets6[N_TARGETS][16] = {
	{ 0xfd, 9, [15] = 2 },
	{ 0xfe, 0x80, [8] = 0, 0, 0, 0xff, 0xfe, 0, 0, 2 },
	{ 0xff, 2, [15] = 1 },
	{ 0xff, 2, [11] = 1, 0xff, 0, 0, 2 },
};

const uint8_t *wire_address(uint8_t version, unsigned from)
{
	return version == 4 ? addresses4[from % N_ADDRESSES] :
			      addresses6[from % N_ADDRESSES];
}

const uint8_t *wire_target(uint8_t version, unsigned to)
{
	return version == 4 ? targets4[to % N_TARGETS] :
			      targets6[to % N_TARGETS];
}

unsigned wire_address_len(uint8_t version)
{
	return version == 4 ? 4 : 16;
}

bool wire_changes(const struct wire *w)
{
	const struct lies *l = &w->lies;

	return l->l4_xor || l->late_xor || l->vnet_xor || l->bad_sum;
}

uint16_t wire_pseudo(uint8_t version, const uint8_t *from, const uint8_t *to,
		     uint8_t proto, size_t len)
{
	const unsigned n = wire_address_len(version);
	uint8_t rest[8] = { [7] = proto };
	uint16_t sum;

	put_be32(rest, (uint32_t)len);
	sum = fdl_checksum_sum(from, n, 0);
	sum = fdl_checksum_sum(to, n, sum);
	return fdl_checksum_sum(rest, sizeof(rest), sum);
}

/* The address that a packet comes from: of a storm each from another one. */
static void put_source(const struct wire *w, const struct packet *p,
		       uint8_t *to)
{
	const unsigned n = wire_address_len(p->version);

	memcpy(to, wire_address(p->version, p->from), n);
	to[n - 1] ^= w->copy;
}

/* Of the frame in the making: from where on, and how much. */
struct frame {
	uint8_t bytes[HEADROOM + MAX_PACKET + SPARE];
	size_t at, len;
};

static void prepend(struct frame *f, const void *bytes, size_t len)
{
	f->at -= len;
	f->len += len;
	memcpy(f->bytes + f->at, bytes, len);
}

static void start(struct frame *f, const uint8_t *bytes, size_t len)
{
	f->at = HEADROOM;
	f->len = len;
	memcpy(f->bytes + f->at, bytes, len);
}

static void add_link(struct frame *f, const struct lies *l, uint16_t type)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	uint8_t bytes[2];
	unsigned i;

	put_be16(bytes, type);
	prepend(f, bytes, 2);
	for (i = 0; i < l->tags; i++) {
		put_be16(bytes, l->tci);
		prepend(f, bytes, 2);
		put_be16(bytes, i ? 0x88a8 : 0x8100);
		prepend(f, bytes, 2);
	}
	prepend(f, bed_peer_mac, 6);
	prepend(f, type == TYPE_ARP && l->tci & 1 ? all : bed_host_mac, 6);
}

/* hdr describes the bytes from the link header on. */
static void transmit(struct wire *w, struct frame *f,
		     struct virtio_net_hdr *hdr)
{
	const struct lies *l = &w->lies;

	f->len -= l->cut < f->len ? l->cut : f->len - 1;
	if (l->grow < sizeof(f->bytes) - f->at - f->len) {
		memset(f->bytes + f->at + f->len, 0xa5, l->grow);
		f->len += l->grow;
	}
	((uint8_t *)hdr)[l->vnet_at % sizeof(*hdr)] ^= l->vnet_xor;
	if (w->vnet)
		prepend(f, hdr, sizeof(*hdr));
	send(w->fd, f->bytes + f->at, f->len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* l->ext bytes between the IP header, in which next is, and what follows. */
static void add_ext6(struct frame *f, const struct lies *l, uint8_t *next)
{
	static const uint8_t kinds[] = { 0, 60, 43, 44, 51, 59, 135, 0 };
	uint8_t ext[256];

	if (!l->ext)
		return;
	memset(ext, l->ext_fill, sizeof(ext));
	ext[0] = *next;
	ext[1] = l->ext_len;
	prepend(f, ext, l->ext);
	*next = kinds[l->ext_kind % sizeof(kinds)];
}

static void add_ip6(struct frame *f, const struct wire *w,
		    const struct packet *p, uint8_t next)
{
	const struct lies *l = &w->lies;
	uint8_t ip[40] = { 0x60 };

	add_ext6(f, l, &next);
	put_be16(ip + 4, (unsigned)f->len);
	ip[6] = next;
	ip[7] = l->hops ? l->hops : p->hops;
	put_source(w, p, ip + 8);
	memcpy(ip + 24, wire_target(6, p->to), 16);
	prepend(f, ip, sizeof(ip));
}

/* fragment is the field of that name. */
static void add_ip4(struct frame *f, const struct wire *w,
		    const struct packet *p, uint16_t id, unsigned fragment)
{
	const struct lies *l = &w->lies;
	const unsigned opts = l->ext < 40 ? l->ext / 4 * 4U : 40;
	uint8_t ip[60];
	uint16_t sum;

	memset(ip, l->ext_fill, sizeof(ip));
	memset(ip, 0, 20);
	ip[0] = (uint8_t)(0x45 + opts / 4);
	put_be16(ip + 2, (unsigned)f->len + 20 + opts);
	put_be16(ip + 4, id);
	put_be16(ip + 6, fragment);
	ip[8] = l->hops ? l->hops : p->hops;
	ip[9] = p->proto;
	put_source(w, p, ip + 12);
	memcpy(ip + 16, wire_target(4, p->to), 4);
	if (opts) {
		ip[20] = l->ext_kind;
		ip[21] = l->ext_len;
	}
	sum = (uint16_t)~fdl_checksum_sum(ip, 20 + opts, 0);
	memcpy(ip + 10, &sum, sizeof(sum));
	prepend(f, ip, 20 + opts);
}

static unsigned sum_offset(uint8_t proto)
{
	return proto == PROTO_TCP ? 16 : proto == PROTO_UDP ? 6 : 2;
}

/* Returns whether it is left to the wire. */
static bool put_sum(const struct wire *w, const struct packet *p)
{
	const unsigned at = sum_offset(p->proto);
	const bool partial = w->vnet && p->partial && !w->lies.fragment &&
			     (p->proto == PROTO_TCP || p->proto == PROTO_UDP);
	uint8_t from[16];
	uint16_t sum = 0;

	if (p->len < at + 2U)
		return false;
	put_source(w, p, from);
	if (p->proto != PROTO_ICMP)
		sum = wire_pseudo(p->version, from,
				  wire_target(p->version, p->to), p->proto,
				  p->len);
	if (!partial) {
		sum = (uint16_t)~fdl_checksum_sum(p->l4, p->len, sum);
		if (!sum && p->proto == PROTO_UDP)
			sum = 0xffff;
	}
	if (w->lies.bad_sum)
		sum ^= 0x0100;
	memcpy(p->l4 + at, &sum, sizeof(sum));
	return partial;
}

static void finish(struct wire *w, struct frame *f, const struct packet *p,
		   bool partial)
{
	const struct lies *l = &w->lies;
	struct virtio_net_hdr hdr = { 0 };

	if (l->late_at < f->len)
		f->bytes[f->at + l->late_at] ^= l->late_xor;
	if (w->ethernet)
		add_link(f, l, p->version == 4 ? TYPE_IP4 : TYPE_IP6);
	if (partial) {
		hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr.csum_offset = (uint16_t)sum_offset(p->proto);
		hdr.csum_start = (uint16_t)(f->len - p->len);
	}
	if (partial && p->gso_size && p->proto == PROTO_TCP) {
		hdr.gso_type = p->version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 :
						 VIRTIO_NET_HDR_GSO_TCPV6;
		hdr.gso_size = p->gso_size;
		hdr.hdr_len = (uint16_t)(hdr.csum_start + (p->l4[12] >> 4) * 4);
	}
	transmit(w, f, &hdr);
}

static void send_whole(struct wire *w, const struct packet *p, bool partial)
{
	static struct frame f;

	start(&f, p->l4, p->len);
	if (p->version == 4)
		add_ip4(&f, w, p, 0, 0x4000);
	else
		add_ip6(&f, w, p, p->proto);
	finish(w, &f, p, partial);
}

static void send_fragment(struct wire *w, const struct packet *p, size_t at,
			  size_t len)
{
	static struct frame f;
	const bool more = at + len < p->len;
	uint8_t ext[8] = { p->proto };

	start(&f, p->l4 + at, len);
	if (p->version == 4) {
		add_ip4(&f, w, p, w->id,
			(unsigned)at / 8 | (more ? 0x2000 : 0));
	} else {
		put_be16(ext + 2, (unsigned)(at & ~7U) | more);
		put_be16(ext + 6, w->id);
		prepend(&f, ext, sizeof(ext));
		add_ip6(&f, w, p, 44);
	}
	finish(w, &f, p, false);
}

static void send_fragments(struct wire *w, const struct packet *p)
{
	const struct lies *l = &w->lies;
	const size_t size = l->fragment;
	const size_t n = (p->len + size - 1) / size;
	size_t i, k, at, end;

	w->id++;
	for (i = 0; i < n && i < 128; i++) {
		k = l->backwards ? n - 1 - i : i;
		at = k * size;
		end = at + size < p->len ? at + size : p->len;
		if (k && l->overlap < at)
			at -= l->overlap;
		if (k != l->skip)
			send_fragment(w, p, at, end - at);
	}
}

static void send_one(struct wire *w, const struct packet *p)
{
	const unsigned at = sum_offset(p->proto);
	const bool partial = put_sum(w, p);

	if (w->lies.fragment)
		send_fragments(w, p);
	else
		send_whole(w, p, partial);
	if (p->len >= at + 2U)
		put_be16(p->l4 + at, 0);
}

void wire_send(struct wire *w, const struct packet *p)
{
	unsigned i;

	if (w->lies.l4_at < p->len)
		p->l4[w->lies.l4_at] ^= w->lies.l4_xor;
	for (i = 0; i <= w->lies.storm; i++) {
		w->copy = (uint8_t)i;
		send_one(w, p);
	}
	w->copy = 0;
	memset(&w->lies, 0, sizeof(w->lies));
}

void wire_send_raw(struct wire *w, uint16_t type, const uint8_t *bytes,
		   size_t len)
{
	static struct frame f;
	struct virtio_net_hdr hdr = { 0 };

	start(&f, bytes, len);
	if (type && w->ethernet)
		add_link(&f, &w->lies, type);
	transmit(w, &f, &hdr);
	memset(&w->lies, 0, sizeof(w->lies));
}
