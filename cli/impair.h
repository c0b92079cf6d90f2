/* SPDX-License-Identifier: Apache-2.0 */
/* A way that loses, delays, reorders and duplicates packets: a lab's wire. */
#ifndef IMPAIR_H
#define IMPAIR_H

#include <stdbool.h>
#include <stdint.h>

struct fdl_packet;
struct fdl_queue;
struct wire_counts;

/* Most packets that are under way at a time; more are dropped and counted. */
enum {
	IMPAIR_ROOM = 4096,
};

/* All zero: a wire that is in order. Chances are in millionths. */
struct impair_options {
	uint64_t rate;		/* bits a second; 0: no limit */
	uint64_t delay_ns;
	uint64_t jitter_ns;	/* up to this more or less, in order */
	uint64_t late_ns;	/* how much later reordered packets come */
	uint32_t loss;
	uint32_t reorder;
	uint32_t duplicate;
};

struct impair;

/* True: it is not in order. */
bool impair_any(const struct impair_options *options);

/*
 * options and counts must stay: what becomes of packets is counted there.
 * Duplicates are of q's pool. Of two with the same seed, the same packets are
 * lost, late and duplicated. Returns NULL when there is no memory.
 */
struct impair *impair_new(const struct impair_options *options,
			  struct fdl_queue *q, struct wire_counts *counts,
			  uint64_t seed);

/* How many packets are under way. impair_free releases them. */
unsigned impair_under_way(const struct impair *impair);
void impair_free(struct impair *impair);

/*
 * Send a packet on its way at a time, CLOCK_MONOTONIC. It is the wire's, and
 * may have been released.
 */
void impair_put(struct impair *impair, struct fdl_packet *pkt, uint64_t now_ns);

/* Up to n packets that have arrived, in their order: the caller's. */
int impair_take(struct impair *impair, struct fdl_packet *v[], int n,
		uint64_t now_ns);

/* When the next one arrives; UINT64_MAX: none is under way. */
uint64_t impair_due(const struct impair *impair);

#endif
