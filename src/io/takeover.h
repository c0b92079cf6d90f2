/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of mapped memory that outlive the socket they are mapped from. */
#ifndef FDL_IO_TAKEOVER_H
#define FDL_IO_TAKEOVER_H

#include <stddef.h>
#include <stdint.h>

struct takeover {
	int fd;			/* the socket; not owned */
	unsigned blocks;
	size_t size;		/* of a block, whole pages */
	unsigned used;		/* spare[0..used) was moved elsewhere */
	uint8_t *spare;		/* room for all blocks and one more; untouched
				 * until it is needed */
	uint8_t *alias;		/* a second mapping of fd; NULL: none */
};

/* Reserve address space for so many blocks of that size: later there may be
 * none left. Errors: -ENOMEM. */
int takeover_open(struct takeover *t, int fd, unsigned blocks, size_t size);
void takeover_close(struct takeover *t);

/* Before the first block. */
void takeover_begin(struct takeover *t);

/*
 * Replace block i of mem, in place, by private memory with the same bytes.
 * Words that another thread writes meanwhile are kept. The exception is a word
 * that it changes and then changes back.
 *
 * If the kernel refuses to move memory there, a file in memory is mapped
 * instead. If it refuses that, too, the block stays as it is.
 */
void takeover_block(struct takeover *t, uint8_t *mem, unsigned i);

#endif
