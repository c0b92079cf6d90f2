/* SPDX-License-Identifier: Apache-2.0 */
/* What to do for lack of room: the endpoint's policy. */
#ifndef FDL_TX_ROOM_H
#define FDL_TX_ROOM_H

#include "tx/put.h"

/* What is left of n frames of which k went, and *why is not the end: as
 * tx_put_all. */
int tx_put_rest(struct tx *tx, struct frames l, int n, int k,
		const struct verdict **why);

/*
 * The same as tx_put, where lack of room is met by the endpoint's policy: what
 * would not go is waited for, then dropped and counted. Returns how many are
 * gone, fewer than n only with *why the end.
 */
static inline int tx_put_all(struct tx *tx, struct frames l, int n,
			     const struct verdict **why)
{
	const int k = tx_put(tx, l, n, why);

	if (!*why || (*why)->action == END)
		return k;
	return tx_put_rest(tx, l, n, k, why);
}

/*
 * Make the pollable fd tell of room when fdl_send, having come back short, may
 * be worth another try. Errors: those of ready_pause.
 */
int tx_want_room(struct tx *tx);

#endif
