/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lower 8 bits of a cookie are what the peer's SYN offered. The upper 24
 * are a hash of these, of the connection's addresses, ports and the peer's
 * initial sequence number, and of the time, with a key that nobody knows. So a
 * cookie cannot be made up, and is good for 16 seconds at least, and for 32 at
 * most.
 */
#include "fdl_lwip_cookie.h"
#include "fdl_lwip.h"
#include "fdl_lwip_bytes.h"
#include "fdl_lwip_hook.h"
#include "fdl_lwip_reopen.h"
#include "fdl_lwip_tcp_option.h"

#include <string.h>
#include <sys/random.h>

#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>
#include <lwip/sys.h>

#if LWIP_TCP && defined(LWIP_HOOK_TCP_ISN)
enum {
	TICK_BITS = 14,		/* of milliseconds: 16 s */
	LAST_TICK = 0xffffffff >> TICK_BITS,
	OFFER_BITS = 8,
	/* The bits of an offer. */
	NO_SCALE = 15,		/* also the bits of a window scale */
	WITH_SACK = 1 << 4,
	SIZE_SHIFT = 5,
	OFFER_LEN = 12,
	OPTIONS_LEN = OFFER_LEN + LWIP_TCP_OPT_LEN_TS_OUT,
	TIMESTAMP_LEN = 10,
	DEFAULT_MSS = 536,	/* RFC 9293, 3.7.1 */
};

/* What a SYN offers. */
struct offer {
	u16_t mss;
	u8_t scale;		/* or NO_SCALE */
	bool sack;
};

/* A cookie says which of these is the largest that is not more than the
 * peer's. */
static const u16_t sizes[8] = { 216, 536, 1220, 1360, 1440, 1460, 4096, 8940 };

static uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* SipHash-2-4 of n whole words. */
static uint64_t sip_hash(const uint64_t key[2], const uint64_t *word,
			 unsigned n)
{
	uint64_t v[4] = {
		key[0] ^ UINT64_C(0x736f6d6570736575),
		key[1] ^ UINT64_C(0x646f72616e646f6d),
		key[0] ^ UINT64_C(0x6c7967656e657261),
		key[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t m;
	unsigned i;

	for (i = 0; i <= n; i++) {
		m = i < n ? word[i] : (uint64_t)n * sizeof(m) << 56;
		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
	}
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* seqno: of the peer's SYN. */
static u32_t make_cookie(const struct fdl_lwip *link, const struct tcp_hdr *hdr,
			 u32_t seqno, u32_t tick, u8_t offer)
{
	struct {
		ip_addr_t from, to;
		u32_t seqno, tick;
		u16_t src, dest;
		u8_t offer;
	} in;
	uint64_t word[(sizeof(in) + 7) / 8] = { 0 };

	memset(&in, 0, sizeof(in));
	ip_addr_copy(in.from, *ip_current_src_addr());
	ip_addr_copy(in.to, *ip_current_dest_addr());
	in.seqno = seqno;
	in.tick = tick;
	in.src = hdr->src;
	in.dest = hdr->dest;
	in.offer = offer;
	memcpy(word, &in, sizeof(in));
	return (u32_t)sip_hash(link->cookie_key, word, LWIP_ARRAYSIZE(word))
		       << OFFER_BITS |
	       offer;
}

static u32_t tick_now(void)
{
	return sys_now() >> TICK_BITS;
}

static struct offer read_offer(const u8_t *opt, u16_t len)
{
	struct offer o = { .mss = DEFAULT_MSS, .scale = NO_SCALE };
	const u8_t *next;
	unsigned at = 0;

	while ((next = fdl_lwip_next_option(opt, len, &at))) {
		if (next[0] == LWIP_TCP_OPT_MSS && next[1] == 4)
			o.mss = fdl_lwip_get16(next + 2);
		if (next[0] == LWIP_TCP_OPT_WS && next[1] == 3)
			o.scale = LWIP_MIN(next[2], 14);
		if (next[0] == LWIP_TCP_OPT_SACK_PERM)
			o.sack = true;
	}
	return o;
}

static u8_t pack(const struct offer *o)
{
	unsigned i = 0;

	while (i + 1 < LWIP_ARRAYSIZE(sizes) && sizes[i + 1] <= o->mss)
		i++;
	return (u8_t)(i << SIZE_SHIFT | (o->sack ? WITH_SACK : 0U) | o->scale);
}

static void write_offer(u8_t *opt, u8_t offer)
{
	memset(opt, LWIP_TCP_OPT_NOP, OPTIONS_LEN);
	opt[0] = LWIP_TCP_OPT_MSS;
	opt[1] = 4;
	fdl_lwip_put16(opt + 2, sizes[offer >> SIZE_SHIFT]);
	if ((offer & NO_SCALE) != NO_SCALE) {
		opt[4] = LWIP_TCP_OPT_WS;
		opt[5] = 3;
		opt[6] = offer & NO_SCALE;
	}
	if (offer & WITH_SACK) {
		opt[8] = LWIP_TCP_OPT_SACK_PERM;
		opt[9] = 2;
	}
}

/* A peer whose SYN had a timestamp has one in each segment. */
static void write_timestamp(u8_t *opt, const struct tcp_hdr *hdr, u16_t optlen)
{
	const u8_t *own = NULL;

	if (LWIP_TCP_TIMESTAMPS)
		own = fdl_lwip_find_option((const u8_t *)(hdr + 1), optlen,
					   LWIP_TCP_OPT_TS, TIMESTAMP_LEN);
	if (own)
		memcpy(opt, own, TIMESTAMP_LEN);
}

static bool make_key(struct fdl_lwip *link)
{
	const ssize_t len = sizeof(link->cookie_key);

	if (!link->has_key)
		link->has_key = getrandom(link->cookie_key, (size_t)len,
					  GRND_NONBLOCK) == len;
	return link->has_key;
}

void fdl_lwip_cookie_give(struct fdl_lwip *link, const struct tcp_hdr *hdr,
			  u16_t optlen)
{
	const struct offer o = read_offer((const u8_t *)(hdr + 1), optlen);

	if (o.mss < sizes[0] || !make_key(link))
		return;
	link->cookie_tick = tick_now();
	link->isn = make_cookie(link, hdr, hdr->seqno, link->cookie_tick,
				pack(&o));
	link->has_isn = 1;
}

static bool is_cookie(const struct fdl_lwip *link, const struct tcp_hdr *hdr,
		      u32_t tick)
{
	const u32_t cookie = hdr->ackno - 1;

	return make_cookie(link, hdr, hdr->seqno - 1, tick, (u8_t)cookie) ==
	       cookie;
}

bool fdl_lwip_cookie_fits(const struct fdl_lwip *link,
			  const struct tcp_hdr *hdr)
{
	const u32_t now = tick_now(), before = (now - 1) & LAST_TICK;

	if ((TCPH_FLAGS(hdr) & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_ACK ||
	    !link->has_key)
		return false;
	if (link->cookie_tick != now && link->cookie_tick != before)
		return false;
	return is_cookie(link, hdr, now) || is_cookie(link, hdr, before);
}

static struct pbuf *make_syn(const struct tcp_hdr *hdr, u16_t optlen)
{
	struct pbuf *p = pbuf_alloc(PBUF_IP, TCP_HLEN + OPTIONS_LEN, PBUF_RAM);
	struct tcp_hdr *syn;

	if (!p)
		return NULL;
	syn = p->payload;
	memset(syn, 0, sizeof(*syn));
	syn->src = lwip_htons(hdr->src);
	syn->dest = lwip_htons(hdr->dest);
	syn->seqno = lwip_htonl(hdr->seqno - 1);
	syn->wnd = lwip_htons(hdr->wnd);
	TCPH_HDRLEN_FLAGS_SET(syn, (TCP_HLEN + OPTIONS_LEN) / 4, TCP_SYN);
	write_offer((u8_t *)(syn + 1), (u8_t)(hdr->ackno - 1));
	write_timestamp((u8_t *)(syn + 1) + OFFER_LEN, hdr, optlen);
	syn->chksum = ip_chksum_pseudo(p, IP_PROTO_TCP, p->tot_len,
				       ip_current_src_addr(),
				       ip_current_dest_addr());
	return p;
}

/* lwIP answers the SYN once more, which the peer expects as little or as much
 * as any duplicate. */
void fdl_lwip_cookie_take(struct fdl_lwip *link, struct tcp_hdr *hdr,
			  u16_t optlen, struct pbuf *p)
{
	struct pbuf *syn = make_syn(hdr, optlen);

	if (!syn)
		return;
	link->isn = hdr->ackno - 1;
	link->has_isn = 1;
	link->taking = 1;
	tcp_input(syn, ip_current_input_netif());
	/* Without room for it, lwIP has not asked for the number. */
	if (!link->has_isn && fdl_lwip_restore(p, hdr, optlen)) {
		pbuf_ref(p);
		tcp_input(p, ip_current_input_netif());
	}
	link->taking = 0;
	link->has_isn = 0;
}
#else
void fdl_lwip_cookie_give(struct fdl_lwip *link, const struct tcp_hdr *hdr,
			  u16_t optlen)
{
	LWIP_UNUSED_ARG(link);
	LWIP_UNUSED_ARG(hdr);
	LWIP_UNUSED_ARG(optlen);
}

bool fdl_lwip_cookie_fits(const struct fdl_lwip *link,
			  const struct tcp_hdr *hdr)
{
	LWIP_UNUSED_ARG(link);
	LWIP_UNUSED_ARG(hdr);
	return false;
}

void fdl_lwip_cookie_take(struct fdl_lwip *link, struct tcp_hdr *hdr,
			  u16_t optlen, struct pbuf *p)
{
	LWIP_UNUSED_ARG(link);
	LWIP_UNUSED_ARG(hdr);
	LWIP_UNUSED_ARG(optlen);
	LWIP_UNUSED_ARG(p);
}
#endif
