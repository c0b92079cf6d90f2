/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_OUTPUT_H
#define FDL_LWIP_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "fdl_lwip.h"

/*
 * A loan: what TCP sends without a copy is its application's memory, and a frame
 * that waits for the flush refers to it. Loans that end in time take the hook of
 * received segments and that of a connection's end; without them there are none.
 */
#if LWIP_TCP && LWIP_TCP_PCB_NUM_EXT_ARGS && defined(LWIP_HOOK_TCP_INPACKET_PCB)
#define FDL_LWIP_LOANS 1
#else
#define FDL_LWIP_LOANS 0
#endif

/* Which bit of fdl_lwip.lent is a connection's; others may have the same. */
static inline unsigned fdl_lwip_loan(unsigned local_port, unsigned remote_port)
{
	return (local_port + remote_port * 7) % 64;
}

/* Whether the bytes are neither lwIP's own nor a custom pbuf's, which is told
 * when they are not needed any more. */
bool fdl_lwip_is_foreign(const struct pbuf *p);

/* netif->linkoutput: a frame, or a packet where there are no link headers, goes
 * to the endpoint, by reference where its bytes stay. */
err_t fdl_lwip_output(struct netif *netif, struct pbuf *p);

/* Send what has been put off; then nothing is lent. */
void fdl_lwip_flush(struct fdl_lwip *link);

#endif
