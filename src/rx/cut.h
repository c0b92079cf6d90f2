/* SPDX-License-Identifier: Apache-2.0 */
/* Cut super-packets that the stack does not take into segments. */
#ifndef FDL_RX_CUT_H
#define FDL_RX_CUT_H

#include "rx/rx.h"

/* Whether a packet that was judged must be cut before it is handed out. */
bool cut_is_due(const struct rx *rx, const struct fdl_packet *pkt);

/* Begin to cut pkt. It becomes rx->super or, if it cannot be cut, is counted
 * and released. */
void cut_begin(struct rx *rx, struct fdl_packet *pkt);

/* Whether rx->super has another segment. */
bool cut_is_left(const struct rx *rx);

/* Make pkt, which is fresh from the pool, the next segment. */
void cut_next(struct rx *rx, struct fdl_packet *pkt);

/* Release rx->super. */
void cut_end(struct rx *rx);

#endif
