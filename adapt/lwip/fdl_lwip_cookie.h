/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A half-open connection may have to give way before its peer's answer comes.
 * The initial sequence number that the peer then acknowledges says what its SYN
 * was, and that there was one ("SYN cookie", RFC 4987, 3.6).
 */
#ifndef FDL_LWIP_COOKIE_H
#define FDL_LWIP_COOKIE_H

#include <stdbool.h>

#include <lwip/tcp.h>

struct fdl_lwip;
struct tcp_hdr;

/* lwIP is about to answer that SYN, with optlen bytes of options behind it: the
 * next initial sequence number is a cookie. */
void fdl_lwip_cookie_give(struct fdl_lwip *link, const struct tcp_hdr *hdr,
			  u16_t optlen);

/* Whether a segment for a listener acknowledges a cookie. */
bool fdl_lwip_cookie_fits(const struct fdl_lwip *link,
			  const struct tcp_hdr *hdr);

/* Have lwIP take the SYN of that cookie, and then the segment itself. If it has
 * no room for a connection, it takes neither: the peer sends again. */
void fdl_lwip_cookie_take(struct fdl_lwip *link, struct tcp_hdr *hdr,
			  u16_t optlen, struct pbuf *p);

#endif
