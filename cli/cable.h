/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a wire carries beside packets: whether each end is there, and how long
 * its packets may be. When one end is down or has lost its peer, the other end
 * loses its carrier, if that can be set. Threads that carry packets note
 * changes; one thread looks at the ends.
 */
#ifndef CABLE_H
#define CABLE_H

#include <stdbool.h>
#include <stdint.h>

struct connect_options;
struct fdl_endpoint;
struct cable;

/*
 * options and ep[] must stay. An end that is down takes the other one's carrier
 * at once. Says so on standard error when the MTUs differ, now and as they
 * change.
 * Returns 0. Errors: -ENOMEM, -EMFILE, -ENFILE.
 */
int cable_open(struct cable **cable, const struct connect_options *options,
	       struct fdl_endpoint *const ep[]);

/* NULL is fine. */
void cable_close(struct cable *cable);

/* Poll cable_fd for POLLIN; then call cable_run. */
int cable_fd(const struct cable *cable);
void cable_run(struct cable *cable);

/* Whether an end is switched on and has somebody at its end, as cable_run saw
 * it. The thread that calls cable_run. */
bool cable_is_there(const struct cable *cable, unsigned end);

/* An end may have changed: fdl_link_changes has grown. Any thread. */
void cable_note(const struct cable *cable);

/* The longest packet that may leave at an end. Any thread. */
uint32_t cable_mtu(const struct cable *cable, unsigned end);

/* Pull the cable, or plug it in. */
void cable_plug(struct cable *cable, bool plugged);

/* Any thread. */
bool cable_is_plugged(const struct cable *cable);

#endif
