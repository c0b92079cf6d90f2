/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP as "fdlink host" has it, and VLAN tags. */
#ifndef CLIENT_LWIPOPTS_H
#define CLIENT_LWIPOPTS_H

#include "../../../cli/lwipopts.h"

#undef LWIP_HOOK_FILENAME
#define LWIP_HOOK_FILENAME		"hooks.h"
#define ETHARP_SUPPORT_VLAN		1
#define LWIP_HOOK_VLAN_SET(netif, p, src, dst, type) client_tag(netif)
#define LWIP_HOOK_VLAN_CHECK(netif, hdr, vlan) \
	client_has_tag(netif, lwip_ntohs((vlan)->prio_vid))

#endif
