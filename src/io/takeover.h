/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of memory that are to outlive what they are mapped from. */
#ifndef FDL_IO_TAKEOVER_H
#define FDL_IO_TAKEOVER_H

#include <stddef.h>
#include <stdint.h>

struct takeover {
	int fd;			/* what they are mapped from; not owned */
	unsigned blocks;
	size_t size;		/* of a block, whole pages */
	unsigned used;		/* spare[0..used) has gone elsewhere */
	uint8_t *spare;		/* blocks, and one more; not touched before it
				 * is needed */
	uint8_t *alias;		/* what fd maps, once more; NULL: not mapped */
};

/* Have address space for so many blocks of that size, for when there may be
 * none to be had. Errors: -ENOMEM. */
int takeover_open(struct takeover *t, int fd, unsigned blocks, size_t size);
void takeover_close(struct takeover *t);

/* Before the first block. */
void takeover_begin(struct takeover *t);

/*
 * Put memory of our own with the same bytes in the place of block i of mem. What
 * another thread writes meanwhile is kept, except for a word that it sets to
 * something else and back. Where the kernel does not move memory there, a file
 * in memory takes the place; if that is refused, too, all stays.
 */
void takeover_block(struct takeover *t, uint8_t *mem, unsigned i);

#endif
