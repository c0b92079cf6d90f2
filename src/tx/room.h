/* SPDX-License-Identifier: Apache-2.0 */
/* What to do when there is no room: the policy of the endpoint. */
#ifndef FDL_TX_ROOM_H
#define FDL_TX_ROOM_H

#include "tx/put.h"

/* What is left of n frames of which k went, where *why is lack of room: as
 * tx_put_keeping. */
int tx_keep_rest(struct tx *tx, struct frames l, int n, int k,
		 const struct verdict **why);

/*
 * As tx_put, for a caller who keeps what finds no room. A frame that was
 * refused for 100 ms, or 64 times (tries within one millisecond count once),
 * though the fd has room, is dropped and counted, and the next one tried.
 */
static inline int tx_put_keeping(struct tx *tx, struct frames l, int n,
				 const struct verdict **why)
{
	const int k = tx_put(tx, l, n, why);

	if (*why && (*why)->action == LATER)
		return tx_keep_rest(tx, l, n, k, why);
	tx->doubt.why = NULL;
	return k;
}

/* What is left of n frames of which k went, and *why is not the end: as
 * tx_put_all. */
int tx_put_rest(struct tx *tx, struct frames l, int n, int k,
		const struct verdict **why);

/*
 * The same as tx_put, where lack of room is met by the endpoint's policy: what
 * would not go is waited for, then dropped and counted. Where the device, not
 * the fd, refused, each frame is tried; one that is refused as tx_put_keeping
 * says is waited for no longer. Returns how many are gone, fewer than n only
 * with *why the end.
 */
static inline int tx_put_all(struct tx *tx, struct frames l, int n,
			     const struct verdict **why)
{
	const int k = tx_put(tx, l, n, why);

	if (!*why || (*why)->action == END)
		return k;
	return tx_put_rest(tx, l, n, k, why);
}

/* Make the pollable fd tell of room when fdl_send, which took fewer packets
 * than it was given, may be worth another try. Errors: those of ready_pause. */
int tx_want_room(struct tx *tx);

#endif
