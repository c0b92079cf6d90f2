/* SPDX-License-Identifier: Apache-2.0 */
/* Which flow a packet is of, also in a tunnel. */
#ifndef FDL_ORACLE_FLOW_H
#define FDL_ORACLE_FLOW_H

#include "../unit/tunnels.h"

enum { FLOW_LINK_LEN = 14 };

/* What comes behind an IP header; *proto says what it is. */
static inline unsigned behind_ip(const uint8_t *f, unsigned l3, unsigned *proto)
{
	if (f[l3] >> 4 == 4) {
		*proto = f[l3 + 9];
		return l3 + (f[l3] & 15u) * 4;
	}
	*proto = f[l3 + 6];
	l3 += 40;
	if (*proto == 60) {
		*proto = f[l3];
		l3 += 8u * (f[l3 + 1] + 1u);
	}
	return l3;
}

/* What comes behind a GRE header. */
static inline unsigned behind_gre(const uint8_t *f, unsigned at, bool *eth)
{
	*eth = get16(f + at + 2) == 0x6558;
	return at + 4 + (f[at] & 0x80 ? 4 : 0) + (f[at] & 0x20 ? 4 : 0);
}

/* What comes behind the outer header, where that leads to a tunnel: the IP
 * header in it. */
static inline unsigned find_inside(const uint8_t *f, unsigned at,
				   unsigned proto)
{
	bool eth = false;

	if (proto == 47) {
		at = behind_gre(f, at, &eth);
	} else if (proto == 17) {
		eth = !(f[at + 8] & 4) || f[at + 11] == 3;
		at += 16;
	}
	return at + (eth ? FLOW_LINK_LEN : 0);
}

static inline bool is_tunnel(const uint8_t *f, unsigned at, unsigned proto)
{
	if (proto == 17)
		return get16(f + at) == 54321;
	return proto == 47 || proto == 4 || proto == 41;
}

/* The port, whatever the version. */
static inline unsigned flow_of(const uint8_t *f)
{
	unsigned proto, at = behind_ip(f, FLOW_LINK_LEN, &proto);

	if (is_tunnel(f, at, proto))
		at = behind_ip(f, find_inside(f, at, proto), &proto);
	return get16(f + at);
}

#endif
