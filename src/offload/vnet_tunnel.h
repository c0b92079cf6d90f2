/* SPDX-License-Identifier: Apache-2.0 */
/* What the virtio-net header of Linux 6.17 tells of a tunnel (struct
 * virtio_net_hdr_v1_hash_tunnel of linux/virtio_net.h). */
#ifndef FDL_OFFLOAD_VNET_TUNNEL_H
#define FDL_OFFLOAD_VNET_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fdlink/offload.h>

enum {
	VNET_TUNNEL_TYPES = 0x60,	/* in the type of super-packet */
};

struct vnet_tunnel {
	uint8_t type, flags;		/* bits of the header's fields */
	uint8_t outer_l4, inner_l3;	/* from the frame's start */
	uint8_t inner_version;		/* of IP */
	bool sum_is_whole;		/* the outer UDP checksum is not that of
					 * its pseudo-header, as a header
					 * requires */
};

/*
 * Describe the tunnel around a super-packet that fdl_offload_check has passed.
 * Returns false if a header cannot describe it: a header can only describe one
 * tunnel, in UDP.
 */
bool vnet_tunnel_describe(const uint8_t *frame, size_t avail, size_t len,
			  unsigned link_len, const struct fdl_offload *off,
			  struct vnet_tunnel *tunnel);

/* Add that to a header of FDL_VNET_HDR_TUNNEL_LEN bytes. */
void vnet_tunnel_put(uint8_t *hdr, const struct vnet_tunnel *tunnel);

#endif
