/* SPDX-License-Identifier: Apache-2.0 */
/* LWIP_HOOK_FILENAME of lwipopts.h, or included there: see fdl_lwip.h. */
#ifndef FDL_LWIP_HOOK_H
#define FDL_LWIP_HOOK_H

#include <lwip/err.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pbuf;
struct tcp_pcb;

/*
 * LWIP_HOOK_TCP_INPACKET_PCB. lwIP acknowledges every second segment at once,
 * and a lone one after a while; a super-packet is several and must not wait.
 * Returns ERR_OK.
 */
err_t fdl_lwip_tcp_input(struct tcp_pcb *pcb, const struct pbuf *p);

#ifdef __cplusplus
}
#endif

#endif
