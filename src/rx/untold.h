/* SPDX-License-Identifier: Apache-2.0 */
/* Partial checksums of a device that has no virtio-net header to tell of
 * them. */
#ifndef FDL_RX_UNTOLD_H
#define FDL_RX_UNTOLD_H

#include <stdbool.h>

#include <fdlink/fdlink.h>

/* Whether the checksum of pkt is partial; *off then tells where it is. link_len
 * and protocol are set. */
bool untold_is_partial(const struct fdl_packet *pkt, struct fdl_offload *off);

#endif
