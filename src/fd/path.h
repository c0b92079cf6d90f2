/* SPDX-License-Identifier: Apache-2.0 */
/* A path that stays what it is when the process changes its directory. */
#ifndef FDL_FD_PATH_H
#define FDL_FD_PATH_H

/* Returns a path that leads where path leads now, malloc'd, and is absolute,
 * unless the current directory has no path. NULL: no memory. */
char *path_absolute(const char *path);

#endif
