/* SPDX-License-Identifier: Apache-2.0 */
/* What a kind of link is in a soak. */
#ifndef TESTS_SOAK_BED_H
#define TESTS_SOAK_BED_H

#include "soak.h"

struct bed {
	const char *name;		/* of a struct link_kind */
	const char *kind;		/* in src/kind/table.c */
	/* The peer's end. Returns whether the frame is on its way, or dropped
	 * and counted by the kernel. NULL: nothing comes from there. */
	bool (*feed)(struct soak *s, const uint8_t *frame, size_t len);
	/* Returns -EAGAIN if there is nothing. NULL: nothing gets there. */
	ssize_t (*collect)(struct soak *s, uint8_t *buf, size_t size);
	/* What the kernel has dropped on its way there, and fdlink does not
	 * count; and on its way to the peer. NULL: it drops nothing. */
	uint64_t (*ahead)(const struct soak *s);
	uint64_t (*behind)(struct soak *s);
	const char *device;		/* that goes down; NULL: l.dev */
};

/* The nth; NULL: there are no more. */
const struct bed *bed_at(unsigned n);

/* Make the link and an endpoint over it; returns -errno. */
int bed_open(struct soak *s);
void bed_close(struct soak *s);

#endif
