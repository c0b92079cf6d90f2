/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a receive side, or of one of the lives of its link. */
#ifndef FDL_RX_END_H
#define FDL_RX_END_H

#include "rx/rx.h"

/*
 * Returns why the side has ended; 0: it has not. If the end was found behind
 * packets, this call is the one that tells; until then the fd, which is at its
 * end, stays readable.
 */
int rx_tell_end(struct rx *rx);

/* Another life of the link begins: of the former one nothing is left. */
void rx_renew(struct rx *rx);

/* End the side with that result, for a reason that no fd told; text is as of
 * shared_error. */
void rx_end(struct rx *rx, int result, const char *text);

#endif
