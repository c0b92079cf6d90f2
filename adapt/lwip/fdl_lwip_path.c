/* SPDX-License-Identifier: Apache-2.0 */
#include "fdl_lwip_path.h"
#include "fdl_lwip_address.h"

#include <string.h>

#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/tcp.h>
#include <lwip/sys.h>

enum {
	/* RFC 8201, section 4: a path may be tried again after five minutes at
	 * the earliest, and ten are recommended. */
	LIFETIME_MS = 10 * 60 * 1000,
};

/* An IPv4 address is stored as IPv6 maps it. */
static void make_key(uint8_t key[16], unsigned version, const void *to)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (version == 6) {
		memcpy(key, to, 16);
		return;
	}
	memcpy(key, mapped, sizeof(mapped));
	memcpy(key + sizeof(mapped), to, 4);
}

static bool is_alive(const struct fdl_lwip_path *path, u32_t now)
{
	return path->in_use && now - path->since < LIFETIME_MS;
}

/* Returns the index of the path, or FDL_LWIP_PATHS: it is not known. */
static unsigned find(const struct fdl_lwip *link, unsigned version,
		     const void *to)
{
	const u32_t now = sys_now();
	uint8_t key[16];
	unsigned i;

	make_key(key, version, to);
	for (i = 0; i < FDL_LWIP_PATHS; i++) {
		if (is_alive(&link->path[i], now) &&
		    !memcmp(link->path[i].to, key, sizeof(key)))
			break;
	}
	return i;
}

/* The oldest path makes room, and one that is not known to be narrow before
 * one that is. */
static struct fdl_lwip_path *find_room(struct fdl_lwip *link, u32_t now)
{
	struct fdl_lwip_path *path, *best = link->path;
	unsigned i;

	for (i = 0; i < FDL_LWIP_PATHS; i++) {
		path = &link->path[i];
		if (!is_alive(path, now))
			return path;
		if (!path->mtu != !best->mtu ?
			    !path->mtu :
			    now - path->since > now - best->since)
			best = path;
	}
	return best;
}

static struct fdl_lwip_path *get(struct fdl_lwip *link, unsigned version,
				 const void *to)
{
	const unsigned i = find(link, version, to);
	const u32_t now = sys_now();
	struct fdl_lwip_path *path;

	if (i < FDL_LWIP_PATHS)
		return &link->path[i];
	path = find_room(link, now);
	make_key(path->to, version, to);
	path->in_use = 1;
	path->cuts = 0;
	path->mtu = 0;
	path->since = now;
	return path;
}

uint16_t fdl_lwip_path_mtu(struct fdl_lwip *link, unsigned version,
			   const void *to)
{
	unsigned i;

	if (!link->narrow)
		return 0;
	i = find(link, version, to);
	return i < FDL_LWIP_PATHS ? link->path[i].mtu : 0;
}

uint16_t fdl_lwip_path_mss(struct fdl_lwip *link, const ip_addr_t *to)
{
	const struct fdl_lwip_address a = fdl_lwip_address(to);
	const unsigned headers = (a.version == 6 ? IP6_HLEN : IP_HLEN) +
				 (unsigned)TCP_HLEN;
	const uint16_t mtu = fdl_lwip_path_mtu(link, a.version, a.bytes);
	const uint16_t own = a.version == 6 ? netif_mtu6(link->netif) :
					      link->netif->mtu;

	return (uint16_t)((mtu && mtu < own ? mtu : own) - headers);
}

bool fdl_lwip_path_narrow(struct fdl_lwip *link, unsigned version,
			  const void *to, uint16_t mtu)
{
	struct fdl_lwip_path *path = get(link, version, to);

	if (path->mtu && path->mtu <= mtu)
		return false;
	path->mtu = mtu;
	path->since = sys_now();
	link->narrow = 1;
	return true;
}

void fdl_lwip_path_let_cut(struct fdl_lwip *link, const void *to)
{
	struct fdl_lwip_path *path = get(link, 4, to);

	path->cuts = 1;
	path->since = sys_now();
	link->narrow = 1;
}

bool fdl_lwip_path_cuts(const struct fdl_lwip *link, const void *to)
{
	unsigned i;

	if (!link->narrow)
		return false;
	i = find(link, 4, to);
	return i < FDL_LWIP_PATHS && link->path[i].cuts;
}

void fdl_lwip_path_use(struct fdl_lwip *link, unsigned version, const void *to)
{
	struct fdl_lwip_path *path = get(link, version, to);

	if (!path->mtu)
		path->since = sys_now();
}

bool fdl_lwip_path_used(const struct fdl_lwip *link, unsigned version,
			const void *to)
{
	return find(link, version, to) < FDL_LWIP_PATHS;
}
