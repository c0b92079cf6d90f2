/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a queue is under load, as mode adaptive sees it. */
#ifndef FDL_IO_LOAD_H
#define FDL_IO_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "io/io.h"

struct load {
	uint64_t packets, bytes;	/* since, in microseconds */
	int64_t since;
	size_t lens;			/* the lengths of all packets so far,
					 * ORed: cheaper than the longest */
	unsigned busy;			/* times in a row */
};

/* Measure anew from here on. */
void load_start(struct load *load);

/* These came. Returns whether there are many packets, and not more than a ring
 * as of opts can hold while it is not read. */
bool load_is_high(struct load *load, const struct io_frame f[], int got,
		  const struct fdl_options *opts);

/* Look at the lengths of packets that came. */
static inline void load_look(struct load *load, const struct io_frame f[],
			     int got)
{
	int i;

	for (i = 0; i < got; i++)
		load->lens |= f[i].wire_len;
}

/* Whether one was longer than 64 KiB: a ring is not for such ones. */
static inline bool load_is_big(const struct load *load)
{
	return load->lens > UINT16_MAX;
}

/* So many came. */
static inline void load_count(struct load *load, int got)
{
	load->packets += (unsigned)got;
}

/* There are few packets, and were for a while. */
bool load_is_low(struct load *load);

#endif
