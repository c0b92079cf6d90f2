/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip_nd.h"

#include <lwip/opt.h>

#if LWIP_IPV6
#include <string.h>

#include <lwip/priv/nd6_priv.h>
#include <lwip/prot/icmp6.h>

enum {
	/* Where a redirect names the better hop, and for whom. */
	TARGET = 8,
	DESTINATION = 24,
	ADDRESS = 16,
};

/* Returns where the options of a message begin. 0: it has none. */
static unsigned options_at(uint8_t type)
{
	switch (type) {
	case ICMP6_TYPE_RS:
		return 8;
	case ICMP6_TYPE_RA:
		return 16;
	case ICMP6_TYPE_NS:
	case ICMP6_TYPE_NA:
		return 24;
	case ICMP6_TYPE_RD:
		return 40;
	default:
		return 0;
	}
}

/* RFC 4861, sections 6.1 to 8.1: no option may have the length 0. */
static bool options_fit(const uint8_t *msg, unsigned len, unsigned at)
{
	unsigned n;

	while (at < len) {
		n = len - at < 2 ? 0 : msg[at + 1] * 8U;
		if (!n || n > len - at)
			return false;
		at += n;
	}
	return at == len;
}

static bool is_link_local(const uint8_t *ip)
{
	return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

static const struct nd6_destination_cache_entry *find_destination(
	const uint8_t *to)
{
	unsigned i;

	for (i = 0; i < LWIP_ND6_NUM_DESTINATIONS; i++) {
		if (!memcmp(destination_cache[i].destination_addr.addr, to,
			    ADDRESS))
			return &destination_cache[i];
	}
	return NULL;
}

/*
 * RFC 4861, section 8.1, which lwIP does not check: only the present first hop
 * to a destination may name a better one. The better one is a router on the
 * link, or the destination itself.
 */
static bool redirect_is_right(const uint8_t *msg, const uint8_t *from)
{
	const uint8_t *target = msg + TARGET, *to = msg + DESTINATION;
	const struct nd6_destination_cache_entry *entry = find_destination(to);

	if (!is_link_local(target) && memcmp(target, to, ADDRESS))
		return false;
	return entry && !memcmp(entry->next_hop_addr.addr, from, ADDRESS);
}

bool fdl_lwip_nd_is_right(const uint8_t *msg, unsigned len, const uint8_t *from)
{
	const unsigned at = options_at(msg[0]);

	if (!at)
		return true;
	return len >= at && options_fit(msg, len, at) &&
	       (msg[0] != ICMP6_TYPE_RD || redirect_is_right(msg, from));
}

void fdl_lwip_nd_forget(void)
{
	unsigned i;

	for (i = 0; i < LWIP_ND6_NUM_DESTINATIONS; i++)
		destination_cache[i].pmtu = 0;
}
#endif
