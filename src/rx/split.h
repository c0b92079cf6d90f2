/* SPDX-License-Identifier: Apache-2.0 */
/* A message that is several, which the kernel merged (UDP_GRO). */
#ifndef FDL_RX_SPLIT_H
#define FDL_RX_SPLIT_H

#include "rx/rx.h"

/* Begin to split a frame with a unit. It becomes rx->bundle. */
void split_begin(struct rx *rx, const struct io_frame *frame);

/* Whether rx->bundle has another message. */
bool split_is_left(const struct rx *rx);

/* Copy the next message to frame->pkt, which is fresh from the pool, as if it
 * had come so. */
void split_next(struct rx *rx, struct io_frame *frame);

/* Release rx->bundle. */
void split_end(struct rx *rx);

#endif
