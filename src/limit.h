/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When descriptors run out, it does not matter which call wanted the first one
 * too many. Whoever makes the endpoint says which limit it is, and how many
 * descriptors the whole endpoint takes.
 */
#ifndef FDL_LIMIT_H
#define FDL_LIMIT_H

#include <stdbool.h>

#include "log.h"

enum {
	LIMIT_TEXT = 160,
};

/* Returns the errno as strerror(3) has it, with the limit that it tells of, if
 * any. */
const char *limit_text(char text[LIMIT_TEXT], int err);

/* If err is of a lack of descriptors, warn that what cannot go on, and why.
 * Returns whether it is. */
bool limit_warn(const struct log *log, int err, const char *what,
		const char *why);

/* A log whose last error is held back until it is known what became of it. */
struct limit_log {
	struct log log;		/* to be given to those that may fail */
	struct log to;
	bool held, said;
	char text[256];
};

void limit_begin(struct limit_log *l, const struct log *to);

/* What is held back does not fit: the caller says something else. */
void limit_forget(struct limit_log *l);

/* It does. */
void limit_release(struct limit_log *l);

/*
 * err is 0 or what it came to, which somebody has to say. Say what was held
 * back; or, if descriptors were lacking, that what needs up to so many of them,
 * 0: not known.
 */
void limit_end(struct limit_log *l, int err, const char *what, unsigned needs);

#endif
