/* SPDX-License-Identifier: Apache-2.0 */
/* Offloads that this kernel must not be given. */
#ifndef FDL_DISTRUST_H
#define FDL_DISTRUST_H

#include <stdbool.h>
#include <stdint.h>

#include <fdlink/fdlink.h>

/* Returns the FDL_OFFLOAD_ bits with which a kernel of that release (uname -r)
 * is known to corrupt packets; *why is a sentence, if there are any. */
uint32_t distrust_kernel(const char *release, const char **why);

/* Returns the FDL_OFFLOAD_ bits that must not be left to the wire, as
 * tx_offload says; *why is set if there is a reason beyond that. */
uint32_t distrust_offloads(enum fdl_use use, const char **why);

/*
 * Whether a kernel of that release loses super-packets of a tunnel's datagrams.
 * VXLAN and GENEVE take one whose packets inside belong together; until "udp:
 * do not accept non-tunnel GSO skbs landing in a tunnel" they took any, and of
 * all its datagrams got the first.
 */
bool distrust_datagrams(const char *release);

/* The same of this kernel, as tx_offload says. */
bool distrust_tunnels(enum fdl_use use);

#endif
