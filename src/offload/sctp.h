/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCTP's checksum is a CRC32c, which a partial checksum cannot describe. Yet a
 * kernel whose device takes it over (veth does) hands out such packets as if it
 * could, and completed as an internet checksum they are lost at the receiver.
 */
#ifndef FDL_OFFLOAD_SCTP_H
#define FDL_OFFLOAD_SCTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fdlink/offload.h>

#include "proto/parse.h"

/* Whether that is what *off leaves undone on a frame of len bytes, of which the
 * first avail lie at frame. */
bool sctp_is_undone(const uint8_t *frame, size_t avail, size_t len,
		    unsigned link_len, const struct fdl_offload *off);

/* The same of a frame that is parsed, whose checksum is undone. */
bool sctp_is_undone_parsed(const struct parsed *p,
			   const struct fdl_offload *off);

/* Fill in the checksum of such a frame, parsed; all of it lies at frame. False:
 * it is too short. */
bool sctp_complete(uint8_t *frame, const struct parsed *p);

#endif
