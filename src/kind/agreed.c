/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/agreed.h"

#include <errno.h>

#include <fdlink/offload.h>

#include "kind/kind.h"

/* Peers that agree on it have what a device's kernel has. */
int agreed_merge(struct fdl_options *opts, struct locator *loc,
		 const struct log *log)
{
	const uint32_t given = opts->flags & (FDL_VNET_HDR | FDL_VNET_HDR_V1);
	const char *value = NULL;

	if (loc->offload < 0 && given)
		value = "off";
	if (loc->offload > 0 && loc->offload != LOCATOR_V1 &&
	    given & FDL_VNET_HDR_V1)
		value = "on";
	if (value) {
		log_say(log, FDL_LOG_ERR,
			"%s:%s: offload=%s in the locator and %s contradict "
			"each other: give one of them",
			loc->kind->locator, loc->name, value,
			given & FDL_VNET_HDR_V1 ? "FDL_VNET_HDR_V1" :
						  "FDL_VNET_HDR");
		return -EINVAL;
	}
	if (loc->offload == LOCATOR_V1)
		opts->flags |= FDL_VNET_HDR_V1;
	else if (loc->offload > 0)
		opts->flags |= FDL_VNET_HDR;
	return 0;
}

uint8_t agreed_header_len(const struct locator *loc)
{
	if (loc->offload == LOCATOR_V1)
		return FDL_VNET_HDR_MRG_LEN;
	return loc->offload > 0 ? FDL_VNET_HDR_LEN : 0;
}

int agreed_set_up(struct io *io, const struct set_up *how)
{
	const uint32_t flags = how->opts->flags;

	if (flags & FDL_VNET_HDR_V1) {
		io->vnet_hdr_len = FDL_VNET_HDR_MRG_LEN;
		io->order = FDL_ORDER_LITTLE;
	} else if (flags & FDL_VNET_HDR) {
		io->vnet_hdr_len = FDL_VNET_HDR_LEN;
	}
	return 0;
}
