/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_ALONE_H
#define FDL_ALONE_H

#include <stdbool.h>

/* glibc 2.32 and newer tell. */
#if defined(__GLIBC__) && __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define SINGLE_THREADED __libc_single_threaded
#else
#define SINGLE_THREADED false
#endif

/*
 * Whether the process has this thread only. That stays so until this thread
 * makes another one, which sees all that was done before. Not for calls that a
 * signal handler may make: between the question and what is done on its answer,
 * a handler could run.
 */
static inline bool is_alone(void)
{
	return SINGLE_THREADED;
}

#endif
