/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The send side without a queue, on a wire that is no fd: the linker's --wrap
 * hands each system call of sending and waiting to tx_bed.c. Time passes only
 * where something waits.
 */
#ifndef TX_BED_H
#define TX_BED_H

#include "packets.h"
#include "tx/defer.h"
#include "tx/message.h"
#include "tx/put.h"
#include "tx/room.h"
#include "tx/work.h"

enum { WIRE_MAX = 1024 };

/* What the wire was given, and how it behaves. */
struct wire {
	unsigned n;		/* messages that it took */
	struct {
		const uint8_t *bytes; /* with the virtio-net header */
		size_t len;
		unsigned protocol; /* of the name it was sent to; 0: none */
	} took[WIRE_MAX];
	unsigned asked;		/* messages that it was asked to take */

	/* 0, or the errno that a message is refused with. NULL: none is. */
	int (*refuses)(const uint8_t *bytes, size_t len);
	bool full;		/* POLLOUT says so, too */
	unsigned slots;		/* it is full after so many; 0: never */
	bool stream;		/* it takes bytes, of which there is room
				 * for: */
	size_t bytes;
	int64_t now_ms;
	unsigned naps;
};

extern struct wire wire;

struct bed {
	struct tx tx;
	struct io io;
	struct counters counters;
	struct shared shared;
};

/* Of such a kind, with a header of so many bytes; the options in
 * b->shared.opts are the test's. What the wire knew is forgotten. */
void bed_open(struct bed *b, enum fdl_kind kind, unsigned vnet_hdr_len);
void bed_close(struct bed *b);

/* All that the wire took is looked at. */
void wire_forget(void);

static inline uint64_t bed_count(const struct bed *b, enum counter i)
{
	return counted(&b->counters, i);
}

#endif
