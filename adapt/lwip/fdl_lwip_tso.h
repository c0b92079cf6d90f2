/* SPDX-License-Identifier: Apache-2.0 */
/* What the adaptor's files share about segmentation offload. */
#ifndef FDL_LWIP_TSO_H
#define FDL_LWIP_TSO_H

#include <lwip/priv/tcp_priv.h>

#include "fdl_lwip.h"

/* The link behind a netif, if it cuts what TCP sends; else NULL. */
struct fdl_lwip *fdl_lwip_tso_link(const struct netif *netif);

/* lwIP's own, from fdl_lwip_tcp_out.c. */
err_t fdl_lwip_plain_write(struct tcp_pcb *pcb, const void *data, u16_t len,
			   u8_t apiflags);
err_t fdl_lwip_plain_output(struct tcp_pcb *pcb);
err_t fdl_lwip_plain_split(struct tcp_pcb *pcb, u16_t split);

#endif
