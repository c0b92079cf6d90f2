/* SPDX-License-Identifier: Apache-2.0 */
/* What two peers agree on, and no fd can tell. */
#ifndef FDL_KIND_AGREED_H
#define FDL_KIND_AGREED_H

#include <fdlink/fdlink.h>
#include <fdlink/offload.h>

#include "io/io.h"

/* The virtio-net header before each packet, as fdl_options.flags say. */
static inline void agree_on_header(struct io *io, uint32_t flags)
{
	if (flags & FDL_VNET_HDR_V1) {
		io->vnet_hdr_len = FDL_VNET_HDR_MRG_LEN;
		io->order = FDL_ORDER_LITTLE;
	} else if (flags & FDL_VNET_HDR) {
		io->vnet_hdr_len = FDL_VNET_HDR_LEN;
	}
}

#endif
