/* SPDX-License-Identifier: Apache-2.0 */
/* Offloads that are not to be handed to this kernel. */
#ifndef FDL_DISTRUST_H
#define FDL_DISTRUST_H

#include <stdint.h>

#include <fdlink/fdlink.h>

/*
 * FDL_OFFLOAD_ bits that a kernel of that release (uname -r) is known to
 * corrupt packets with; *why, a sentence, if there are any.
 */
uint32_t distrust_kernel(const char *release, const char **why);

/* FDL_OFFLOAD_ bits that are not to be left to the wire, as tx_offload says;
 * *why is set where a reason beyond it is known. */
uint32_t distrust_offloads(enum fdl_use use, const char **why);

#endif
