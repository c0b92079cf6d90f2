/* SPDX-License-Identifier: Apache-2.0 */
/* What mode packet_mmap tells a mode that is built on it. */
#ifndef FDL_IO_PACKET_MMAP_H
#define FDL_IO_PACKET_MMAP_H

#include <stdbool.h>

#include "io/io.h"

/*
 * After recv found nothing: does the kernel have packets in a block that it has
 * not closed yet? Right if no packet is arriving meanwhile, and the block has
 * not just been given back.
 */
bool packet_mmap_is_filling(const struct io *io);

#endif
