/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel cuts what is written into one TAP: it is bridged to another, which
 * takes no offloads. What comes out is what our segmenter makes of the same
 * packet, byte by byte.
 */
#ifndef FDL_ORACLE_KERNEL_CUT_H
#define FDL_ORACLE_KERNEL_CUT_H

#include <stdbool.h>
#include <stddef.h>

struct fdl_offload;
struct iovec;
struct rng;

/* By these TAPs from now on, which are called "in" and "out". */
void kernel_cut_join(int in, int out);

/* A frame behind its virtio header. Returns whether the kernel takes it. */
bool kernel_cut_write(void *hdr, size_t hdr_len, void *frame, size_t len);

/*
 * Compare what comes of the super-packet written last. Where a segment has a
 * sum of 0 at zero_at, the kernel's may have its other form; zero_at 0:
 * nowhere.
 * Returns the number of segments that came out alike; < 0: they did not.
 */
int kernel_cut_compare(const struct iovec *super, unsigned link_len,
		       const struct fdl_offload *off, unsigned zero_at);

/* So many cases of one, which returns what kernel_cut_compare does. Returns an
 * exit status. */
int kernel_cut_run(const char *name, int cases, int (*one)(struct rng *r));

#endif
