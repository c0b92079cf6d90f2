/* SPDX-License-Identifier: Apache-2.0 */
/* Packets out of an fd, for the caller of fdl_recv. */
#ifndef FDL_RX_RECEIVE_H
#define FDL_RX_RECEIVE_H

#include "rx/rx.h"

/* What is behind the packets that were handed out. */
enum rx_rest {
	RX_MORE,	/* maybe more */
	RX_DRY,		/* nothing now */
	RX_STARVED,	/* maybe more, but the pool is empty */
	RX_ENDED,	/* nothing any more: rx->ended says why */
};

/* shared, ops, io, ready and counters are set, the rest is 0. Errors:
 * -ENOMEM. */
int rx_open(struct rx *rx);

/* All packets at hand go back to their pool. */
void rx_close(struct rx *rx);

/*
 * Receive up to n packets into v[]. Returns how many; with 0, *rest is why. Never
 * blocks, and comes back after a bounded number of frames that are worth
 * nothing.
 */
int rx_receive(struct rx *rx, struct fdl_packet *v[], int n,
	       enum rx_rest *rest);

/* Is there something received that was not handed out? */
static inline bool rx_has_leftovers(const struct rx *rx)
{
	return rx->super || rx->next < rx->filled;
}

/* Why the side has ended, 0: it has not. An end that was found behind packets
 * is told by this, and till then the fd, at its end, stays readable. */
int rx_tell_end(struct rx *rx);

/* It has ended with that result, as no fd told; text as of shared_error. */
void rx_end(struct rx *rx, int result, const char *text);

#endif
