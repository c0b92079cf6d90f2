/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checksum of SCTP is a CRC32c, which a partial checksum cannot describe. A
 * kernel whose device computes it (veth says so) hands out such packets with a
 * partial checksum all the same. Completed as an internet checksum, they would
 * be lost at the receiver.
 */
#ifndef FDL_OFFLOAD_SCTP_H
#define FDL_OFFLOAD_SCTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fdlink/offload.h>

#include "proto/parse.h"

/* Whether the partial checksum that *off leaves to do, on a frame that is
 * parsed, is that of SCTP. */
bool sctp_is_undone(const struct parsed *p, const struct fdl_offload *off);

/* Compute the checksum of such a frame, which is parsed and lies at frame as a
 * whole, and store it. Returns false if the frame is too short. */
bool sctp_complete(uint8_t *frame, const struct parsed *p);

#endif
