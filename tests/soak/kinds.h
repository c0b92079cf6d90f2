/* SPDX-License-Identifier: Apache-2.0 */
/* The library's own table of kinds, whose headers do not go with the tests'. */
#ifndef TESTS_SOAK_KINDS_H
#define TESTS_SOAK_KINDS_H

unsigned kinds_count(void);

/* NULL: no fd is of the nth kind. */
const char *kinds_name(unsigned n);

#endif
