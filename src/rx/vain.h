/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket that was read in vain, and may say why. Its error queue, which
 * nobody reads here, and a shutdown by another holder make it readable for
 * ever, with nothing to read.
 */
#ifndef FDL_RX_VAIN_H
#define FDL_RX_VAIN_H

#include "rx/rx.h"

/* Take the socket's pending error. Returns it, negative; 0: there is none. */
int vain_error(const struct rx *rx);

/* A call found nothing. After several in a row, see that the socket does not
 * call for nothing. Returns whether it has been shut down. */
bool vain_note(struct rx *rx);

/* A call found something. */
static inline void vain_forget(struct rx *rx)
{
	rx->vain = 0;
}

#endif
