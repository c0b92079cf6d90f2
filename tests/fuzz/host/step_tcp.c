/* SPDX-License-Identifier: Apache-2.0 */
/* What a program does with connections. In each b[0] & 7 is which. */
#include <string.h>

#include "../fuzz.h"
#include "fickle.h"
#include "peer.h"
#include "program.h"

enum { FIRST_PORT = 40000 };

static struct conn *conn_of(struct peer *p, const struct step *s)
{
	return &p->conn[s->b[0] % N_CONNS];
}

/* b[1]: service, version, address, reuse of the port, acknowledging by hand;
 * b[2]: options; b[3]: the MSS; b[4]: window scale; b[5], b[6]: window. */
size_t step_open(struct peer *p, const struct step *s)
{
	static const uint16_t services[] = { ECHO, DISCARD, CHARGEN, HTTP,
					     1234, FICKLE_PORT, CHARGEN, ECHO };
	static const uint16_t sizes[] = {
		1460, 536, 1220, 88, 1, 0, 8960, 65535
	};
	static const uint8_t senders[] = { 0, 1, 2, 6 };
	struct conn *c = conn_of(p, s);
	const bool again = c->version && s->b[1] & 64;
	struct segment syn = { .flags = SYN, .options = s->b[2] };

	if (!again) {
		memset(c, 0, sizeof(*c));
		c->version = s->b[1] & 8 ? 6 : 4;
		c->from = senders[s->b[1] >> 4 & 3];
		c->to = c->version == 6 && c->from == 6;
		c->service = services[s->b[1] & 7];
		c->port = (uint16_t)(FIRST_PORT + p->ports++);
		c->max = 0xffff0000 - s->b[2] * 9973U;
	}
	c->by_hand = s->b[1] & 128;
	c->mss = s->b[2] & OPT_MSS ? sizes[s->b[3] & 7] : 536;
	c->offered_scale = s->b[2] & OPT_SCALE ? s->b[4] & 15 : 0;
	c->scale = 0;
	c->sack = s->b[2] & OPT_SACK;
	c->window = get_be16(s->b + 5);
	c->iss = c->max + (again ? (uint32_t)(int8_t)s->b[3] : 0);
	c->next = c->iss + 1;
	c->max = c->next;
	c->honest = true;
	c->synced = false;
	c->strange = false;
	c->n_beyond = 0;
	c->newest = c->iss;
	c->widest = 0;
	c->went_back = false;
	syn.seq = c->iss;
	conn_send(p, c, &syn);
	return 0;
}

/* A payload that is what the stream has at seq. */
static void fill(const struct conn *c, uint8_t *data, uint32_t seq, size_t len)
{
	const uint32_t at = seq - c->iss - 1;
	size_t i;

	for (i = 0; i < len; i++)
		data[i] = pattern(c->port, at + (uint32_t)i);
}

/* b[1]: flags, and 64: more than a packet of the MTU, 128: nothing is next to
 * it; b[2], b[3]: length; b[4], b[5]: from where, if not what is next; b[6]:
 * cut at so many bytes times 8, as a super-packet. */
size_t step_data(struct peer *p, const struct step *s)
{
	static uint8_t data[MAX_PAYLOAD];
	struct conn *c = conn_of(p, s);
	const int32_t shift = (int8_t)s->b[4] * (1 << (s->b[5] & 15));
	struct segment seg = {
		.flags = (s->b[1] & 63 & ~(SYN | RST)) | ACK,
		.seq = c->next + (uint32_t)shift,
		.ack = c->got,
		.data = data,
		.len = get_be16(s->b + 2) % (s->b[1] & 64 ? MAX_PAYLOAD : 1461),
		.gso_size = (uint16_t)(s->b[6] * 8),
	};

	if (!c->version)
		return 0;
	if (c->service != ECHO && c->service != DISCARD)
		c->honest = false;
	fill(c, data, seg.seq, seg.len);
	conn_send(p, c, &seg);
	if (!(s->b[1] & 128) && (int32_t)(seg.seq + seg.len - c->next) > 0)
		c->next = seg.seq + (uint32_t)seg.len + (seg.flags & FIN);
	return 0;
}

/* b[1] to b[6]: texts that make a piece of a request; one of them says what
 * comes in the program itself, up to the next zero. */
size_t step_text(struct peer *p, const struct step *s)
{
	static const char *const texts[] = {
		"",
		"GET / HTTP/1.1\r\n",
		"GET /stats.json HTTP/1.0\r\n",
		"HEAD / HTTP/1.1\r\n",
		"Host: fdlink\r\n",
		"\r\n",
		"GET http://fdlink/stats.json HTTP/1.1\r\n",
		"GET // HTTP/1.1\r\n",
		"POST / HTTP/1.1\r\n",
		"Content-Length: 5\r\n",
		"Content-Length: 18446744073709551615\r\n",
		"hello",
		"Connection: keep-alive\r\n",
		"Connection: close\r\n",
		"Transfer-Encoding: chunked\r\n",
		"OPTIONS * HTTP/1.1\r\n",
		"Expect: 100-continue\r\n",
		"\n",
		"GET /nothing\n",
		"GET ",
		"HTTP/1.",
		"5\r\nhello\r\n0\r\n\r\n",
		" ",
		"\r",
		"Host: a\r\nHost: b\r\n",
		": \r\n",
		" folded\r\n",
		"GET / HTTP/9.9\r\n",
	};
	enum { N = sizeof(texts) / sizeof(*texts), LONG = N, NUL, OWN, ALL };
	struct conn *c = conn_of(p, s);
	uint8_t data[4096];
	struct segment seg = {
		.flags = ACK | PSH,
		.seq = c->next,
		.ack = c->got,
		.data = data,
	};
	size_t i, n, own = 0;

	if (!c->version)
		return 0;
	for (i = 1; i < 7; i++) {
		const unsigned k = s->b[i] % ALL;
		const uint8_t *from = k < N ? (const uint8_t *)texts[k] : data;

		n = k < N ? strlen(texts[k]) : 1;
		if (k == LONG) {
			n = 600;
			memset(data + seg.len, 'a', n);
		} else if (k == NUL) {
			data[seg.len] = 0;
		} else if (k == OWN) {
			n = s->more_len - own;
			n = n < RECORD ? n : RECORD;
			memcpy(data + seg.len, s->more + own, n);
			own += n;
		} else {
			memcpy(data + seg.len, from, n);
		}
		seg.len += n;
	}
	c->honest = false;
	conn_send(p, c, &seg);
	c->next += (uint32_t)seg.len;
	return own;
}

/* b[0] >> 3 & 3: how often; b[1] & 3: how right, & 112: blocks, & 128: with the
 * window of b[4], b[5]; b[2], b[3]: how much more or less. */
size_t step_ack(struct peer *p, const struct step *s)
{
	static const unsigned times[] = { 1, 2, 3, 8 };
	struct conn *c = conn_of(p, s);
	const uint32_t off = get_be16(s->b + 2);
	const uint32_t ack[] = { c->got, c->got - off, c->got + off, c->sent };
	const struct segment seg = {
		.flags = ACK,
		.seq = c->next,
		.ack = ack[s->b[1] & 3],
		.blocks = s->b[1] >> 4 & 7,
		.block = c->got + s->b[6] * 365U,
	};
	unsigned i;

	if (!c->version)
		return 0;
	if (s->b[1] & 128)
		c->window = get_be16(s->b + 4);
	for (i = 0; i < times[s->b[0] >> 3 & 3]; i++)
		conn_send(p, c, &seg);
	return 0;
}

/* b[1]: flags; b[2], b[3]: the number, from what is next; b[4]: what is
 * acknowledged; b[5]: options; b[6]: length. */
size_t step_segment(struct peer *p, const struct step *s)
{
	uint8_t data[255];
	struct conn *c = conn_of(p, s);
	const int32_t shift = (int8_t)s->b[2] * (1 << (s->b[3] % 24));
	const struct segment seg = {
		.flags = s->b[1] & 63,
		.seq = c->next + (uint32_t)shift,
		.ack = c->got + (uint32_t)(int8_t)s->b[4],
		.options = s->b[5],
		.data = data,
		.len = s->b[6],
	};

	if (!c->version)
		return 0;
	fill(c, data, seg.seq, seg.len);
	/* What follows a SYN begins a byte later than elsewhere. */
	if (seg.flags & SYN && seg.len)
		c->honest = false;
	conn_send(p, c, &seg);
	if (seg.flags & FIN && !shift)
		c->next += (uint32_t)seg.len + 1;
	return 0;
}
