/* SPDX-License-Identifier: Apache-2.0 */
/* The virtio-net header that two peers agree on, and no fd can tell. */
#ifndef FDL_KIND_AGREED_H
#define FDL_KIND_AGREED_H

#include <fdlink/fdlink.h>

#include "fd/locator.h"
#include "io/io.h"
#include "log.h"

struct set_up;

/* struct kind, merge: offload= and the flags that say the same. */
int agreed_merge(struct fdl_options *opts, struct locator *loc,
		 const struct log *log);

/* How long it is, as offload= says; 0: there is none. */
uint8_t agreed_header_len(const struct locator *loc);

/* struct kind, set_up: it is before each packet, as fdl_options.flags say. */
int agreed_set_up(struct io *io, const struct set_up *how);

#endif
