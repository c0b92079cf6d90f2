/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_VLAN_H
#define FDL_LWIP_VLAN_H

#include "fdl_lwip.h"

/* A tag of VLAN 0 has a priority and nothing else (IEEE 802.1Q): it is taken
 * off, where lwIP does not look at tags itself. */
void fdl_lwip_vlan_untag(struct fdl_packet *pkt);

#endif
