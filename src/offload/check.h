/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_OFFLOAD_CHECK_H
#define FDL_OFFLOAD_CHECK_H

#include <fdlink/offload.h>

#include "proto/parse.h"

/* As fdl_offload_check. If the result is FDL_REFUSE_NONE and off->gso is not 0,
 * *p is what was found in the packet that is to be cut. */
enum fdl_refusal offload_check(const uint8_t *frame, size_t avail, size_t len,
			       unsigned link_len, struct fdl_offload *off,
			       struct parsed *p);

#endif
