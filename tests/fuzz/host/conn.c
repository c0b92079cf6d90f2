/* SPDX-License-Identifier: Apache-2.0 */
/* TCP as the peer speaks it. */
#include <string.h>

#include "../fuzz.h"
#include "bed.h"
#include "peer.h"

enum {
	TCP_HDR = 20,
	MAX_OPTIONS = 40,
	/* Of chargen (RFC 864). */
	GLYPHS = 95,
	LINE = 74,
	PERIOD = GLYPHS * LINE,
	/* Sequence numbers further away than any window. */
	FAR = 1 << 25,
	SMALLEST_MSS = 64,
};

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

uint8_t pattern(uint16_t port, uint32_t at)
{
	return (uint8_t)(at ^ at >> 8 ^ at >> 16 ^ port);
}

static uint8_t chargen(uint32_t at)
{
	const uint32_t line = at / LINE % GLYPHS, column = at % LINE;

	if (column >= LINE - 2)
		return column == LINE - 2 ? '\r' : '\n';
	return (uint8_t)(' ' + (line + column) % GLYPHS);
}

/* What chargen sends from there on, as much as a packet has. */
static const uint8_t *chargen_from(uint32_t at)
{
	static uint8_t bytes[PERIOD + MAX_PACKET];
	uint32_t i;

	for (i = (uint32_t)sizeof(bytes); !*bytes && i--;)
		bytes[i] = chargen(i);
	return bytes + at % PERIOD;
}

/* Blocks that are made up: the last four kinds are no receiver's. */
static unsigned make_blocks(struct range *r, const struct segment *s)
{
	static const struct {
		uint32_t apart, len;
		unsigned n;
	} kinds[8] = {
		[1] = { 3000, 1460, 1 },      [2] = { 3000, 1460, 2 },
		[3] = { 3000, 1460, 3 },      [4] = { 2, 1, 3 }, /* bytes */
		[5] = { 1460, 0u - 1460, 3 },	/* backwards */
		[6] = { 1460, 1u << 30, 2 },	/* what was never sent */
		[7] = { 0u - 2000, 1460, 3 },	/* what came twice */
	};
	unsigned i;

	for (i = 0; i < kinds[s->blocks].n; i++) {
		r[i].from = s->block + i * kinds[s->blocks].apart;
		r[i].to = r[i].from + kinds[s->blocks].len;
	}
	return i;
}

static unsigned put_blocks(uint8_t *o, const struct conn *c,
			   const struct segment *s)
{
	struct range r[MAX_HOLES];
	unsigned i, n = c->n_beyond;

	for (i = 0; i < n; i++)
		r[i] = c->beyond[n - 1 - i];
	if (s->blocks)
		n = make_blocks(r, s);
	for (i = 0; i < n; i++) {
		put_be32(o + 4 + 8 * i, r[i].from);
		put_be32(o + 8 + 8 * i, r[i].to);
	}
	if (!n)
		return 0;
	o[0] = 1;
	o[1] = 1;
	o[2] = 5;
	o[3] = (uint8_t)(2 + 8 * n);
	return 4 + 8 * n;
}

/* Returns their length, a multiple of 4. */
static unsigned put_options(uint8_t *o, const struct conn *c,
			    const struct segment *s)
{
	static const uint8_t sack[] = { 1, 1, 4, 2 };
	const uint8_t scale[] = { 1, 3, 3, c->offered_scale };
	static const uint8_t stamp[12] = { 1, 1, 8, 10, 0, 0, 1, 2 };
	unsigned n = 0;

	if (!(s->flags & SYN) && (c->sack || s->blocks))
		n = put_blocks(o, c, s);
	if (s->options & OPT_NOPS)
		o[n++] = 1;
	if (s->options & OPT_MSS) {
		put_be16(o + n, 0x0204);
		put_be16(o + n + 2, c->mss);
		n += 4;
	}
	if (s->options & OPT_SCALE && n <= MAX_OPTIONS - sizeof(scale)) {
		memcpy(o + n, scale, sizeof(scale));
		n += (unsigned)sizeof(scale);
	}
	if (s->options & OPT_SACK && n <= MAX_OPTIONS - sizeof(sack)) {
		memcpy(o + n, sack, sizeof(sack));
		n += (unsigned)sizeof(sack);
	}
	if (s->options & OPT_STAMP && n <= MAX_OPTIONS - sizeof(stamp)) {
		memcpy(o + n, stamp, sizeof(stamp));
		n += (unsigned)sizeof(stamp);
	}
	while (n % 4)
		o[n++] = 1;
	if (s->options & (OPT_LONG | OPT_EMPTY | OPT_CUT) &&
	    n <= MAX_OPTIONS - 4) {
		memset(o + n, 1, 4);
		if (s->options & OPT_LONG)
			put_be16(o + n + 1, 0x0220);
		if (s->options & OPT_EMPTY)
			put_be16(o + n, 0x0300);
		if (s->options & OPT_CUT)
			o[n + 3] = 2;
		n += 4;
	}
	return n;
}

/* A window that comes with an older number than one before is none of the
 * host's (RFC 9293, 3.10.7.4): it goes on with the former one, from what this
 * segment acknowledges. Returns the largest that it may go by. */
static uint32_t note_window(struct conn *c, const struct segment *s)
{
	const uint32_t window = (uint32_t)c->window << c->scale;

	if (before(s->seq, c->newest))
		c->went_back = true;
	else
		c->newest = s->seq;
	if (c->widest < window)
		c->widest = window;
	return c->went_back ? c->widest : window;
}

static void note_sent(struct peer *p, struct conn *c, const struct segment *s)
{
	const uint32_t end = s->seq + (uint32_t)s->len + !!(s->flags & SYN) +
			     !!(s->flags & FIN);
	const uint32_t up_to = before(s->ack, c->sent) ? c->sent : s->ack;
	const uint32_t edge = up_to + note_window(c, s);

	if (wire_changes(&p->wire))
		c->honest = false;
	if (end - c->iss >= FAR || s->ack - c->sent + FAR / 2 >= FAR)
		c->strange = true;
	if (s->flags & FIN)
		c->ended = true;
	if (before(c->max, end))
		c->max = end;
	if (before(c->edge, edge))
		c->edge = edge;
}

void conn_send(struct peer *p, struct conn *c, const struct segment *s)
{
	static uint8_t l4[TCP_HDR + MAX_OPTIONS + MAX_PAYLOAD];
	const unsigned options = put_options(l4 + TCP_HDR, c, s);
	const struct packet pkt = {
		.version = c->version,
		.from = c->from,
		.to = c->to,
		.proto = PROTO_TCP,
		.hops = 64,
		.partial = c->port & 1 || s->gso_size,
		.gso_size = s->gso_size,
		.l4 = l4,
		.len = TCP_HDR + options + s->len,
	};

	note_sent(p, c, s);
	put_be16(l4, c->port);
	put_be16(l4 + 2, c->service);
	put_be32(l4 + 4, s->seq);
	put_be32(l4 + 8, s->ack);
	l4[12] = (uint8_t)((TCP_HDR + options) / 4 << 4);
	l4[13] = s->flags;
	put_be16(l4 + 14, c->window);
	put_be16(l4 + 16, 0);
	put_be16(l4 + 18, s->flags & URG ? 1 : 0);
	memcpy(l4 + TCP_HDR + options, s->data ? s->data : l4, s->len);
	wire_send(&p->wire, &pkt);
}

void conn_acknowledge(struct peer *p, struct conn *c)
{
	const struct segment s = {
		.flags = ACK,
		.seq = c->next,
		.ack = c->got,
	};

	conn_send(p, c, &s);
}

/* Those of the next numbers that came before. */
static void close_holes(struct conn *c)
{
	unsigned i = 0;

	while (i < c->n_beyond) {
		if (before(c->got, c->beyond[i].from)) {
			i++;
			continue;
		}
		if (before(c->got, c->beyond[i].to))
			c->got = c->beyond[i].to;
		c->n_beyond--;
		memmove(&c->beyond[i], &c->beyond[i + 1],
			(c->n_beyond - i) * sizeof(c->beyond[0]));
		i = 0;
	}
}

static void take(struct conn *c, uint32_t from, uint32_t to)
{
	struct range *last;

	if (before(c->got, from)) {
		last = c->n_beyond ? &c->beyond[c->n_beyond - 1] : NULL;
		if (last && last->to == from)
			last->to = to;
		else if (c->n_beyond < MAX_HOLES - 1)
			c->beyond[c->n_beyond++] = (struct range){ from, to };
	} else if (before(c->got, to)) {
		c->got = to;
	}
	close_holes(c);
}

static void check_bytes(const struct conn *c, uint32_t at, const uint8_t *data,
			size_t len)
{
	size_t i;

	MUST(c->service != DISCARD || !len);
	if (c->service == CHARGEN)
		MUST(!memcmp(data, chargen_from(at), len));
	for (i = 0; c->service == ECHO && c->honest && i < len; i++)
		MUST(data[i] == pattern(c->port, at + (uint32_t)i));
	if (c->service == HTTP && !at && len >= 7)
		MUST(!memcmp(data, "HTTP/1.", 7));
}

/* A probe of a window that is closed is one byte beyond. */
static void check_segment(const struct conn *c, uint32_t seq, uint32_t ack,
			  const uint8_t *data, size_t len)
{
	const uint32_t at = seq - c->irs - 1;

	/* lwIP takes a FIN that bytes follow for the end of those. */
	MUST(!before(c->max + c->ended, ack));
	if (len)
		MUST(!before(c->edge + 1, seq + (uint32_t)len));
	if (c->service == ECHO && len)
		MUST(!before(c->max, c->iss + 1 + at + (uint32_t)len));
	check_bytes(c, at, data, len);
}

/* What the host says in a SYN: whether windows are scaled. */
static bool has_scale(const uint8_t *tcp)
{
	const unsigned end = (tcp[12] >> 4) * 4U;
	unsigned at = TCP_HDR;

	while (at < end && tcp[at]) {
		if (tcp[at] == 1) {
			at++;
			continue;
		}
		MUST(end - at >= 2 && tcp[at + 1] >= 2 &&
		     tcp[at + 1] <= end - at);
		if (tcp[at] == 3)
			return true;
		at += tcp[at + 1];
	}
	return false;
}

static void sync(struct conn *c, uint32_t seq, uint32_t ack, const uint8_t *tcp)
{
	/* It answers another SYN than the last, which said other things. */
	if (c->iss + 1 != ack) {
		c->honest = false;
		c->strange = true;
		c->mss = 0;
	}
	if (c->synced && c->irs == seq)
		return;
	if (c->synced)
		c->n_beyond = 0;
	c->iss = ack - 1;
	c->next = ack;
	if (before(c->max, ack))
		c->max = ack;
	c->irs = seq;
	c->got = seq + 1;
	c->sent = c->got;
	c->edge = c->got + c->window;
	c->synced = true;
	if (has_scale(tcp))
		c->scale = c->offered_scale;
}

void conn_receive(struct peer *p, struct conn *c, const uint8_t *tcp,
		  size_t len, uint16_t gso_size)
{
	const unsigned hdr = (tcp[12] >> 4) * 4U;
	const uint32_t seq = get_be32(tcp + 4), ack = get_be32(tcp + 8);
	const uint32_t end = seq + (uint32_t)(len - hdr) + !!(tcp[13] & SYN) +
			     !!(tcp[13] & FIN);
	const bool ignored = c->silent & 1;

	if (tcp[13] & RST)
		return;
	if (tcp[13] & SYN)
		sync(c, seq, ack, tcp);
	if (!c->synced)
		return;
	if (!c->strange)
		check_segment(c, seq, ack, tcp + hdr, len - hdr);
	if (c->mss >= SMALLEST_MSS)
		MUST((gso_size ? gso_size : len - hdr) <= c->mss);
	if (before(c->sent, end))
		c->sent = end;
	if (end == seq)
		return;
	c->silent >>= 1;
	if (ignored)
		return;
	take(c, seq, end);
	if (!c->by_hand)
		conn_acknowledge(p, c);
}
