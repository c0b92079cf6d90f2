/* SPDX-License-Identifier: Apache-2.0 */
/* One sentence to whoever listens. */
#ifndef FDL_LOG_H
#define FDL_LOG_H

#include <fdlink/fdlink.h>

struct log {
	void (*fn)(void *ctx, int level, const char *msg);
	void *ctx;
};

/* A sentence longer than 255 bytes is cut. Nothing happens without a fn. */
void log_say(const struct log *log, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
