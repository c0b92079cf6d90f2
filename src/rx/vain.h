/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket that is readable and has nothing to read. Two causes would last for
 * ever: its error queue, which nobody else reads, and a shutdown by another
 * holder.
 */
#ifndef FDL_RX_VAIN_H
#define FDL_RX_VAIN_H

#include "rx/rx.h"

/* Take the socket's pending error. Returns it, negative; 0: there is none. */
int vain_error(const struct rx *rx);

/* A call found nothing. After several in a row, look for one of these causes,
 * and empty the error queue. Returns whether the socket has been shut down. */
bool vain_note(struct rx *rx);

/* A call found something. */
static inline void vain_forget(struct rx *rx)
{
	rx->vain = 0;
}

#endif
