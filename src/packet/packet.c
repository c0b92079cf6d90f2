/* SPDX-License-Identifier: Apache-2.0 */
#include <fdlink/packet.h>

#include <errno.h>

#include <fdlink/fdlink.h>

#include "packet/pool.h"
#include "proto/eth.h"

static bool is_link_len(size_t n)
{
	return n >= ETH_HDR_LEN && n <= ETH_MAX_HDR_LEN &&
	       (n - ETH_HDR_LEN) % ETH_VLAN_LEN == 0;
}

static uint8_t longer(uint8_t len, size_t n)
{
	return n < (size_t)(UINT8_MAX - len) ? (uint8_t)(len + n) : UINT8_MAX;
}

uint8_t *fdl_packet_push(struct fdl_packet *pkt, size_t n)
{
	if (n > pkt->room)
		return NULL;
	pkt->data -= n;
	pkt->room -= (uint32_t)n;
	pkt->len += (uint32_t)n;
	if (pkt->link_len || is_link_len(n))
		pkt->link_len = longer(pkt->link_len, n);
	if (pkt->off.hdr_len)
		pkt->off.hdr_len = (uint16_t)(pkt->off.hdr_len + n);
	if (pkt->off.ecn_tunnel_[1])
		pkt->off.ecn_tunnel_[1] = longer(pkt->off.ecn_tunnel_[1], n);
	if (pkt->off.csum == FDL_CSUM_PARTIAL)
		pkt->off.csum_start = (uint16_t)(pkt->off.csum_start + n);
	return pkt->data;
}

static uint16_t less(uint16_t from, size_t n)
{
	return n < from ? (uint16_t)(from - n) : 0;
}

static uint8_t shorter(uint8_t len, size_t n)
{
	if (len == UINT8_MAX && n)
		return 0;
	return (uint8_t)less(len, n);
}

uint8_t *fdl_packet_pull(struct fdl_packet *pkt, size_t n)
{
	if (n > pkt->len)
		return NULL;
	pkt->data += n;
	pkt->room += (uint32_t)n;
	pkt->len -= (uint32_t)n;
	pkt->link_len = shorter(pkt->link_len, n);
	pkt->off.hdr_len = less(pkt->off.hdr_len, n);
	pkt->off.ecn_tunnel_[1] = shorter(pkt->off.ecn_tunnel_[1], n);
	if (pkt->off.csum == FDL_CSUM_PARTIAL && pkt->off.csum_start < n)
		pkt->off.csum = FDL_CSUM_NONE;
	pkt->off.csum_start = less(pkt->off.csum_start, n);
	return pkt->data;
}

unsigned fdl_offload_tunnel(const struct fdl_offload *off)
{
	return off->ecn_tunnel_[1];
}

void fdl_release(struct fdl_packet *v[], int n)
{
	struct fdl_store *store;
	int i, end;

	for (i = 0; i < n; i = end) {
		end = i + 1;
		if (!v[i])
			continue;
		store = v[i]->store_;
		while (end < n && v[end] && v[end]->store_ == store)
			end++;
		store->release(store, v + i, end - i);
	}
}

int fdl_keep(struct fdl_packet **pkt)
{
	struct fdl_store *store = (*pkt)->store_;

	return store->keep ? store->keep(store, *pkt) : 0;
}
