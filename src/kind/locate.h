/* SPDX-License-Identifier: Apache-2.0 */
/* Read a locator: which kind of link it names, and what it says of it. */
#ifndef FDL_KIND_LOCATE_H
#define FDL_KIND_LOCATE_H

#include "fd/locator.h"
#include "log.h"

/* Errors: -EINVAL, and one sentence says what is wrong. If the form of the
 * locator is, the grammar follows in lines of its own. */
int locator_parse(struct locator *loc, const char *text, const struct log *log);

#endif
