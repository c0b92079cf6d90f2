/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_OFFLOAD_CHECK_H
#define FDL_OFFLOAD_CHECK_H

#include <fdlink/offload.h>

#include "proto/parse.h"
#include "proto/tunnel.h"

struct checked {
	struct parsed p;	/* the packet that is to be cut */
	struct tunnel t;	/* what is around it */
};

/* As fdl_offload_check. If the result is FDL_REFUSE_NONE and there is work to
 * do (a partial checksum, or off->gso), *found is what was found. */
enum fdl_refusal offload_check(const uint8_t *frame, size_t avail, size_t len,
			       unsigned link_len, struct fdl_offload *off,
			       struct checked *found);

#endif
