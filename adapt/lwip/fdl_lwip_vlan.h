/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_VLAN_H
#define FDL_LWIP_VLAN_H

#include "fdl_lwip.h"

/* A tag of VLAN 0 says only a priority (IEEE 802.1Q). Take it off, unless lwIP
 * looks at tags itself. */
void fdl_lwip_vlan_untag(struct fdl_packet *pkt);

#endif
