/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FDL_COALESCE: frames are deferred until the end of a batch. Consecutive
 * segments of a flow then go as one super-packet, and the others in one system
 * call.
 */
#ifndef FDL_DEFER_H
#define FDL_DEFER_H

#include "tx/tx.h"

/* Open it; without FDL_COALESCE nothing happens. Errors: -ENOMEM. */
int defer_open(struct tx *tx);

/* Close it. Deferred frames are sent before. */
void defer_close(struct tx *tx);

enum deferral {
	DEFER_TAKEN,		/* it is deferred */
	DEFER_PASSED_BY,	/* it cannot be, and no other is any more */
	DEFER_REFUSED,		/* it contradicts its headers, and is counted:
				 * -EINVAL */
};

/* Defer a frame. Its bytes are copied, or with ref left where they are until
 * done(arg) is called. Frames that were deferred before may be sent first. */
enum deferral defer_frame(struct tx *tx, const struct frame *f, bool ref,
			  void (*done)(void *arg), void *arg);

/* Send all deferred frames. Returns 0, or why the first frame that did not go
 * did not. */
int defer_flush(struct tx *tx);

#endif
