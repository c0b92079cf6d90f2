/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_REOPEN_H
#define FDL_LWIP_REOPEN_H

#include <stdbool.h>

#include "fdl_lwip.h"

struct tcp_hdr;

/*
 * Before a connection in TIME-WAIT sees a segment whose options, optlen bytes,
 * lie behind its header: have a SYN that is later than all of it begin a new
 * connection. Returns whether the segment was that, and has been answered; pcb
 * is gone then.
 */
bool fdl_lwip_reopen(struct fdl_lwip *link, struct tcp_pcb *pcb,
		     struct tcp_hdr *hdr, u16_t optlen, struct pbuf *p);

#endif
