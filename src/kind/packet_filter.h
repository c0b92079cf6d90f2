/* SPDX-License-Identifier: Apache-2.0 */
/* What a device lets through to the address of an endpoint on it. */
#ifndef FDL_KIND_PACKET_FILTER_H
#define FDL_KIND_PACKET_FILTER_H

#include "kind/kind.h"

/*
 * Ask the device of an AF_PACKET socket for what is for the endpoint's own
 * address, and for all groups, as the stack behind it joins some: a device that
 * filters knows of neither. What cannot be had is said, one sentence each; the
 * rest works.
 */
void packet_filter(struct io *io, const struct set_up *how);

#endif
