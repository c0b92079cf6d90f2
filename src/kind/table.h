/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds: the one place that knows them all. */
#ifndef FDL_KIND_TABLE_H
#define FDL_KIND_TABLE_H

#include "kind/kind.h"

/* Returns the kinds in turn; NULL behind the last one. */
const struct kind *kind_at(unsigned i);

/* Returns the kind of that number; if several have it, the first one, of which
 * the others are special sorts. NULL: there is none. */
const struct kind *kind_of(enum fdl_kind number);

/* Returns the kind that a fdl_info tells of, by its name, else by its number.
 * NULL: it tells of none. */
const struct kind *kind_in(const struct fdl_info *info);

/* Returns the kind of an fd; if several own it, the last one, which is the most
 * special. NULL: none does. */
const struct kind *kind_owning(const struct fd_facts *facts);

#endif
