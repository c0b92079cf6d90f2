/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing a mode for an fd, among those that serve its kind. */
#ifndef FDL_KIND_CHOOSE_H
#define FDL_KIND_CHOOSE_H

#include "kind/kind.h"

/*
 * The table that serves a mode on such an fd, with AUTO the best one. NULL, and
 * *why as the end of a sentence, when it cannot.
 */
const struct io_ops *kind_choose(enum fdl_mode mode,
				 const struct fdl_info *info, const char **why);

/* The mode of a kind that passes the fewest message headers. */
enum fdl_mode kind_plainest(const struct kind *kind);

#endif
