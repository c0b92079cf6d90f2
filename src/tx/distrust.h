/* SPDX-License-Identifier: Apache-2.0 */
/* Offloads that this kernel must not be given. */
#ifndef FDL_DISTRUST_H
#define FDL_DISTRUST_H

#include <stdint.h>

#include <fdlink/fdlink.h>

/* Returns the FDL_OFFLOAD_ bits with which a kernel of that release (uname -r)
 * is known to corrupt packets; *why is a sentence, if there are any. */
uint32_t distrust_kernel(const char *release, const char **why);

/* Returns the FDL_OFFLOAD_ bits that must not be left to the wire, as
 * tx_offload says; *why is set if there is a reason beyond that. */
uint32_t distrust_offloads(enum fdl_use use, const char **why);

#endif
