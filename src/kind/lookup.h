/* SPDX-License-Identifier: Apache-2.0 */
/* The device that a locator names, found by rtnetlink without touching it. */
#ifndef FDL_KIND_LOOKUP_H
#define FDL_KIND_LOOKUP_H

#include <stdint.h>

#include <fdlink/open.h>

#include "fd/link.h"
#include "fd/locator.h"
#include "log.h"

/*
 * The device as it is, and its link_offloads unless NULL. Errors: -ENODEV there
 * is none, for the kind to say; others of link_get, logged.
 */
int lookup_link(const struct locator *loc, struct link *link,
		uint32_t *offloads, const struct log *log);

/* Fill in the fields of a device that every kind tells; info->ethernet is
 * set. */
void lookup_fill(struct fdl_info *info, const struct link *link);

#endif
