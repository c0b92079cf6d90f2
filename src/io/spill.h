/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room for messages that do not fit a slot. These are super-packets of BIG TCP,
 * which only AF_PACKET hands out. Each message gets a second piece, in memory
 * that no other message touches.
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
	int left;		/* so many more messages get a second piece */
	bool stays;		/* all to come get one */
};

/* Have room for n messages, except with max_syscall_header_bytes. Without room,
 * or memory for it, long messages are cut off like others that are too long. */
void spill_open(struct spill *spill, unsigned n,
		const struct fdl_options *opts);
void spill_close(struct spill *spill);

/* The second piece of message i; length 0: there is no room. */
static inline struct iovec spill_room(const struct spill *spill, unsigned i)
{
	if (!spill->mem)
		return (struct iovec){ NULL, 0 };
	return (struct iovec){ spill->mem + (size_t)i * SPILL_LEN, SPILL_LEN };
}

/* Whether messages get a second piece now. */
static inline bool spill_is_on(const struct spill *spill)
{
	return spill->left > 0;
}

/* Note that n messages came, and that the longest one that the caller looked at
 * has so many bytes. Returns whether the answer of spill_is_on has changed. */
bool spill_note(struct spill *spill, int n, size_t longest);

/* Set f->rest to what message i has in its second piece. f is as message_fill
 * left it. */
void spill_give(const struct spill *spill, struct io_frame *f, unsigned i);

#endif
