/* SPDX-License-Identifier: Apache-2.0 */
/* What a command is asked by signals, from before its link is open. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>
#include <stdbool.h>

struct fdl_endpoint;

/*
 * From now on SIGINT, SIGTERM and SIGHUP ask for the end, also of a wait for a
 * peer. SIGUSR1 and SIGPIPE end nothing.
 */
void signals_catch(void);

/* From now on they wake ep, and SIGUSR1 asks for a report. */
void signals_wake(struct fdl_endpoint *ep);

/* From now on nothing is caught: an endpoint that is gone must not be woken. */
void signals_ignore(void);

/* Has the end been asked for? */
bool signals_stop(void);

/* Has a report been asked for, since this was called last? */
bool signals_report(void);

/* Those that ask for the end. */
void signals_of_end(sigset_t *set);

/* As cli_log. Who asks for the end is not told that what he ends has failed. */
void signals_log(void *ctx, int level, const char *msg);

#endif
