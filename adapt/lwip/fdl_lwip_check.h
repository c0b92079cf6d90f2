/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_CHECK_H
#define FDL_LWIP_CHECK_H

#include <stdbool.h>

#include <fdlink/packet.h>

/*
 * Whether lwIP can take a received packet without reading what is not the
 * packet's. Looks at the packet alone, on any thread. False: it has to be
 * dropped.
 */
bool fdl_lwip_check(const struct fdl_packet *pkt);

#endif
