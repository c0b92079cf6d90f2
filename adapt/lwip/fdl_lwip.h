/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An lwIP netif over an fdlink endpoint, for lwIP 2.1 or newer. Compile
 * fdl_lwip.c with your own lwIP and lwipopts.h, in which
 * LWIP_SUPPORT_CUSTOM_PBUF is 1 and ETH_PAD_SIZE is 0.
 *
 * A received packet becomes a pbuf in place; only when lwIP and its
 * applications hold half of the pool are packets copied to lwIP's heap, so that
 * one connection that nobody reads cannot make the link deaf. A pbuf chain is
 * sent as it is.
 *
 * NO_SYS=1: one thread does everything, in this order, so that one flush
 * covers all that the turn has to send:
 *
 *	fdl_poll(ep, timeout);
 *	sys_check_timeouts();
 *	fdl_lwip_poll(&link);
 *
 * NO_SYS=0: a thread of yours calls fdl_poll(ep, -1) and fdl_lwip_poll in turn;
 * everything else, sending included, happens on lwIP's thread.
 */
#ifndef FDL_LWIP_H
#define FDL_LWIP_H

#include <stdint.h>

#include <lwip/netif.h>

#include <fdlink/fdlink.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What fdl_options.headroom must be at least: a pbuf is put there. */
#define FDL_LWIP_HEADROOM 128

/* The netif's state. Zero it and set the first two fields. */
struct fdl_lwip {
	struct fdl_endpoint *ep;
	uint32_t pool;		/* fdl_options.pool; 0: its default */
	uint64_t rx_dropped;	/* packets that did not become lwIP's: no
				 * memory, its mailbox full, or longer than the
				 * 65535 bytes that a pbuf can count */
	/* private */
	struct netif *netif;
	uint32_t held;
	uint8_t flushing;
};

/*
 * For netif_add, with a struct fdl_lwip * as state and as input netif_input
 * (NO_SYS=1) or tcpip_input. Takes MTU, link address and medium from the
 * endpoint, and sets the link up; the MTU is at most 65535 less the link
 * header, as lwIP counts a frame in 16 bits.
 * The struct and the netif must stay as long as lwIP holds packets.
 * Errors: ERR_ARG no link address on a link that has them
 * (fdl_options.address); ERR_BUF packets have not the headroom.
 */
err_t fdl_lwip_init(struct netif *netif);

/*
 * Hand what has been received, at most 64 packets per queue, to lwIP and flush
 * what it answered. Never blocks.
 * Returns how many packets there were; 0 also when lwIP holds the whole pool.
 * Errors: those of fdl_recv, when all queues have ended.
 */
int fdl_lwip_poll(struct fdl_lwip *link);

#ifdef __cplusplus
}
#endif

#endif
