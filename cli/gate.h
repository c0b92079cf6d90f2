/* SPDX-License-Identifier: Apache-2.0 */
/* The start of a way: drop packets that may not go on, and tell their
 * senders. */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>

#include "cable.h"
#include "too_big.h"
#include "wire_counts.h"

struct fdl_packet;
struct fdl_queue;

struct gate {
	const struct cable *cable;
	struct wire_counts *counts;
	struct fdl_queue *from;	/* where answers go */
	unsigned end;		/* where the way starts */
	bool signals;		/* --mtu-signal */
	struct too_big_budget budget;
};

/* Release those of v[0..n) that do not go on, and close the gaps. Returns how
 * many are left. */
int gate_pass(struct gate *gate, struct fdl_packet *v[], int n);

#endif
