/* SPDX-License-Identifier: Apache-2.0 */
/* What a batch of merging has for the library besides offload.h. */
#ifndef FDL_OFFLOAD_COALESCE_H
#define FDL_OFFLOAD_COALESCE_H

#include <stdbool.h>

#include <fdlink/offload.h>

/*
 * Add a packet if at first sight it is like the one of the batch that something
 * was merged into last, in its link header, its offload state and all that its
 * layout depends on: then what has been found out about that one by
 * fdl_offload_check holds for it too, and need not be asked. Returns false if it
 * is not, or was not looked at: the packet is not added.
 */
bool coalesce_alike(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt);

/* Add one that is not; fdl_coalesce_add is the two. pkt->off is checked, and
 * apart from that and link_len pkt is as coalesce_alike left it. */
void coalesce_other(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt);

#endif
