/* SPDX-License-Identifier: Apache-2.0 */
/* A message of several frames, which the kernel merged (UDP_GRO). */
#ifndef FDL_RX_SPLIT_H
#define FDL_RX_SPLIT_H

#include "rx/rx.h"

/* Begin to split a frame that is IO_SEVERAL. Its packet becomes rx->bundle. */
void split_begin(struct rx *rx, const struct io_frame *frame);

/* Whether anything of rx->bundle is left. */
bool split_is_left(const struct rx *rx);

/* Copy the next frame of rx->bundle to frame->pkt, which is fresh from the
 * pool. The result is as if it had come alone. */
void split_next(struct rx *rx, struct io_frame *frame);

/* Release rx->bundle. */
void split_end(struct rx *rx);

#endif
