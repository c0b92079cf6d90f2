/* SPDX-License-Identifier: Apache-2.0 */
#include "fd/path.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "os.h"

char *path_absolute(const char *path)
{
	char dir[PATH_MAX], *whole;
	size_t n;

	if (*path == '/' || os_directory(dir, sizeof(dir)))
		return strdup(path);
	n = strlen(dir);
	whole = malloc(n + 1 + strlen(path) + 1);
	if (!whole)
		return NULL;
	memcpy(whole, dir, n);
	whole[n] = '/';
	strcpy(whole + n + 1, path);
	return whole;
}
