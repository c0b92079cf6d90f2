/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_OUTPUT_H
#define FDL_LWIP_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "fdl_lwip.h"

#include <lwip/pbuf.h>

/*
 * A loan: TCP sends without a copy, so a frame that waits for the flush refers
 * to the application's memory. A loan must end before the application learns
 * that the memory is its own again. That needs the hook for received segments
 * and an extension argument. Without them, all that waits is copied.
 */
#if LWIP_TCP && LWIP_TCP_PCB_NUM_EXT_ARGS && defined(LWIP_HOOK_TCP_INPACKET_PCB)
#define FDL_LWIP_LOANS 1
#else
#define FDL_LWIP_LOANS 0
#endif

/* Returns which bit of fdl_lwip.lent belongs to a connection. Several may share
 * one. */
static inline unsigned fdl_lwip_loan(unsigned local_port, unsigned remote_port)
{
	return (local_port + remote_port * 7) % 64;
}

/* Whether the bytes belong to an application. Those in lwIP's own pbufs do not,
 * and the owner of a custom pbuf is told when the pbuf is freed. */
static inline bool fdl_lwip_is_foreign(const struct pbuf *p)
{
	return !(p->type_internal & PBUF_TYPE_FLAG_STRUCT_DATA_CONTIGUOUS) &&
	       !(p->flags & PBUF_FLAG_IS_CUSTOM);
}

/* netif->linkoutput: give a frame to the endpoint, or an IP packet if the link
 * has no link headers. Bytes that stay unchanged are not copied. */
err_t fdl_lwip_output(struct netif *netif, struct pbuf *p);

/* Send all that waits. Afterwards nothing is lent. */
void fdl_lwip_flush(struct fdl_lwip *link);

#endif
