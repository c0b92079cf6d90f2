/* SPDX-License-Identifier: Apache-2.0 */
/* A macvtap by its file. */
#ifndef TESTS_MACVTAP_H
#define TESTS_MACVTAP_H

#include "link.h"

/* See /sys as it is in this network namespace, where device files' numbers
 * stand. */
void macvtap_see_own(void);

/* l->dev is a macvtap on one end of a veth, and the peer's socket is at the
 * other end, l->peer_dev. Returns 0 or -errno. */
int macvtap_make(struct link *l);

#endif
