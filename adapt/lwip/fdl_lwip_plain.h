/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's own functions. fdl_lwip_tcp_out.c gives them these names, and the
 * adaptor's functions have lwIP's names. */
#ifndef FDL_LWIP_PLAIN_H
#define FDL_LWIP_PLAIN_H

#include <lwip/priv/tcp_priv.h>

err_t fdl_lwip_plain_write(struct tcp_pcb *pcb, const void *data, u16_t len,
			   u8_t apiflags);
err_t fdl_lwip_plain_output(struct tcp_pcb *pcb);
err_t fdl_lwip_plain_split(struct tcp_pcb *pcb, u16_t split);

#endif
