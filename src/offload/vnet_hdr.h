/* SPDX-License-Identifier: Apache-2.0 */
/* The virtio-net header, as far as offload.h does not tell. */
#ifndef FDL_OFFLOAD_VNET_HDR_H
#define FDL_OFFLOAD_VNET_HDR_H

#include <stdbool.h>

#include <fdlink/offload.h>

/* The high byte of its fields comes first. */
bool vnet_hdr_is_big(enum fdl_order order);

#endif
