/* SPDX-License-Identifier: Apache-2.0 */
/* Do something in another network namespace (network_namespaces(7)). */
#ifndef FDL_FD_NETNS_H
#define FDL_FD_NETNS_H

#include "log.h"

/*
 * Open a namespace by its name of ip-netns(8), or by a path, which has a '/'.
 * Returns an fd. Errors: -ENOENT, -EACCES and others of open(2), logged.
 */
int netns_open(const char *name, const struct log *log);

/*
 * Call fn in namespace nsfd, on a thread that is made for it: the caller's
 * thread never changes its namespace, and so can never be left in the wrong
 * one. What fn logs comes out on the caller's thread, in order, up to 4 lines.
 * Returns what fn returned. Errors: -EPERM this process may not enter it,
 * logged; others of setns(2); -EAGAIN there is no thread to be had.
 */
int netns_run(int nsfd, int (*fn)(void *arg, const struct log *log), void *arg,
	      const struct log *log);

/* The same in the namespace of that name, which netns_open opens; "": in the
 * thread's own. Errors: of both. */
int netns_run_in(const char *name, int (*fn)(void *arg, const struct log *log),
		 void *arg, const struct log *log);

#endif
