/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 fragments for a path that is narrower than lwIP knows. lwIP's own would
 * change the packet, which may be somebody's still.
 */
#ifndef FDL_LWIP_FRAG_H
#define FDL_LWIP_FRAG_H

#include <stdbool.h>
#include <stdint.h>

#include <lwip/pbuf.h>

struct fdl_lwip_frag {
	const struct pbuf *p;
	uint16_t hdr_len;	/* of link and IPv6 header */
	uint16_t at, left;	/* what is still to be sent of p */
	uint16_t room;		/* of that in a fragment */
	uint16_t offset, more;	/* of all of p, which may be a fragment */
	uint32_t ident;		/* as in the header */
	uint8_t next;
};

/*
 * Begin with a packet that has link_len bytes of link header. ident is used
 * where the packet has none. Returns false: it cannot be fragmented.
 */
bool fdl_lwip_frag_start(struct fdl_lwip_frag *f, const struct pbuf *p,
			 unsigned link_len, unsigned mtu, uint32_t ident);

/* The next fragment, for the caller to free; NULL: there is none, or no
 * memory. */
struct pbuf *fdl_lwip_frag_next(struct fdl_lwip_frag *f);

#endif
