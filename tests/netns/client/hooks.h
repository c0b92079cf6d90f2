/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's hooks. lwIP includes this itself, by LWIP_HOOK_FILENAME. */
#ifndef CLIENT_HOOKS_H
#define CLIENT_HOOKS_H

#include "port.h"

/* The tag of all frames that are sent; < 0: they have none. */
s32_t client_tag(const struct netif *netif);

/* Whether a frame that came with a tag has the one that we send. */
int client_has_tag(const struct netif *netif, u16_t tag);

#endif
