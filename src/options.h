/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_OPTIONS_H
#define FDL_OPTIONS_H

#include <fdlink/open.h>

#include "log.h"

/* The options' log, which must be known before they are checked. */
struct log options_log(const struct fdl_options *given);

/*
 * Copy what the caller gave (NULL: nothing) and check each value by itself.
 * Errors: -EINVAL, said to the log.
 */
int options_read(struct fdl_options *opts, const struct fdl_options *given,
		 const struct log *log);

/*
 * Check the options against the fd, and fill in every default. Errors: as
 * fdl_endpoint_new, said to the log.
 */
int options_fit(struct fdl_options *opts, const struct fdl_info *info,
		const struct log *log);

#endif
