/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a frame leaves undone and the wire does not take: checksums are
 * completed, super-packets cut.
 */
#ifndef FDL_BRIDGE_H
#define FDL_BRIDGE_H

#include "tx/message.h"
#include "tx/tx.h"

/* Make a message of a frame that leaves something undone. */
enum tx_fit bridge_add(struct tx *tx, const struct frame *f,
		       const struct verdict **why);

/*
 * Send a super-packet in segments, or in pieces that the wire takes; nothing is
 * gathered. Returns whether it is
 * gone, though the rest of it may be kept: *why then tells of that, else of why
 * none of it went.
 */
bool bridge_cut(struct tx *tx, const struct frame *f,
		const struct verdict **why);

/*
 * The same for one that the kernel refused whole. If it is for its length, or for
 * its many segments, pieces of it may go that are super-packets themselves; else,
 * if the kernel takes the segments, it is not asked to take such a super-packet
 * again.
 */
bool bridge_cut_refused(struct tx *tx, const struct frame *f, enum tx_stop stop,
			const struct verdict **why);

/* What is left of it is lost; nothing is left: nothing happens. */
void bridge_lose(struct tx *tx, const struct verdict *why);

/* Send what is left of the last one; *why as of tx_put. */
void bridge_finish(struct tx *tx, const struct verdict **why);

#endif
