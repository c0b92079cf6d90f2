/* SPDX-License-Identifier: Apache-2.0 */
/* What this process holds, for tests of what is left behind. */
#ifndef TESTS_USAGE_H
#define TESTS_USAGE_H

/* Entries of a directory, as "/proc/self/fd"; the same few too many each
 * time. */
unsigned usage_entries(const char *dir);

unsigned usage_maps(void);

#endif
