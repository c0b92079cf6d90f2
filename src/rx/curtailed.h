/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a TAP of which a filter has left the start only. */
#ifndef FDL_RX_CURTAILED_H
#define FDL_RX_CURTAILED_H

#include "proto/eth.h"
#include "proto/ip4.h"
#include "proto/ip6.h"
#include "rx/rx.h"

/* Whether an IP packet says that it is longer than what there is of it, or has
 * not even its header. link_len and protocol are set. */
static inline bool curtailed_looks_so(const struct fdl_packet *pkt)
{
	const uint8_t *ip = pkt->data + pkt->link_len;
	const size_t len = pkt->len - pkt->link_len;

	switch (pkt->protocol) {
	case ETH_TYPE_IP4:
		return len < IP4_MIN_LEN || ip4_total_len(ip) > len;
	case ETH_TYPE_IP6:
		return len < IP6_LEN || ip6_payload_len(ip) > len - IP6_LEN;
	default:
		return false;
	}
}

/* Whether such a packet was cut. Else it came as it was sent. */
bool curtailed_is_so(struct rx *rx);

#endif
