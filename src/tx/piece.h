/* SPDX-License-Identifier: Apache-2.0 */
/* A piece of a super-packet that is cut becomes a message. */
#ifndef FDL_TX_PIECE_H
#define FDL_TX_PIECE_H

#include "tx/message.h"
#include "tx/tx.h"

/*
 * Gather the next piece that s cuts: a segment, or a run of them; or, after
 * datagrams_begin, if most is more than 1, up to most segments as the datagrams
 * of one super-packet. Returns TX_FITS; TX_FULL: what is gathered has to go
 * first; TX_NEVER: it can never go, and nobody is told why.
 */
enum tx_fit piece_add(struct tx *tx, struct fdl_segmenter *s, unsigned most);

#endif
