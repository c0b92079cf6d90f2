/* SPDX-License-Identifier: Apache-2.0 */
/* What comes out of a batch of merging: offload.h has the rest. */
#ifndef FDL_OFFLOAD_COALESCED_H
#define FDL_OFFLOAD_COALESCED_H

#include <fdlink/offload.h>

/* Describe in *out the packet that head and all that was chained to it make. */
void coalesced_describe(struct fdl_coalesced *out,
			struct fdl_coalesce_packet *head);

#endif
