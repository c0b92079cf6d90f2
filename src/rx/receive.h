/* SPDX-License-Identifier: Apache-2.0 */
/* Receive packets from an fd, for the caller of fdl_recv. */
#ifndef FDL_RX_RECEIVE_H
#define FDL_RX_RECEIVE_H

#include "rx/rx.h"

/* Whether there is more behind the packets that were handed out. */
enum rx_rest {
	RX_MORE,	/* maybe more */
	RX_DRY,		/* nothing now */
	RX_STARVED,	/* maybe more, but the pool is empty */
	RX_ENDED,	/* nothing any more: rx->ended says why */
};

/* Open the receive side. shared, ops, io, ready and counters are set, the rest
 * is 0. Errors: -ENOMEM. */
int rx_open(struct rx *rx);

/* Close it. All packets at hand go back to their pool. */
void rx_close(struct rx *rx);

/*
 * Receive up to n packets into v[]. Returns how many; with 0, *rest is why.
 * Never blocks, and returns after a bounded number of frames even if none is to
 * be delivered.
 */
int rx_receive(struct rx *rx, struct fdl_packet *v[], int n,
	       enum rx_rest *rest);

/* Whether there are received packets that were not handed out. */
static inline bool rx_has_leftovers(const struct rx *rx)
{
	return rx->super || rx->bundle || rx->next < rx->filled;
}

/* Whether the fd need not tell of anything for the next call to have it. */
static inline bool rx_has_more(const struct rx *rx)
{
	return rx_has_leftovers(rx) ||
	       (rx->ops->holds && rx->ops->holds(rx->io));
}

#endif
