/* SPDX-License-Identifier: Apache-2.0 */
#include "io/takeover.h"

#include <stdatomic.h>
#include <string.h>

#include "os.h"

/* What was written between the copy and the move is in alias only, unless it was
 * written once more since. */
static void catch_up(uint8_t *mem, const uint8_t *copied, const uint8_t *alias,
		     size_t size)
{
	_Atomic uint64_t *const now = (void *)mem;
	const uint64_t *const before = (const void *)copied;
	const uint64_t *const late = (const void *)alias;
	size_t i, n = size / sizeof(*late);
	uint64_t was;

	for (i = 0; i < n; i++) {
		was = before[i];
		if (late[i] != was)
			atomic_compare_exchange_strong(&now[i], &was, late[i]);
	}
}

void takeover(uint8_t *mem, const uint8_t *alias, size_t size)
{
	uint8_t *const copied = os_map(size), *const copy = os_map(size);

	if (copied && copy) {
		memcpy(copied, mem, size);
		memcpy(copy, copied, size);
	}
	if (!copied || !copy || os_move_map(copy, size, mem)) {
		if (copy)
			os_unmap(copy, size);
	} else if (alias) {
		catch_up(mem, copied, alias, size);
	}
	if (copied)
		os_unmap(copied, size);
}
