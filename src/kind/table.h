/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds: the one place that knows them all. */
#ifndef FDL_KIND_TABLE_H
#define FDL_KIND_TABLE_H

#include "kind/kind.h"

/* NULL behind the last one. */
const struct kind *kind_at(unsigned i);

/* The kind of that number; of several the last one, which owns all of which no
 * other one is more special. NULL: there is none. */
const struct kind *kind_of(enum fdl_kind number);

/* The kind that a fdl_info tells of, by its name, else by its number. NULL: it
 * tells of none. */
const struct kind *kind_in(const struct fdl_info *info);

/* The kind that an fd is of: the first one that owns it. NULL: none does. */
const struct kind *kind_owning(const struct fd_facts *facts);

#endif
