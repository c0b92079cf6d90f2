/* SPDX-License-Identifier: Apache-2.0 */
/* How many messages a step asks for, by what the last ones brought. */
#ifndef FDL_RX_APPETITE_H
#define FDL_RX_APPETITE_H

#include "rx/rx.h"

/* How many messages to ask for, of n that there is room for. */
int appetite_now(const struct rx *rx, int n);

/* frame[0..got) came; n were asked for. first: the caller has no packet yet. */
void appetite_note(struct rx *rx, int n, int got, bool first);

/* Whether the caller should handle what there is before more is read. */
bool appetite_is_sated(const struct rx *rx);

#endif
