/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet II and IEEE 802.3 headers with VLAN tags (IEEE 802.1Q, 802.1ad). */
#ifndef FDL_PROTO_ETH_H
#define FDL_PROTO_ETH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	ETH_ADDR_LEN = 6,
	ETH_HDR_LEN = 14,
	ETH_VLAN_LEN = 4,
	ETH_MAX_HDR_LEN = ETH_HDR_LEN + 2 * ETH_VLAN_LEN,
	ETH_TYPE_IP4 = 0x0800,
	ETH_TYPE_ARP = 0x0806,
	ETH_TYPE_VLAN = 0x8100,
	ETH_TYPE_IP6 = 0x86dd,
	ETH_TYPE_SERVICE_VLAN = 0x88a8,
	ETH_MIN_TYPE = 0x0600,	/* below it is a length (IEEE 802.3, 3.2.6) */
	ETH_PROTO_802_2 = 4,	/* ETH_P_802_2, linux/if_ether.h */
};

struct eth_view {
	uint16_t protocol;	/* host order; behind up to two tags */
	uint8_t hdr_len;	/* 14, 18 or 22 */
};

static inline uint16_t eth_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline bool eth_is_vlan(uint16_t type)
{
	return type == ETH_TYPE_VLAN || type == ETH_TYPE_SERVICE_VLAN;
}

/* False: shorter than an Ethernet header, or than the tags it announces. */
static inline bool eth_parse(const uint8_t *frame, size_t len,
			     struct eth_view *eth)
{
	size_t at = ETH_HDR_LEN;
	uint16_t type;

	if (len < at)
		return false;
	type = eth_get16(frame + at - 2);
	while (eth_is_vlan(type) && at < ETH_MAX_HDR_LEN) {
		at += ETH_VLAN_LEN;
		if (len < at)
			return false;
		type = eth_get16(frame + at - 2);
	}
	eth->protocol = type < ETH_MIN_TYPE ? ETH_PROTO_802_2 : type;
	eth->hdr_len = (uint8_t)at;
	return true;
}

#endif
