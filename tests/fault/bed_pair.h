/* SPDX-License-Identifier: Apache-2.0 */
/* A pair, of which the endpoint is the end that comes first, or second. */
#ifndef TESTS_FAULT_BED_PAIR_H
#define TESTS_FAULT_BED_PAIR_H

#include "bed.h"

/* pair:walk. begin, opened and end of struct bed_kind: of the end that comes
 * first */
void pair_begin(struct bed *b);
void pair_take_end(struct bed *b);
void pair_end(struct bed *b);

/* begin, of the one that comes second. */
void pair_begin_first(struct bed *b);

#endif
