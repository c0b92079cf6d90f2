/* SPDX-License-Identifier: Apache-2.0 */
/* FDL_GRO: segments of one batch become super-packets for the stack. */
#ifndef FDL_RX_MERGE_H
#define FDL_RX_MERGE_H

struct counters;
struct fdl_packet;
struct gro;
struct pool;
struct shared;

/* Make the state for merging. Errors: -ENOMEM. */
int gro_new(struct gro **gro, const struct shared *shared);
void gro_free(struct gro *gro);		/* NULL is fine */

/*
 * Merge packets of v[0..n), n at most IO_MAX_BATCH, which are judged. A fresh
 * packet is taken from pool. Returns how many packets v[] then holds; the
 * others are released and counted.
 */
int gro_merge(struct gro *gro, struct pool *pool, struct counters *counters,
	      struct fdl_packet *v[], int n);

#endif
