/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "proto/bytes.h"
#include "proto/eth.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "proto/parse.h"

static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* Hash one end of a flow: its address, and its port or 0. */
static uint64_t hash_end(const uint8_t *addr, size_t len, unsigned port)
{
	uint64_t h = port, word, w = 0;
	size_t i = 0;

	for (; len >= sizeof(word); len -= sizeof(word), addr += sizeof(word)) {
		memcpy(&word, addr, sizeof(word));
		h = mix(h ^ word) + len;
	}
	/* No memcpy of a part of w: the load of all of it would wait for the
	 * store. Four bytes are what is left of IPv4. */
	if (len >= 4) {
		w = get_be32(addr);
		i = 4;
	}
	for (; i < len; i++)
		w = w << 8 | addr[i];
	return mix(mix(h ^ w) + len);
}

/* The ends are added, so that both directions have the same hash. */
static uint32_t finish(uint64_t ends, unsigned proto)
{
	uint32_t h = (uint32_t)(mix(ends + proto) >> 16);

	return h ? h : 1;
}

static uint32_t hash_link(const uint8_t *frame, size_t avail, unsigned link_len)
{
	if (link_len < ETH_HDR_LEN || avail < link_len)
		return 1;
	return finish(hash_end(frame, ETH_ADDR_LEN, 0) +
			      hash_end(frame + ETH_ADDR_LEN, ETH_ADDR_LEN, 0),
		      get_be16(frame + link_len - 2));
}

uint32_t flow_hash(const uint8_t *frame, size_t avail, unsigned link_len,
		   const struct parsed *p)
{
	unsigned sport = 0, dport = 0, src = IP4_SRC, size = IP4_ADDR_LEN;

	if (!p->version)
		return hash_link(frame, avail, link_len);
	if (p->version == 6) {
		src = IP6_SRC;
		size = IP6_ADDR_LEN;
	}
	if (p->proto) {
		sport = get_be16(frame + p->l4);
		dport = get_be16(frame + p->l4 + 2);
	}
	return finish(hash_end(frame + p->l3 + src, size, sport) +
			      hash_end(frame + p->l3 + src + size, size, dport),
		      p->proto);
}

uint32_t fdl_flow_hash(const uint8_t *frame, size_t len, unsigned link_len)
{
	struct parsed p;

	parse_frame(frame, len, len, link_len, &p);
	return flow_hash(frame, len, link_len, &p);
}
