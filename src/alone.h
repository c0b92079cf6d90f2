/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_ALONE_H
#define FDL_ALONE_H

#include <stdbool.h>

/* glibc can tell, since 2.32. */
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define SINGLE_THREADED __libc_single_threaded
#else
#define SINGLE_THREADED false
#endif

/*
 * Has the process no thread but this one? It stays so for as long as this one
 * makes no other, and who is made later sees all that was done before. Nothing
 * else comes between: it is not for calls that a signal handler may make.
 */
static inline bool is_alone(void)
{
	return SINGLE_THREADED;
}

#endif
