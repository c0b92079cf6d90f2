/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An application such as embedders may write: it refuses what it receives now
 * and then, answers from memory of its own that lwIP does not copy, frees that
 * as soon as it may, and ends its connections in every way.
 */
#ifndef FUZZ_HOST_FICKLE_H
#define FUZZ_HOST_FICKLE_H

enum { FICKLE_PORT = 4321 };

void fickle_start(void);

#endif
