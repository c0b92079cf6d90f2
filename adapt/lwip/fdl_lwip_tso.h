/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's own entry points, which segmentation offload stands before. */
#ifndef FDL_LWIP_TSO_H
#define FDL_LWIP_TSO_H

#include <lwip/priv/tcp_priv.h>

/* lwIP's own, from fdl_lwip_tcp_out.c. */
err_t fdl_lwip_plain_write(struct tcp_pcb *pcb, const void *data, u16_t len,
			   u8_t apiflags);
err_t fdl_lwip_plain_output(struct tcp_pcb *pcb);
err_t fdl_lwip_plain_split(struct tcp_pcb *pcb, u16_t split);

#endif
