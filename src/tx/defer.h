/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FDL_COALESCE: frames put off until the end of a batch, so that consecutive
 * segments of a flow go as one super-packet, and the others in one call.
 */
#ifndef FDL_DEFER_H
#define FDL_DEFER_H

#include "tx/tx.h"

/* Does nothing without FDL_COALESCE. Errors: -ENOMEM. */
int defer_open(struct tx *tx);

/* What is still put off is sent first. */
void defer_close(struct tx *tx);

enum deferral {
	DEFER_TAKEN,		/* it is put off */
	DEFER_PASSED_BY,	/* it cannot be, and nothing else is any more */
	DEFER_REFUSED,		/* it contradicts its headers, and is counted:
				 * -EINVAL */
};

/*
 * Put a frame off, its bytes copied, or, with ref, left where they are until
 * done(arg) is called. What was put off before may be sent first.
 */
enum deferral defer_frame(struct tx *tx, const struct frame *f, bool ref,
			  void (*done)(void *arg), void *arg);

/* Send all that is put off. Returns 0, or what befell the first that did not
 * go. */
int defer_flush(struct tx *tx);

#endif
