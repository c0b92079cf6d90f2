/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_TSO_H
#define FDL_LWIP_TSO_H

#include <stdbool.h>

#include <lwip/priv/tcp_priv.h>

/* Send what may be sent, as tcp_output does. eager: also a piece that is small
 * compared to the window. */
err_t fdl_lwip_tso_output(struct tcp_pcb *pcb, bool eager);

/* Returns how many bytes of payload a segment on the wire has. */
u16_t fdl_lwip_tso_unit(const struct tcp_pcb *pcb);

#endif
