/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of a batch of merging for the library alone; offload.h has the
 * others. */
#ifndef FDL_OFFLOAD_COALESCE_H
#define FDL_OFFLOAD_COALESCE_H

#include <stdbool.h>

#include <fdlink/offload.h>

/*
 * A flag of fdl_coalesce_init: datagrams to the port of a tunnel in UDP are not
 * merged, except inside if another flag says so. For a wire that takes
 * super-packets of UDP and loses them in a tunnel (distrust.h).
 */
enum { COALESCE_TUNNELS_APART = 1 << 30 };

/*
 * Add a packet if it looks like the super-packet of the batch that began or
 * grew last: in its link header, its offload state, and all that its layout
 * depends on. Then what fdl_offload_check found out about that one holds for
 * this packet too. So the check may be left out, and pkt->off may be as the
 * caller gave it.
 *
 * Returns false if the packet is not alike; it is not added.
 */
bool coalesce_alike(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt);

/*
 * Add a packet for which coalesce_alike returned false; fdl_coalesce_add is the
 * two. pkt->off must have passed fdl_offload_check. All else, except link_len,
 * must be as coalesce_alike left it.
 */
void coalesce_other(struct fdl_coalescer *c, struct fdl_coalesce_packet *pkt);

#endif
