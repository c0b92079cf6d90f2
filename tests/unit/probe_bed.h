/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of probing share. */
#ifndef TESTS_PROBE_BED_H
#define TESTS_PROBE_BED_H

#include <fdlink/open.h>

#include "fd_common.h"

/* What the last probe said. */
extern struct said said;

/* Calls fdl_probe_fd(), and fails where that succeeds and says something. */
int probe(int fd, struct fdl_info *info);

#endif
