/* SPDX-License-Identifier: Apache-2.0 */
/* LWIP_HOOK_FILENAME of lwipopts.h, or included there: see fdl_lwip.h. */
#ifndef FDL_LWIP_HOOK_H
#define FDL_LWIP_HOOK_H

#include <lwip/tcp.h>

/*
 * LWIP_HOOK_TCP_INPACKET_PCB. lwIP acknowledges every second segment at once,
 * and a lone one after a while: a super-packet is several, and does not wait
 * longer than for those that were received with it. Returns ERR_OK.
 */
err_t fdl_lwip_tcp_input(struct tcp_pcb *pcb, const struct pbuf *p);

#endif
