/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a message does not fit its slot: super-packets of BIG TCP, which only
 * AF_PACKET hands out. A second piece of each message makes room for that, in memory
 * that is touched only by such a message.
 */
#ifndef FDL_IO_SPILL_H
#define FDL_IO_SPILL_H

#include "io/io.h"

enum {
	SPILL_LEN = IO_MAX_REST,
};

struct spill {
	uint8_t *mem;		/* NULL: there is none */
	unsigned n;		/* messages of a batch */
	int left;		/* messages for which there is room, yet */
	bool stays;		/* for all to come */
};

/* Have room for n messages. It is no failure not to have it: such messages are
 * then cut off as others that are too long. Not where message headers are
 * limited. */
void spill_open(struct spill *spill, unsigned n,
		const struct fdl_options *opts);
void spill_close(struct spill *spill);

/* The second piece of message i; none, where there is no room. */
static inline struct iovec spill_room(const struct spill *spill, unsigned i)
{
	if (!spill->mem)
		return (struct iovec){ NULL, 0 };
	return (struct iovec){ spill->mem + (size_t)i * SPILL_LEN, SPILL_LEN };
}

/* Is a message to have a second piece? */
static inline bool spill_is_on(const struct spill *spill)
{
	return spill->left > 0;
}

/* Note that n messages came, the longest of so many bytes, as far as anybody has
 * looked. Returns whether the answer of spill_is_on has changed. */
bool spill_note(struct spill *spill, int n, size_t longest);

/* Give frame i, which came with a second piece, what is in that. */
void spill_give(const struct spill *spill, struct io_frame *f, unsigned i);

#endif
