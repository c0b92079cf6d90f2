/* SPDX-License-Identifier: Apache-2.0 */
/* Do the work of a frame that the wire does not take: complete checksums, cut
 * super-packets. */
#ifndef FDL_BRIDGE_H
#define FDL_BRIDGE_H

#include "tx/message.h"
#include "tx/tx.h"

/* Make a message of a frame that leaves work to do. */
enum tx_fit bridge_add(struct tx *tx, const struct frame *f,
		       const struct verdict **why);

/*
 * Send a super-packet in segments, or in pieces that the wire takes. Nothing
 * may be gathered. Returns whether it is gone; the rest of it may be kept, and
 * *why then says why, else why none of it went.
 */
bool bridge_cut(struct tx *tx, const struct frame *f,
		const struct verdict **why);

/*
 * The same for a super-packet that the kernel refused as a whole. If it was
 * refused for its length, or for its many segments, pieces of it may go that
 * are super-packets themselves. Else, if the kernel takes the segments, it is
 * not asked to take such a super-packet again.
 */
bool bridge_cut_refused(struct tx *tx, const struct frame *f, enum tx_stop stop,
			const struct verdict **why);

/* Lose what is left of a super-packet. If nothing is left, nothing happens. */
void bridge_lose(struct tx *tx, const struct verdict *why);

/* Send what is left of the last super-packet; *why is as of tx_put. */
void bridge_finish(struct tx *tx, const struct verdict **why);

#endif
