/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a device that is opened anew, one for each queue. One queue
 * opens them all, and each queue takes its own. The caller has a lock for all
 * calls.
 */
#ifndef FDL_KIND_BATCH_H
#define FDL_KIND_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "fd/locator.h"
#include "fd/opened.h"
#include "log.h"

struct io_group;
struct kind;

/* Who opens devices anew in place of the library: fdl_options.reopen. */
struct outside {
	int (*reopen)(void *ctx, bool existing, int fds[], unsigned n);
	void *ctx;
};

struct batch {
	/* Of the link; not owned. */
	struct locator *loc;
	const struct kind *kind;
	const struct log *log;
	struct outside outside;	/* reopen is NULL: there is none */

	int netns;		/* where it was opened; -1: loc says it */
	int64_t gone_at;	/* as os_now_ms(); 0: the device is not gone */
	bool made;		/* fdl_open made the device: it is made anew if
				 * nobody else does so */
	unsigned number;	/* from 1 on; 0: nothing was opened anew yet */
	struct opened opened;	/* fd -1: taken */
	struct io_group *group;	/* in mode adaptive */
	unsigned settled;	/* queues that have their file in place */
	int place[LOCATOR_MAX_QUEUES]; /* the fds of these files */
	bool failed[LOCATOR_MAX_QUEUES]; /* once to take its place */
};

/* loc, kind, log, outside and made are set, the rest is 0. Errors: those of
 * open(2). */
int batch_begin(struct batch *batch);

/* Close what was not taken. */
void batch_end(struct batch *batch);

/* As life_meet. */
int batch_take(struct batch *batch, unsigned queue, struct io_group **group);

/* As life_return. */
void batch_return(struct batch *batch, unsigned queue, int fd, int err);

/* As life_settle. */
void batch_settle(struct batch *batch, unsigned queue, int fd);

#endif
