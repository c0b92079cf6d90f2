/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a frame leaves undone and the wire does not take: checksums are
 * completed, super-packets cut.
 */
#ifndef FDL_BRIDGE_H
#define FDL_BRIDGE_H

#include "tx/message.h"
#include "tx/tx.h"

/* What an fd takes in its virtio-net header, as FDL_OFFLOAD_ bits. */
uint32_t bridge_offloads(const struct io *io);

/* What is left to it: not what is distrusted, or was refused. Any thread. */
uint32_t bridge_takes(const struct tx *tx);

/* Make a message of a frame that leaves something undone. */
enum tx_fit bridge_add(struct tx *tx, const struct frame *f,
		       const struct verdict **why);

/* Whether all that a frame leaves undone is a checksum that is the wire's to
 * complete; *off then says it. */
bool bridge_passes(struct tx *tx, const struct frame *f,
		   struct fdl_offload *off);

/*
 * Where its headers are, and its work, checked, for a frame that is to be sent as
 * judged. TX_UNCUT: it cannot be, for bytes lie behind its IP packet, and no wire
 * would do its work right.
 */
enum tx_fit bridge_judge(struct tx *tx, const struct frame *f,
			 struct fdl_offload *off, uint8_t *link_len,
			 const struct verdict **why);

/* What may be merged, as flags of fdl_coalesce_init: what the wire takes. */
unsigned bridge_merges(const struct tx *tx);

/*
 * Send a super-packet in segments; nothing is gathered. Returns whether it is
 * gone, though the rest of it may be kept: *why then tells of that, else of why
 * none of it went.
 */
bool bridge_cut(struct tx *tx, const struct frame *f,
		const struct verdict **why);

/* The same for one that the kernel refused whole: if it takes the segments, the
 * wire is not asked again. */
bool bridge_cut_refused(struct tx *tx, const struct frame *f,
			const struct verdict **why);

/* What is left of it is lost; nothing is left: nothing happens. */
void bridge_lose(struct tx *tx, const struct verdict *why);

/* Send what is left of the last one; *why as of tx_put. */
void bridge_finish(struct tx *tx, const struct verdict **why);

#endif
