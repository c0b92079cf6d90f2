/* SPDX-License-Identifier: Apache-2.0 */
/* What mode packet_mmap has for a mode that is built on it. */
#ifndef FDL_IO_PACKET_MMAP_H
#define FDL_IO_PACKET_MMAP_H

#include <stdbool.h>

#include "io/io.h"

/*
 * Whether the kernel has packets in a block that it has not closed yet. Call it
 * after recv found nothing. The answer is right if no packet is arriving
 * meanwhile, and if the block has not just been given back.
 */
bool packet_mmap_is_filling(const struct io *io);

#endif
