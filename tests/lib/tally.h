/* SPDX-License-Identifier: Apache-2.0 */
/* A dispatcher that counts what its callbacks get, and keeps none of it. */
#ifndef TESTS_TALLY_H
#define TESTS_TALLY_H

#include <fdlink/attach.h>

/* Of all queues; begins as 0. */
struct tally {
	_Atomic unsigned packets;
	_Atomic int closed, reason;	/* how often, and the last one's */
};

/* For as long as the tally is there. */
struct fdl_dispatcher tally_dispatcher(struct tally *t);

#endif
