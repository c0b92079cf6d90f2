/* SPDX-License-Identifier: Apache-2.0 */
/* What a batch of merging has for the library besides offload.h. */
#ifndef FDL_OFFLOAD_COALESCE_H
#define FDL_OFFLOAD_COALESCE_H

#include <stdbool.h>

#include <fdlink/offload.h>

/*
 * Add a packet if at first sight it is like the super-packet of the batch that
 * began or grew last, in its link header, its offload state and all that its
 * layout depends on: then what fdl_offload_check found out about that one holds
 * for it too, and need not be asked; its off may be what the caller said. Returns
 * false if it is not alike: the packet is not added.
 */
bool coalesce_alike(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt);

/* Add one that is not; fdl_coalesce_add is the two. pkt->off is checked, and
 * apart from that and link_len pkt is as coalesce_alike left it. */
void coalesce_other(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt);

#endif
