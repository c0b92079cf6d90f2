/* SPDX-License-Identifier: Apache-2.0 */
/* What a frame is worth: the one place where frames are judged. */
#ifndef FDL_RX_JUDGE_H
#define FDL_RX_JUDGE_H

#include "rx/rx.h"

/*
 * Judge the frames that were received, from rx->next on: until n of them are
 * worth delivering, or one is that is a super-packet, or no more are there.
 * Those worth it go to v[]: every field of a packet is filled in, and a checksum
 * that the stack does not take as partial is complete; a super-packet, the last
 * one, may still have to be cut. The others are counted and released. Returns
 * how many are in v[].
 */
int judge_frames(struct rx *rx, struct fdl_packet *v[], int n);

#endif
