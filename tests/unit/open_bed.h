/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints are opened by locator, and what is said of it is kept. */
#ifndef TESTS_OPEN_BED_H
#define TESTS_OPEN_BED_H

#include <fdlink/open.h>

#include "fd_common.h"

enum {
	TCP_OFFLOADS = FDL_OFFLOAD_CSUM | FDL_OFFLOAD_TSO4 | FDL_OFFLOAD_TSO6,
};

/* What the last of the calls below said, and its endpoint since. */
extern struct said said;

/* fdl_open with these options, which logs to said. Returns what that does. */
int open_it(struct fdl_endpoint **ep, const char *locator, uint32_t mtu,
	    uint32_t flags);

/* Refused with one sentence, *ep untouched, and no fd left open. */
void expect_refused(const char *locator, int err, const char *words);

/* The same of a probe. */
void expect_no_probe(const char *locator, int err, const char *words);

/* The probe says nothing, fills *info, and leaves no fd open. */
void expect_probe(const char *locator, struct fdl_info *info);

/* Run tests that want the loopback device in a network of their own. Returns
 * the exit status: a failure also if they left an fd open. */
int run_over_loopback(const struct CMUnitTest tests[], size_t n);

#endif
