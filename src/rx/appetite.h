/* SPDX-License-Identifier: Apache-2.0 */
/* How many messages a step asks for, by what the last ones brought. */
#ifndef FDL_RX_APPETITE_H
#define FDL_RX_APPETITE_H

#include "rx/rx.h"

/* How many messages to ask for, of n that there is room for. */
int appetite_now(const struct rx *rx, int n);

/* frame[0..got) came, of n that were asked for; first: the caller has none
 * yet. */
void appetite_note(struct rx *rx, int n, int got, bool first);

/* Whether the caller had better look at what there is before more is asked
 * for. */
bool appetite_is_sated(const struct rx *rx);

#endif
