/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a device that is opened anew, one for each queue. The caller
 * holds the life's lock. */
#ifndef FDL_KIND_BATCH_H
#define FDL_KIND_BATCH_H

#include "kind/life.h"

/* As life_meet. */
int batch_take(struct life *life, unsigned queue, struct io_group **group);

/* As life_settle. */
void batch_settle(struct life *life, unsigned queue, int fd);

/* Close what was not taken. */
void batch_close(struct life *life);

#endif
