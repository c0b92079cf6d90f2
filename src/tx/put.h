/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The send side of a queue: one path for all calls that send. Frames are
 * gathered into messages, and go in as few system calls as the fd allows. Work
 * that a frame leaves to do is passed on to the wire, or done (tx/bridge.c).
 */
#ifndef FDL_TX_PUT_H
#define FDL_TX_PUT_H

#include "tx/tx.h"

/* Open it. shared, io, ready and counters are set, the rest is 0. Errors:
 * -ENOMEM; -EOPNOTSUPP an odd virtio-net header. */
int tx_open(struct tx *tx);
void tx_close(struct tx *tx);

/*
 * Send n frames in order. Returns how many are gone: written, or refused for
 * good and counted. A super-packet that is cut is gone with its first segment.
 * *why says why the next frame is not: no room, or the end; NULL: all are gone,
 * and nothing is left over.
 */
int tx_put(struct tx *tx, struct frames l, int n, const struct verdict **why);

#endif
