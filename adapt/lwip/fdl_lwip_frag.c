/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip_frag.h"
#include "fdl_lwip_bytes.h"

#include <string.h>

#include <lwip/def.h>
#include <lwip/prot/ip6.h>

enum {
	LINK_MAX = 18,		/* link header with a VLAN tag */
	UNIT = 8,		/* of a fragment's length and offset */
	MORE = 1,
};

/* p is already a fragment, made by lwIP. Its fragment header is the base of
 * those that are made of it. */
static bool read_header(struct fdl_lwip_frag *f)
{
	uint8_t frag[IP6_FRAG_HLEN];

	if (pbuf_copy_partial(f->p, frag, sizeof(frag), f->at) != sizeof(frag))
		return false;
	f->next = frag[0];
	f->offset = (uint16_t)((frag[2] << 8 | frag[3]) & ~(UNIT - 1));
	f->more = frag[3] & MORE;
	memcpy(&f->ident, frag + 4, sizeof(f->ident));
	f->at = (uint16_t)(f->at + sizeof(frag));
	return true;
}

/* lwIP puts these headers only into packets that are short. */
static bool has_options(uint8_t next)
{
	return next == IP6_NEXTH_HOPBYHOP || next == IP6_NEXTH_ROUTING ||
	       next == IP6_NEXTH_DESTOPTS;
}

bool fdl_lwip_frag_start(struct fdl_lwip_frag *f, const struct pbuf *p,
			 unsigned link_len, unsigned mtu, uint32_t ident)
{
	const unsigned headers = IP6_HLEN + IP6_FRAG_HLEN;

	memset(f, 0, sizeof(*f));
	f->p = p;
	f->hdr_len = (uint16_t)(link_len + IP6_HLEN);
	f->at = f->hdr_len;
	f->ident = ident;
	if (link_len > LINK_MAX || p->len < f->hdr_len || mtu < headers + UNIT)
		return false;
	f->next = ((const uint8_t *)p->payload)[link_len + 6];
	if (has_options(f->next) ||
	    (f->next == IP6_NEXTH_FRAGMENT && !read_header(f)))
		return false;
	f->left = (uint16_t)(p->tot_len - f->at);
	f->room = (uint16_t)((mtu - headers) & ~(UNIT - 1U));
	return true;
}

static void put_headers(const struct fdl_lwip_frag *f, uint8_t *to, unsigned n)
{
	const bool more = n < f->left || f->more;
	uint8_t *ip = to + f->hdr_len - IP6_HLEN;
	uint8_t *frag = to + f->hdr_len;

	memcpy(to, f->p->payload, f->hdr_len);
	fdl_lwip_put16(ip + 4, n + IP6_FRAG_HLEN);
	ip[6] = IP6_NEXTH_FRAGMENT;
	frag[0] = f->next;
	frag[1] = 0;
	fdl_lwip_put16(frag + 2, f->offset | more);
	memcpy(frag + 4, &f->ident, sizeof(f->ident));
}

struct pbuf *fdl_lwip_frag_next(struct fdl_lwip_frag *f)
{
	const u16_t n = LWIP_MIN(f->left, f->room);
	const u16_t headers = (u16_t)(f->hdr_len + IP6_FRAG_HLEN);
	struct pbuf *q;

	if (!n)
		return NULL;
	q = pbuf_alloc(PBUF_RAW, (u16_t)(headers + n), PBUF_RAM);
	if (!q)
		return NULL;
	put_headers(f, q->payload, n);
	pbuf_copy_partial(f->p, (uint8_t *)q->payload + headers, n, f->at);
	f->at = (uint16_t)(f->at + n);
	f->left = (uint16_t)(f->left - n);
	f->offset = (uint16_t)(f->offset + n);
	return q;
}
