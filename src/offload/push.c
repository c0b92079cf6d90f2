/* SPDX-License-Identifier: Apache-2.0 */
/* Headers put in front of a packet, and taken off, with what is known of it. */
#include <fdlink/packet.h>

#include <stdbool.h>

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
