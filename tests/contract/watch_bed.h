/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the link watch share. */
#ifndef TESTS_WATCH_BED_H
#define TESTS_WATCH_BED_H

#include <sys/types.h>

#include <fdlink/open.h>

#include "contract.h"

/* The state of the link's device, or fail. */
struct fdl_link state_of(struct link *l);

/* A change makes the fds readable once, and is no packet and no error. */
struct fdl_link expect_change(struct link *l, uint64_t *changes);

/* The queue ends, once all is received. */
void expect_ended(struct link *l);

/* A process in a network namespace of its own. */
pid_t start_elsewhere(void);

/* End that. */
void stop_elsewhere(pid_t pid);

#endif
