/* SPDX-License-Identifier: Apache-2.0 */
/* What a system call's result is to the callers of os.h. */
#ifndef FDL_OS_RESULT_H
#define FDL_OS_RESULT_H

#include <errno.h>

static inline int result(int r)
{
	return r < 0 ? -errno : r;
}

#endif
