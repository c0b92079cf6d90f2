/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where it is decided which frames are delivered. */
#ifndef FDL_RX_JUDGE_H
#define FDL_RX_JUDGE_H

#include "rx/rx.h"

/*
 * Judge up to n received frames from rx->next on. Stop after a super-packet
 * that is to be delivered, at a message that has to be split (splitting begins
 * then), or when there are no more. Packets to be delivered go to v[]: every
 * field of a packet is filled in, and a checksum that the stack does not take
 * as partial is complete. A super-packet, which is then the last one, may still
 * have to be cut. The other frames are counted and released. Returns how many
 * are in v[].
 */
int judge_frames(struct rx *rx, struct fdl_packet *v[], int n);

/* Judge one frame that is not in rx->frame. Returns whether it is to be
 * delivered; else it is counted and released. */
bool judge_one(struct rx *rx, struct io_frame *frame);

#endif
