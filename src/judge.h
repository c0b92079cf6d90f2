/* SPDX-License-Identifier: Apache-2.0 */
/* What a frame is worth: the one place where frames are judged. */
#ifndef FDL_JUDGE_H
#define FDL_JUDGE_H

#include "queue.h"

/*
 * Returns RX_PACKETS: the frame is worth delivering, every field of its packet
 * is filled in, and a checksum that the stack does not take as partial is
 * complete; a super-packet may still have to be cut. Else the counter under
 * which it is dropped.
 */
enum counter judge_frame(struct fdl_queue *q, struct io_frame *frame);

#endif
