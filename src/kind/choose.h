/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing a mode for an fd, among those that serve its kind. */
#ifndef FDL_KIND_CHOOSE_H
#define FDL_KIND_CHOOSE_H

#include "kind/kind.h"

/* Returns the table of a mode on such an fd; with AUTO that of the best mode.
 * NULL: the mode cannot be used, and *why says so as the end of a sentence. */
const struct io_ops *kind_choose(enum fdl_mode mode,
				 const struct fdl_info *info, const char **why);

/* Returns the mode of a kind that passes the fewest message headers. */
enum fdl_mode kind_plainest(const struct kind *kind);

#endif
