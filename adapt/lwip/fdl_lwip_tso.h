/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_TSO_H
#define FDL_LWIP_TSO_H

#include <stdbool.h>

#include <lwip/priv/tcp_priv.h>

/* Send what may go, as tcp_output has it; eager: also what is little beside the
 * window. */
err_t fdl_lwip_tso_output(struct tcp_pcb *pcb, bool eager);

/* The payload of a segment on the wire. */
u16_t fdl_lwip_tso_unit(const struct tcp_pcb *pcb);

#endif
