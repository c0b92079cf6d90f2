/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that opens the device of one link anew, for a wire that has given
 * its privileges up. It keeps those that this takes, and nothing else: it gets
 * no packet, and the wire tells it when to open and not what.
 */
#ifndef OPENER_H
#define OPENER_H

#include <stdbool.h>

struct fdl_options;
struct opener;

/*
 * Start one for a locator, before the process has links or threads. It opens
 * with these options, whose log it does not use. It ends with this process.
 * Errors: those of socketpair(2) and fork(2), -ENOMEM.
 */
int opener_start(struct opener **opener, const char *locator,
		 const struct fdl_options *options);

/* As fdl_options.reopen. */
int opener_ask(void *opener, bool existing, int fds[], unsigned n);

/* NULL is fine. */
void opener_stop(struct opener *opener);

#endif
