/* SPDX-License-Identifier: Apache-2.0 */
/* LWIP_HOOK_FILENAME of lwipopts.h, or included there: see fdl_lwip.h. */
#ifndef FDL_LWIP_HOOK_H
#define FDL_LWIP_HOOK_H

#include <lwip/tcp.h>

struct tcp_hdr;

/*
 * For LWIP_HOOK_TCP_INPACKET_PCB: look at a segment for a connection, or for a
 * pcb that listens, before lwIP takes it. hdr is in the host's byte order. Of
 * optlen bytes of options the first opt1len lie behind hdr, the others at opt2.
 *
 * Returns
 *	ERR_OK		lwIP takes the segment
 *	ERR_ABRT	lwIP does not see the segment: the adaptor has taken it
 */
err_t fdl_lwip_tcp_input(struct tcp_pcb *pcb, struct tcp_hdr *hdr, u16_t optlen,
			 u16_t opt1len, const u8_t *opt2, struct pbuf *p);

/*
 * For LWIP_HOOK_TCP_ISN. Returns isn, the initial sequence number that you
 * chose for a connection; or, if the connection before it is still in
 * TIME-WAIT, a number that the earlier one has not used.
 */
u32_t fdl_lwip_isn(u32_t isn);

#endif
