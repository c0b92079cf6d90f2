/* SPDX-License-Identifier: Apache-2.0 */
/* When what an application has lent is its own again. */
#ifndef FDL_LWIP_LOAN_H
#define FDL_LWIP_LOAN_H

#include <lwip/prot/tcp.h>
#include <lwip/tcp.h>

/* Once per lwIP, before a netif sends. */
void fdl_lwip_loan_init(void);

/*
 * Before lwIP takes a segment for a connection that neither listens nor is in
 * TIME-WAIT: end its loans if their application may learn something by it.
 */
void fdl_lwip_loan_input(struct tcp_pcb *pcb, const struct tcp_hdr *hdr,
			 const struct pbuf *p);

#endif
