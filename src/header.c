/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoint's link header, before a packet that is to be sent. */
#include <fdlink/attach.h>

#include <errno.h>
#include <string.h>

#include "endpoint.h"
#include "proto/eth.h"

int fdl_add_header(struct fdl_endpoint *ep, struct fdl_packet *pkt,
		   const uint8_t *local, const uint8_t *remote,
		   uint16_t protocol)
{
	uint8_t *eth;

	if (fdl_max_header_len(ep) == 0)
		return 0;
	if (!remote)
		return -EINVAL;
	eth = fdl_packet_push(pkt, ETH_HDR_LEN);
	if (!eth)
		return -ENOSPC;
	memcpy(eth, remote, ETH_ADDR_LEN);
	memcpy(eth + ETH_ADDR_LEN, local ? local : fdl_address(ep),
	       ETH_ADDR_LEN);
	eth[12] = (uint8_t)(protocol >> 8);
	eth[13] = (uint8_t)protocol;
	pkt->protocol = protocol;
	return 0;
}
