/* SPDX-License-Identifier: Apache-2.0 */
#include "offload/vnet_tunnel.h"

#include <errno.h>
#include <string.h>

#include "offload/checksum.h"
#include "proto/tunnel.h"
#include "proto/udp.h"

enum {
	TYPE_TUNNEL_IP4 = 0x20,
	TYPE_TUNNEL_IP6 = 0x40,
	FLAG_TUNNEL_CSUM = 8,

	AT_FLAGS = 0,
	AT_TYPE = 1,
	/* Little-endian in any header. */
	AT_OUTER_L4 = 20,
	AT_INNER_L3 = 22,
};

/* Both forms of 0 are one sum. */
static bool holds_pseudo(const uint8_t *frame, const struct tunnel *t,
			 uint32_t end)
{
	const struct parsed outer = {
		.l3 = t->at[0],
		.version = t->is[0] == TUNNEL_IP4 ? 4 : 6,
		.proto = UDP_PROTO,
	};
	uint16_t sum;

	memcpy(&sum, frame + t->l4 + UDP_CHECK, sizeof(sum));
	return sum % 0xffff ==
	       checksum_add(checksum_pseudo(frame, &outer), end - t->l4) %
		       0xffff;
}

bool vnet_tunnel_describe(const uint8_t *frame, size_t avail, size_t len,
			  unsigned link_len, const struct fdl_offload *off,
			  struct vnet_tunnel *tunnel)
{
	struct tunnel t;
	struct parsed p;

	if (tunnel_parse(frame, avail, len, link_len, off->csum_start, &p,
			 &t) ||
	    !t.udp)
		return false;
	*tunnel = (struct vnet_tunnel){
		.type = t.is[0] == TUNNEL_IP4 ? TYPE_TUNNEL_IP4 :
						TYPE_TUNNEL_IP6,
		.outer_l4 = (uint8_t)t.l4,
		.inner_l3 = (uint8_t)p.l3,
		.inner_version = p.version,
	};
	if (!get_be16(frame + t.l4 + UDP_CHECK))
		return true;
	tunnel->flags = FLAG_TUNNEL_CSUM;
	tunnel->sum_is_whole = !holds_pseudo(frame, &t, p.end);
	return true;
}

void vnet_tunnel_put(uint8_t *hdr, const struct vnet_tunnel *tunnel)
{
	hdr[AT_FLAGS] |= tunnel->flags;
	hdr[AT_TYPE] |= tunnel->type;
	hdr[AT_OUTER_L4] = tunnel->outer_l4;
	hdr[AT_INNER_L3] = tunnel->inner_l3;
}

int fdl_vnet_hdr_put_tunnel(uint8_t hdr[FDL_VNET_HDR_TUNNEL_LEN],
			    const uint8_t *frame, size_t avail, size_t len,
			    unsigned link_len, const struct fdl_offload *off)
{
	struct vnet_tunnel tunnel;

	if (!tunnel_of(off))
		return 0;
	if (!vnet_tunnel_describe(frame, avail, len, link_len, off, &tunnel) ||
	    tunnel.sum_is_whole)
		return -EOPNOTSUPP;
	vnet_tunnel_put(hdr, &tunnel);
	return 0;
}
