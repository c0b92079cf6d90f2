/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a locator: which kind of link it names, and what it says of it. */
#ifndef FDL_KIND_LOCATE_H
#define FDL_KIND_LOCATE_H

#include "fd/locator.h"
#include "log.h"

/*
 * Errors: -EINVAL, and one sentence on what is wrong; where the form is, the
 * grammar follows it in lines of its own.
 */
int locator_parse(struct locator *loc, const char *text, const struct log *log);

#endif
