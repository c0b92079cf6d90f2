/* SPDX-License-Identifier: Apache-2.0 */
/* A datagram socket whose peer is the one who sends to it. */
#ifndef FDL_KIND_SENDER_H
#define FDL_KIND_SENDER_H

#include <stdbool.h>

struct life;

/* struct kind, meet. */
int sender_meet(struct life *life, int fd);

/* Whether the peer that fd is connected to is still there. */
bool sender_is_there(const struct life *life, int fd);

#endif
