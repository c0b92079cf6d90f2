/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_REOPEN_H
#define FDL_LWIP_REOPEN_H

#include <stdbool.h>

#include "fdl_lwip.h"

struct tcp_hdr;

/*
 * Call this before a connection in TIME-WAIT sees a segment. optlen: bytes of
 * options, which lie behind the header. A SYN that is later than all that the
 * connection has received begins a new one. Returns whether the segment was
 * such a SYN, and has been answered; pcb does not exist any more then.
 */
bool fdl_lwip_reopen(struct fdl_lwip *link, struct tcp_pcb *pcb,
		     struct tcp_hdr *hdr, u16_t optlen, struct pbuf *p);

/* Make a segment what it was when it arrived, so that lwIP can take it once
 * more. Returns false: it cannot be. */
bool fdl_lwip_restore(struct pbuf *p, struct tcp_hdr *hdr, u16_t optlen);

#endif
