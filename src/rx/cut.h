/* SPDX-License-Identifier: Apache-2.0 */
/* Super-packets that the stack does not take become segments. */
#ifndef FDL_RX_CUT_H
#define FDL_RX_CUT_H

#include "rx/rx.h"

/* Must a packet that was judged be cut before it is handed out? */
bool cut_is_due(const struct rx *rx, const struct fdl_packet *pkt);

/* Begin with it: it is rx->super. One that cannot be cut is counted and
 * released. */
void cut_begin(struct rx *rx, struct fdl_packet *pkt);

/* Is another segment to come of rx->super? */
bool cut_is_left(const struct rx *rx);

/* Make pkt, fresh from the pool, the next segment. */
void cut_next(struct rx *rx, struct fdl_packet *pkt);

/* Release rx->super. */
void cut_end(struct rx *rx);

#endif
