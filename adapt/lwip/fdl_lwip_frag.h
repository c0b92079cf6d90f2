/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 fragments for a path that is narrower than lwIP knows. lwIP's own
 * fragmentation changes the packet, which somebody else may still refer to.
 */
#ifndef FDL_LWIP_FRAG_H
#define FDL_LWIP_FRAG_H

#include <stdbool.h>
#include <stdint.h>

#include <lwip/pbuf.h>

struct fdl_lwip_frag {
	const struct pbuf *p;
	uint16_t hdr_len;	/* of the link header and the IPv6 header */
	uint16_t at, left;	/* where the rest of p begins, how long it is */
	uint16_t room;		/* bytes of p that a fragment takes */
	uint16_t offset, more;	/* of the rest: p may itself be a fragment */
	uint32_t ident;		/* in network byte order */
	uint8_t next;
};

/*
 * Begin with a packet that has link_len bytes of link header. ident is used
 * where the packet has none. Returns false: it cannot be fragmented.
 */
bool fdl_lwip_frag_start(struct fdl_lwip_frag *f, const struct pbuf *p,
			 unsigned link_len, unsigned mtu, uint32_t ident);

/* Returns the next fragment, which the caller frees. NULL: there is none, or no
 * memory. */
struct pbuf *fdl_lwip_frag_next(struct fdl_lwip_frag *f);

#endif
