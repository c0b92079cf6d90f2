/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include "kind/kind.h"
#include "kind/table.h"

unsigned kinds_count(void)
{
	unsigned n = 0;

	while (kind_at(n))
		n++;
	return n;
}

const char *kinds_name(unsigned n)
{
	return kind_at(n)->name;
}
